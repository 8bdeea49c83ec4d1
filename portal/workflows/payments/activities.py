"""Activities of payments: each calls one service, outside of any transaction where the gateway is asked.

The gateway may take its time, so all of them tell that they live.
"""

from temporalio import activity

from portal.integrations.payment_gateway import PaymentGateway
from portal.integrations.payments import GatewayUnavailable
from portal.lib.clock import utcnow
from portal.models.session import TenantSessions
from portal.services.payments.applying import Desk
from portal.services.payments.auto_pay import advance_auto_pay
from portal.services.payments.expiring import advance_expiry
from portal.services.payments.inbox import Office
from portal.services.payments.looking import look_at_payment
from portal.services.payments.reconciling import compare_books, fetch_missed
from portal.services.payments.refunds import send_refund
from portal.services.payments.schedule_clock import advance_schedule
from portal.workflows.beating import heartbeats
from portal.workflows.payments.shared import (
    AdvanceAutoPay,
    AdvanceExpiry,
    AdvanceSchedule,
    LookAtPayment,
    RefundRun,
    Wake,
)


class PaymentActivities:
    """What the workflows of payments ask to be done. Without a gateway they wait for one."""

    def __init__(self, sessions: TenantSessions, gateway: PaymentGateway | None, base_url: str) -> None:
        self._sessions = sessions
        self._gateway = gateway
        self._base_url = base_url

    @activity.defn(name="payments.look")
    def look(self, run: LookAtPayment) -> Wake:
        """Bring a payment up to the truth; safe to repeat."""
        desk = self._office().desk(run.tenant_id)
        # The later of both times: where this machine's clock lags, the next look would be in the timer's past,
        # and the gateway be asked again and again until it has caught up.
        now = max(run.now or utcnow(), utcnow())
        with heartbeats():
            return Wake(look_at_payment(desk, run.payment_id, now=now).at)

    @activity.defn(name="payments.send_refund")
    def send_refund(self, run: RefundRun) -> None:
        """Send an approved refund; safe to repeat."""
        with heartbeats():
            send_refund(self._office().desk(run.tenant_id), run.refund_id, now=utcnow())

    @activity.defn(name="payments.advance_auto_pay")
    def advance_auto_pay(self, run: AdvanceAutoPay) -> Wake:
        """Announce and charge what is due; safe to repeat."""
        # The later of both times: a clock of this machine that lags must not miss the timer that woke us.
        now = max(run.now, utcnow())
        desk = Desk(self._sessions, self._gateway, run.tenant_id, self._base_url) if self._gateway else None
        with heartbeats():
            return Wake(advance_auto_pay(desk, run.company_id, now=now) if desk else None)

    @activity.defn(name="payments.advance_schedule")
    def advance_schedule(self, run: AdvanceSchedule) -> Wake:
        """Announce, charge or end a planned payment; safe to repeat."""
        desk = self._office().desk(run.tenant_id)
        with heartbeats():
            return Wake(advance_schedule(desk, run.planned_id, now=max(run.now, utcnow())))

    @activity.defn(name="payments.advance_expiry")
    def advance_expiry(self, run: AdvanceExpiry) -> Wake:
        """Say that a card ends, where it is time; safe to repeat."""
        now = max(run.now, utcnow())
        with heartbeats(), self._sessions.begin(run.tenant_id) as session:
            return Wake(advance_expiry(session, run.method_id, run.expires, base_url=self._base_url, now=now))

    @activity.defn(name="payments.fetch_missed")
    def fetch_missed(self) -> int:
        """Take from the gateway's list what no webhook brought."""
        with heartbeats():
            return fetch_missed(self._office(), now=utcnow()) if self._gateway else 0

    @activity.defn(name="payments.compare_books")
    def compare_books(self) -> int:
        """Compare the gateway's payments with the ledger; how many differ for good."""
        with heartbeats():
            return len(compare_books(self._office(), now=utcnow())) if self._gateway else 0

    def _office(self) -> Office:
        if self._gateway is None:
            raise GatewayUnavailable("payments are not configured")
        return Office(self._sessions, self._gateway, self._base_url)
