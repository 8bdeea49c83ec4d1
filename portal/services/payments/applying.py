"""The truth about a payment: read from the gateway, then written. Nothing else ever decides what was paid.

Webhook, return page, timers and reconciliation all come here. The gateway is read outside of any transaction; what
it says is booked under the lock of the payment's row, so repeats and crossings write nothing twice.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select

from portal.authz import system_actor
from portal.events import publish
from portal.events.payments import PaymentCancelled, PaymentChanged, PaymentFailed, PaymentSucceeded
from portal.integrations.payment_gateway import PaymentGateway
from portal.integrations.payments import GatewayDispute, GatewayIntent, GatewayRefund, GatewaySession
from portal.lib.faults import crash_point
from portal.models import UNDECIDED, Payment, PaymentKind, PaymentStatus
from portal.models.session import TenantSession, TenantSessions
from portal.services.payments import auto_outcome, chargebacks, refund_booking, telling
from portal.services.payments.balances import Cause, allocations_of, lock_invoices, release, settle, take
from portal.services.payments.methods import Consent, MethodFacts, save_method

log = structlog.get_logger()
NOT_FINISHED = "not_finished"
AUTHENTICATION = "authentication_required"
# Charged while nobody is there to answer the bank.
UNATTENDED = frozenset({PaymentKind.AUTO_PAY, PaymentKind.SCHEDULED})
# Forward only; money that came is never taken for not come.
_RANK = {
    PaymentStatus.CREATED: 0,
    PaymentStatus.OPEN: 1,
    PaymentStatus.REQUIRES_ACTION: 2,
    PaymentStatus.PROCESSING: 3,
    PaymentStatus.FAILED: 4,
    PaymentStatus.CANCELLED: 4,
    PaymentStatus.SUCCEEDED: 5,
}


class GatewayMismatch(Exception):
    """What the gateway names is not the payment that our row says it is; nothing is booked."""


@dataclass(frozen=True)
class Desk:
    """What booking needs: the tenant's rows, the gateway, and where the portal is reached."""

    sessions: TenantSessions
    gateway: PaymentGateway
    tenant_id: UUID
    base_url: str


@dataclass(frozen=True)
class Truth:
    """What the gateway said of a payment, just now."""

    page: GatewaySession | None = None
    intent: GatewayIntent | None = None
    refunds: tuple[GatewayRefund, ...] = ()
    disputes: tuple[GatewayDispute, ...] = ()


@dataclass
class _Booking:
    """One booking under way."""

    session: TenantSession
    payment: Payment
    base_url: str
    now: datetime
    cause: Cause = field(init=False)

    def __post_init__(self) -> None:
        self.cause = Cause(system_actor(self.session.tenant_id), self.now)


def apply_payment(desk: Desk, payment_id: UUID, *, now: datetime) -> PaymentStatus:
    """Read what became of a payment and write it; gives its status then. Safe to repeat, and at the same time.

    Raises NotFound through `get_one` for ids that are no payment, GatewayUnavailable where there is no answer, and
    GatewayMismatch.
    """
    with desk.sessions.begin(desk.tenant_id) as session:
        payment = session.get_one(Payment, payment_id)
        if not payment.session_id and not payment.intent_id:
            return payment.status
    truth = read_truth(desk.gateway, payment)
    return book_truth(desk, payment_id, truth, now=now)


def read_truth(gateway: PaymentGateway, payment: Payment) -> Truth:
    """What the gateway says; refunds and disputes only where there are any."""
    page = None
    if payment.session_id and payment.status is not PaymentStatus.SUCCEEDED:
        page = gateway.retrieve_session(payment.session_id)
    intent_id = payment.intent_id or (page.intent_id if page else None)
    intent = gateway.retrieve_intent(intent_id) if intent_id else None
    refunds: tuple[GatewayRefund, ...] = ()
    if intent is not None and (intent.amount_refunded or payment.refunded):
        refunds = tuple(gateway.list_refunds(intent_id=intent.id))
    disputed = intent is not None and intent.disputed
    disputes = tuple(gateway.list_disputes(intent_id=intent.id)) if intent is not None and disputed else ()
    return Truth(page, intent, refunds, disputes)


def book_intent(desk: Desk, payment_id: UUID, intent: GatewayIntent, *, now: datetime) -> PaymentStatus:
    """Write what an answer to a call of ours has said already."""
    return book_truth(desk, payment_id, Truth(intent=intent), now=now)


def book_truth(desk: Desk, payment_id: UUID, truth: Truth, *, now: datetime) -> PaymentStatus:
    """Write what the gateway said, in one transaction under the payment's lock."""
    with desk.sessions.begin(desk.tenant_id) as session:
        payment = lock_payment(session, payment_id)
        booking = _Booking(session, payment, desk.base_url, now)
        if truth.intent is not None:
            _check(payment, truth.intent)
            _note_ids(payment, truth.intent)
        _move(booking, _status_of(payment, truth), truth)
        for refund in sorted(truth.refunds, key=lambda one: one.created):
            refund_booking.book_refund(session, payment, refund, base_url=desk.base_url, now=now)
        for dispute in sorted(truth.disputes, key=lambda one: one.created):
            chargebacks.book_dispute(session, payment, dispute, base_url=desk.base_url, now=now)
        payment.updated_at = now
        session.flush()
        crash_point("pay.pre_commit")
        return payment.status


def fail_payment(desk: Desk, payment_id: UUID, code: str, *, now: datetime) -> None:
    """Write that a call was refused, so that no money can come of it; nothing where it is decided already."""
    with desk.sessions.begin(desk.tenant_id) as session:
        payment = lock_payment(session, payment_id)
        _end(_Booking(session, payment, desk.base_url, now), PaymentStatus.FAILED, code, None)


def lock_payment(session: TenantSession, payment_id: UUID) -> Payment:
    """The payment's row, locked and fresh."""
    query = select(Payment).where(Payment.id == payment_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _check(payment: Payment, intent: GatewayIntent) -> None:
    same = (
        intent.metadata.get("payment_id") == str(payment.id)
        and intent.metadata.get("tenant_id") == str(payment.tenant_id)
        and intent.currency == payment.currency
        and payment.intent_id in (None, intent.id)
    )
    if not same:
        log.error("gateway_mismatch", payment=str(payment.id), intent=intent.id)
        raise GatewayMismatch(intent.id)


def _note_ids(payment: Payment, intent: GatewayIntent) -> None:
    payment.intent_id, payment.charge_id = intent.id, intent.charge_id or payment.charge_id
    if intent.method is not None:
        payment.method = {
            "kind": intent.method.kind,
            "brand": intent.method.brand,
            "last4": intent.method.last4,
        }


def _status_of(payment: Payment, truth: Truth) -> PaymentStatus:
    """Our name for what the gateway says."""
    page, intent = truth.page, truth.intent
    if intent is None:
        if page is None:
            return payment.status
        by_page = {"open": PaymentStatus.OPEN, "expired": PaymentStatus.CANCELLED}
        return by_page.get(page.status, PaymentStatus.PROCESSING)
    if intent.status == "succeeded":
        return PaymentStatus.SUCCEEDED
    # Money that is only held has not come.
    if intent.status in ("processing", "requires_capture"):
        return PaymentStatus.PROCESSING
    if intent.status == "canceled":
        return PaymentStatus.CANCELLED
    if page is not None and page.status == "open":
        # Another card may still be tried there.
        return PaymentStatus.OPEN
    if intent.status == "requires_action":
        return PaymentStatus.REQUIRES_ACTION
    if _asks_owner(payment, intent):
        return PaymentStatus.REQUIRES_ACTION
    if page is not None and page.status == "expired" and intent.failure is None:
        return PaymentStatus.CANCELLED
    return PaymentStatus.FAILED


def _asks_owner(payment: Payment, intent: GatewayIntent) -> bool:
    """Whether the bank would say yes if the owner of the card were there: the same intent can be confirmed then."""
    failure = intent.failure
    asked = failure is not None and AUTHENTICATION in (failure.code, failure.decline_code)
    return asked and payment.kind in UNATTENDED


def _move(booking: _Booking, status: PaymentStatus, truth: Truth) -> None:
    payment, intent = booking.payment, truth.intent
    if intent is not None and intent.redirect_url and status is PaymentStatus.REQUIRES_ACTION:
        payment.redirect_url = intent.redirect_url
    if intent is not None and intent.failure is not None and payment.status in UNDECIDED:
        payment.failure_code = intent.failure.decline_code or intent.failure.code
        payment.advice_code = intent.failure.advice_code
    if status is payment.status or _RANK[status] < _RANK[payment.status]:
        return
    if status is PaymentStatus.SUCCEEDED:
        _succeed(booking, intent)
    elif status in (PaymentStatus.FAILED, PaymentStatus.CANCELLED):
        if payment.status in UNDECIDED:
            _end(booking, status, payment.failure_code or NOT_FINISHED, payment.advice_code)
    else:
        before, payment.status = payment.status, status
        fact = PaymentChanged(
            payment.id,
            payment.customer_id,
            payment.amount,
            payment.currency,
            from_status=before.value,
            to_status=status.value,
        )
        publish(booking.session, fact, actor=booking.cause.actor, now=booking.now)
        _keep_method(booking, intent)
        if status is PaymentStatus.REQUIRES_ACTION and payment.kind in UNATTENDED:
            auto_outcome.note_failure(booking.session, payment, now=booking.now)
            telling.tell_failed(booking.session, payment, None, base_url=booking.base_url, now=booking.now)


def _succeed(booking: _Booking, intent: GatewayIntent | None) -> None:
    session, payment, now = booking.session, booking.payment, booking.now
    received = intent.amount_received if intent is not None else payment.amount
    allocations = allocations_of(session, payment.id)
    if payment.status in UNDECIDED:
        release(allocations, lock_invoices(session, (one.invoice_id for one in allocations)))
    payment.status, payment.succeeded_at = PaymentStatus.SUCCEEDED, now
    payment.amount = received
    payment.failure_code = payment.advice_code = payment.redirect_url = None
    excess = take(session, payment, allocations, received, booking.cause)
    fact = PaymentSucceeded(payment.id, payment.customer_id, received, payment.currency, excess=excess)
    publish(session, fact, actor=booking.cause.actor, now=now, after={"number": payment.number, "excess": excess})
    _keep_method(booking, intent)
    auto_outcome.note_success(session, payment, now=now)
    telling.tell_received(session, payment, excess, base_url=booking.base_url, now=now)


def _end(booking: _Booking, status: PaymentStatus, code: str, advice: str | None) -> None:
    """No money comes of it: what was reserved is free again."""
    session, payment, now = booking.session, booking.payment, booking.now
    if payment.status not in UNDECIDED:
        return
    allocations = allocations_of(session, payment.id)
    invoices = lock_invoices(session, (one.invoice_id for one in allocations))
    release(allocations, invoices)
    payment.status, payment.failure_code, payment.advice_code = status, code[:60], advice
    payment.redirect_url = None
    failed = status is PaymentStatus.FAILED
    settle(session, invoices, booking.cause, failure=payment.failure_code if failed else None)
    about = (payment.id, payment.customer_id, payment.amount, payment.currency)
    fact = PaymentFailed(*about, code=payment.failure_code) if failed else PaymentCancelled(*about)
    publish(session, fact, actor=booking.cause.actor, now=now, after={"number": payment.number})
    planned = auto_outcome.note_failure(session, payment, now=now)
    if failed:
        telling.tell_failed(session, payment, planned, base_url=booking.base_url, now=now)


def _keep_method(booking: _Booking, intent: GatewayIntent | None) -> None:
    """Save the card that was paid with where its owner agreed to that before."""
    payment, agreed = booking.payment, booking.payment.keys.get("consent")
    if intent is None or intent.method is None or not intent.method.id or not agreed or payment.method_id:
        return
    found = intent.method
    facts = MethodFacts(
        found.id, found.kind, found.brand, found.last4, found.exp_month, found.exp_year, found.fingerprint
    )
    consent = Consent(payment.started_by, datetime.fromisoformat(agreed["at"]), agreed["address"], agreed["version"])
    payment.method_id = save_method(booking.session, payment.customer_id, facts, consent=consent, now=booking.now).id
