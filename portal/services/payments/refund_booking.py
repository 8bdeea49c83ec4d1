"""Booking refunds from what the gateway says of them, whoever made them: we, or somebody in its dashboard (BIL-13)."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy import select

from portal.authz import system_actor
from portal.events import publish
from portal.events.payments import PaymentRefunded, RefundFailed
from portal.integrations.payments import GatewayRefund
from portal.models import Payment, Refund, RefundStatus
from portal.models.session import TenantSession
from portal.services.payments import telling
from portal.services.payments.balances import Cause, give_back, restore

log = structlog.get_logger()
# Banks show a refund after five to ten working days (the gateway's own documentation).
EXPECTED_AFTER = timedelta(days=10)
_BOOKED = frozenset({RefundStatus.PENDING, RefundStatus.SUCCEEDED})
_STATUS = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
ELSEWHERE = "made at the payment provider"


def book_refund(
    session: TenantSession, payment: Payment, found: GatewayRefund, *, base_url: str, now: datetime
) -> Refund:
    """Write one refund of a payment whose row is locked; repeats write nothing.

    What is on its way counts as gone; where it fails it is taken back. Refunds made elsewhere take the invoice that
    was due last first, and the team is told.
    """
    status = _STATUS.get(found.status, RefundStatus.PENDING)
    refund = _row(session, payment, found, now)
    refund.gateway_id = found.id
    was = refund.status
    if status is was or was is RefundStatus.FAILED:
        return refund
    cause = Cause(system_actor(session.tenant_id), now)
    refund.status, refund.updated_at = status, now
    refund.expected_at = refund.expected_at or found.created + EXPECTED_AFTER
    session.flush()
    about = (payment.id, payment.customer_id, refund.amount, refund.currency)
    if status in _BOOKED and was not in _BOOKED:
        give_back(session, payment, refund.amount, cause, refund_id=refund.id, invoice_id=refund.invoice_id)
        payment.refunded += refund.amount
        publish(session, PaymentRefunded(*about, refund_id=refund.id), actor=cause.actor, now=now)
        telling.tell_refunded(session, payment, refund.amount, base_url=base_url, now=now)
    elif status is RefundStatus.FAILED:
        if was in _BOOKED:
            restore(session, payment, refund.id, cause)
            payment.refunded -= refund.amount
        publish(session, RefundFailed(*about, refund_id=refund.id), actor=cause.actor, now=now)
        telling.tell_staff(session, payment, "payment_refund_failed", refund.amount, base_url=base_url, now=now)
    return refund


def _row(session: TenantSession, payment: Payment, found: GatewayRefund, now: datetime) -> Refund:
    refund = session.scalar(select(Refund).where(Refund.gateway_id == found.id))
    if refund is None and (ours := _uuid(found.metadata.get("refund_id"))):
        refund = session.scalar(select(Refund).where(Refund.id == ours, Refund.payment_id == payment.id))
    if refund is None:
        refund = Refund(
            id=uuid4(),
            payment_id=payment.id,
            amount=found.amount,
            currency=payment.currency,
            status=RefundStatus.APPROVED,
            reason=ELSEWHERE,
            key=f"elsewhere:{found.id}",
            created_at=found.created,
            updated_at=now,
        )
        session.add(refund)
    return refund


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
