"""Giving money back: asked for by the team, above a limit agreed to by a second one, then sent to the gateway.

What is asked for is held back from further refunds until it came to something; what is booked is what the gateway
says of its own refund (`refund_booking`).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import structlog
from sqlalchemy import func, select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, NotFound, invalid
from portal.events import publish
from portal.events.payments import RefundApproved, RefundDeclined, RefundRequested
from portal.integrations.payments import GatewayRefund, GatewayRefused
from portal.lib.faults import crash_point
from portal.lib.text import has_forbidden_characters
from portal.models import Payment, PaymentAllocation, PaymentStatus, Refund, RefundStatus
from portal.models.session import TenantSession
from portal.services.billing.settings import load_settings
from portal.services.payments import telling
from portal.services.payments.applying import Desk, lock_payment
from portal.services.payments.credit import held_by_invoices, lock_credit, usable_credit
from portal.services.payments.queries import COUNTED_REFUNDS
from portal.services.payments.refund_booking import book_refund

log = structlog.get_logger()
REASON_LENGTH = 255


@dataclass(frozen=True)
class RefundRequest:
    """How much goes back and why; no amount is all that is left, no invoice leaves it to the rule of bookings."""

    reason: str
    amount: int | None = None
    invoice_id: UUID | None = None


def request_refund(
    session: TenantSession, payment_id: UUID, request: RefundRequest, *, base_url: str, actor: Actor, now: datetime
) -> Refund:
    """Reserve a refund; what has to be sent has the state APPROVED, what needs a second person REQUESTED.

    Raises Forbidden, NotFound, Conflict (`payment_not_refundable`, `refund_too_large`) and Invalid.
    """
    require(actor, Permission.REFUNDS_MANAGE)
    payment = _locked(session, payment_id)
    # Nobody uses as credit meanwhile what goes back.
    lock_credit(session, payment.customer_id)
    left = refundable(session, payment)
    if payment.disputed:
        raise Conflict("payment_disputed")
    if payment.status is not PaymentStatus.SUCCEEDED or not payment.intent_id or left <= 0:
        raise Conflict("payment_not_refundable")
    amount = left if request.amount is None else request.amount
    if amount <= 0:
        raise invalid("amount", "refund_too_large")
    if amount > left:
        raise Conflict("refund_too_large")
    reason = _reason(request.reason)
    if request.invoice_id is not None:
        _require_allocation(session, payment, request.invoice_id)
    limit = load_settings(session).four_eyes_over
    second = limit is not None and amount > limit
    refund_id = uuid4()
    refund = Refund(
        id=refund_id,
        payment_id=payment.id,
        invoice_id=request.invoice_id,
        amount=amount,
        currency=payment.currency,
        status=RefundStatus.REQUESTED if second else RefundStatus.APPROVED,
        reason=reason,
        key=f"refund:{refund_id}:create:1",
        requested_by=actor.user_id,
        created_at=now,
        updated_at=now,
    )
    session.add(refund)
    kind = RefundRequested if second else RefundApproved
    fact = kind(payment.id, payment.customer_id, amount, payment.currency, refund_id=refund_id)
    publish(session, fact, actor=actor, now=now, after={"amount": amount, "reason": reason})
    if second:
        telling.tell_staff(session, payment, "payment_refund_waiting", amount, base_url=base_url, now=now)
    return refund


def decide_refund(session: TenantSession, refund_id: UUID, *, approve: bool, actor: Actor, now: datetime) -> Refund:
    """Agree to a colleague's refund, or refuse it; once. Raises Forbidden, NotFound and Conflict."""
    require(actor, Permission.REFUNDS_MANAGE)
    refund = session.scalar(select(Refund).where(Refund.id == refund_id).with_for_update())
    if refund is None:
        raise NotFound("refund")
    if refund.status is not RefundStatus.REQUESTED:
        raise Conflict("refund_decided")
    if refund.requested_by == actor.user_id:
        raise Conflict("refund_own")
    refund.status = RefundStatus.APPROVED if approve else RefundStatus.REFUSED
    refund.approved_by, refund.updated_at = actor.user_id, now
    payment = session.get_one(Payment, refund.payment_id)
    kind = RefundApproved if approve else RefundDeclined
    fact = kind(payment.id, payment.customer_id, refund.amount, refund.currency, refund_id=refund.id)
    publish(session, fact, actor=actor, now=now)
    return refund


def refundable(session: TenantSession, payment: Payment) -> int:
    """What has neither gone back (by us or by the payer's bank) nor is asked for, in minor units.

    What became credit and was used for other invoices stays here: it has been spent.
    """
    counted = select(func.coalesce(func.sum(Refund.amount), 0)).where(
        Refund.payment_id == payment.id, Refund.status.in_(COUNTED_REFUNDS)
    )
    asked = int(session.scalar(counted) or 0)
    left = payment.amount - payment.charged_back - asked
    held, waiting = held_by_invoices(session, payment.id), asked - payment.refunded
    if left + waiting <= held:
        return left
    credit = usable_credit(session, payment.customer_id, payment.currency, besides=payment.id)
    return max(0, min(left, held + credit - waiting))


def send_refund(desk: Desk, refund_id: UUID, *, now: datetime) -> None:
    """Have the gateway send what is approved, then book what it says; again does nothing more.

    Raises GatewayUnavailable where nobody knows what became of it; the same key makes a repeat harmless.
    """
    with desk.sessions.begin(desk.tenant_id) as session:
        refund = session.get_one(Refund, refund_id)
        payment = session.get_one(Payment, refund.payment_id)
    if refund.status is not RefundStatus.APPROVED or not payment.intent_id:
        return
    metadata = {"tenant_id": str(desk.tenant_id), "payment_id": str(payment.id), "refund_id": str(refund.id)}
    crash_point("refund.pre_call")
    try:
        found = desk.gateway.create_refund(
            key=refund.key, intent_id=payment.intent_id, amount=refund.amount, reason=None, metadata=metadata
        )
    except GatewayRefused as refused:
        log.warning("refund_refused", refund=str(refund_id), code=refused.code)
        _book(desk, payment.id, _refused(refund, now), now)
        return
    crash_point("refund.post_call")
    _book(desk, payment.id, found, now)


def _book(desk: Desk, payment_id: UUID, found: GatewayRefund, now: datetime) -> None:
    with desk.sessions.begin(desk.tenant_id) as session:
        payment = lock_payment(session, payment_id)
        book_refund(session, payment, found, base_url=desk.base_url, now=now)


def _refused(refund: Refund, now: datetime) -> GatewayRefund:
    """A refusal, as the refund that failed which it is for us."""
    return GatewayRefund(
        id=f"refused:{refund.id}",
        status="failed",
        amount=refund.amount,
        currency=refund.currency,
        created=now,
        metadata={"refund_id": str(refund.id)},
    )


def _locked(session: TenantSession, payment_id: UUID) -> Payment:
    query = select(Payment).where(Payment.id == payment_id).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("payment")
    return found


def _require_allocation(session: TenantSession, payment: Payment, invoice_id: UUID) -> None:
    named = select(PaymentAllocation.payment_id).where(
        PaymentAllocation.payment_id == payment.id, PaymentAllocation.invoice_id == invoice_id
    )
    if session.scalar(named) is None:
        raise invalid("invoice_id", "unknown_choice")


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if not reason:
        raise invalid("reason", "required")
    if len(reason) > REASON_LENGTH:
        raise invalid("reason", "too_long", limit=REASON_LENGTH)
    if has_forbidden_characters(reason):
        raise invalid("reason", "characters_forbidden")
    return reason


def get_refund(session: TenantSession, refund_id: UUID, *, actor: Actor) -> Refund:
    """A refund, for the team. Raises Forbidden and NotFound."""
    require(actor, Permission.REFUNDS_MANAGE)
    found = session.scalar(select(Refund).where(Refund.id == refund_id))
    if found is None:
        raise NotFound("refund")
    return found
