"""How an invoice stands with the payments that were made for it."""

from uuid import UUID

from sqlalchemy import select

from portal.models import Payment, PaymentAllocation
from portal.models.session import TenantSession
from portal.services.payments.queries import PaymentRow, with_details


def last_payment(session: TenantSession, invoice_id: UUID) -> PaymentRow | None:
    """The newest payment of an invoice that was looked up with its reader's rights; None where there is none."""
    found = session.scalar(
        select(Payment)
        .join(PaymentAllocation, PaymentAllocation.payment_id == Payment.id)
        .where(PaymentAllocation.invoice_id == invoice_id)
        .order_by(Payment.created_at.desc(), Payment.id.desc())
        .limit(1)
    )
    return with_details(session, [found])[0] if found else None
