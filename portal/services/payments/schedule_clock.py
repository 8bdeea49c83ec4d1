"""A planned payment on its day: charged once, through the same reservation and call as every other (BIL-06).

The row is locked, after its invoice, while it is decided about; what the decision needs of the gateway comes after
the commit, and where that is lost the payment's own workflow asks again with the same key.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select

from portal.authz import system_actor
from portal.errors import DomainError
from portal.events import publish
from portal.events.scheduled import ScheduleFailed, ScheduleStarted
from portal.integrations.payments import GatewayUnavailable
from portal.lib.faults import crash_point
from portal.models import (
    Invoice,
    InvoiceStatus,
    PaymentKind,
    PaymentMethod,
    ScheduledPayment,
    ScheduleStatus,
)
from portal.models.session import TenantSession
from portal.services.billing.planned import clear_step, end_one
from portal.services.payments.applying import Desk
from portal.services.payments.balances import available, lock_invoices
from portal.services.payments.calling import carry_out
from portal.services.payments.planned_rows import PlannedRow
from portal.services.payments.reserving import PayRequest, start_payment
from portal.services.payments.schedule_letters import tell_ended, tell_planned
from portal.services.payments.scheduling import lock_schedule

log = structlog.get_logger()
NOTICE = timedelta(days=1)
# While another payment of the invoice is under way.
LOOK_AGAIN = timedelta(hours=1)


@dataclass
class _Turn:
    """One look at a planned payment."""

    session: TenantSession
    row: PlannedRow
    base_url: str
    now: datetime
    started: UUID | None = None


def advance_schedule(desk: Desk, planned_id: UUID, *, now: datetime) -> datetime | None:
    """Announce, charge or end what it is time for; gives when to come back, None where nothing is left to do.

    Safe to repeat, and at the same time.
    """
    with desk.sessions.begin(desk.tenant_id) as session:
        invoice_id = session.scalar(select(ScheduledPayment.invoice_id).where(ScheduledPayment.id == planned_id))
        if invoice_id is None:
            return None
        invoice = lock_invoices(session, [invoice_id])[0]
        planned = lock_schedule(session, planned_id)
        method = session.get_one(PaymentMethod, planned.method_id)
        turn = _Turn(session, PlannedRow(planned, invoice, method), desk.base_url, now)
        wake = _decide(turn)
    crash_point("schedule.post_commit")
    if turn.started is not None:
        try:
            carry_out(desk, turn.started, now=now)
        except GatewayUnavailable:
            log.warning("scheduled_payment_waits", payment=str(turn.started))
    return wake


def _decide(turn: _Turn) -> datetime | None:
    planned, invoice = turn.row.planned, turn.row.invoice
    if planned.status is not ScheduleStatus.PLANNED:
        _tell_once(turn)
        return None
    if planned.charge_at > turn.now:
        return _announce(turn)
    if invoice.status is InvoiceStatus.DISPUTED and invoice.undisputed == 0:
        end_one(turn.session, planned, "invoice_disputed", actor=system_actor(planned.tenant_id), now=turn.now)
        _tell_once(turn)
        return None
    if available(invoice) == 0:
        return turn.now + LOOK_AGAIN
    _charge(turn, invoice)
    return None


def _announce(turn: _Turn) -> datetime:
    """The day before, once; not where it was planned within that day."""
    planned = turn.row.planned
    at = planned.charge_at - NOTICE
    if planned.noticed_at is not None or planned.created_at >= at:
        return planned.charge_at
    if at > turn.now:
        return at
    planned.noticed_at = turn.now
    tell_planned(turn.session, turn.row, soon=True, base_url=turn.base_url, now=turn.now)
    return planned.charge_at


def _charge(turn: _Turn, invoice: Invoice) -> None:
    session, planned, now = turn.session, turn.row.planned, turn.now
    actor = system_actor(planned.tenant_id, "Scheduled payment")
    amount = None if planned.amount is None else min(planned.amount, available(invoice))
    request = PayRequest({invoice.id: amount}, method_id=planned.method_id, kind=PaymentKind.SCHEDULED)
    clear_step(session, [planned.id])
    planned.updated_at = now
    try:
        payment = start_payment(session, request, actor=actor, now=now)
    except DomainError as refused:
        # The rules changed since it was planned; what was refused wrote nothing.
        code = refused.errors[0].code if hasattr(refused, "errors") else refused.code
        planned.status, planned.code = ScheduleStatus.FAILED, code[:60]
        publish(session, ScheduleFailed.about(planned), actor=actor, now=now, after={"code": planned.code})
        _tell_once(turn)
        return
    payment.started_by = planned.created_by
    planned.status, planned.payment_id = ScheduleStatus.STARTED, payment.id
    publish(session, ScheduleStarted.about(planned), actor=actor, now=now, after={"payment": payment.number})
    turn.started = payment.id


def _tell_once(turn: _Turn) -> None:
    """What ended by itself is told; whoever cancelled knows."""
    planned = turn.row.planned
    if planned.code is None or planned.told_at is not None:
        return
    planned.told_at = turn.now
    tell_ended(turn.session, turn.row, base_url=turn.base_url, now=turn.now)
