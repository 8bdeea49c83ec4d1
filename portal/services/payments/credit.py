"""What a company has to its credit: overpayments and credit notes over what was paid, less what was used or went back.

It is the sum of the company's ledger entries that belong to no invoice; nothing else keeps it, so nothing can differ
from it. Whoever lessens it holds `lock_credit`, after the locks of invoices.
"""

from uuid import UUID

from sqlalchemy import func, select

from portal.models import Company, Invoice, LedgerEntry, Payment, PaymentAllocation, Refund, RefundStatus
from portal.models.session import TenantSession

# Refunds that are asked for and of which nothing is booked yet.
_WAITING = (RefundStatus.REQUESTED, RefundStatus.APPROVED)


def lock_credit(session: TenantSession, company_id: UUID) -> None:
    """Let nobody else lessen the company's credit until the transaction ends.

    The lock lets rows that refer to the company be added, so that it holds nobody up who does not lessen credit.
    """
    session.execute(select(Company.id).where(Company.id == company_id).with_for_update(key_share=True))


def credit_balance(session: TenantSession, company_id: UUID, currency: str) -> int:
    """The credit in minor units; below zero where a bank took back what was used already."""
    session.flush()
    total = select(func.coalesce(func.sum(LedgerEntry.amount), 0)).where(
        LedgerEntry.customer_id == company_id, LedgerEntry.currency == currency, LedgerEntry.invoice_id.is_(None)
    )
    return -int(session.scalar(total) or 0)


def usable_credit(session: TenantSession, company_id: UUID, currency: str, *, besides: UUID | None = None) -> int:
    """What of the credit is free, in minor units: refunds that wait to be sent keep their part.

    `besides` names a payment whose own refunds are not counted.
    """
    balance = credit_balance(session, company_id, currency)
    return max(0, balance - _kept(session, company_id, currency, besides)) if balance > 0 else 0


def held_by_invoices(session: TenantSession, payment_id: UUID) -> int:
    """What of a payment its invoices still have, in minor units; the rest of it is credit, or went back."""
    part = func.least(PaymentAllocation.booked - PaymentAllocation.refunded, Invoice.paid)
    query = (
        select(func.coalesce(func.sum(part), 0))
        .select_from(PaymentAllocation)
        .join(Invoice, Invoice.id == PaymentAllocation.invoice_id)
        .where(PaymentAllocation.payment_id == payment_id)
    )
    return int(session.scalar(query) or 0)


def _kept(session: TenantSession, company_id: UUID, currency: str, besides: UUID | None) -> int:
    rows = session.execute(
        select(Payment.id, func.sum(Refund.amount))
        .join(Refund, Refund.payment_id == Payment.id)
        .where(Payment.customer_id == company_id, Payment.currency == currency, Refund.status.in_(_WAITING))
        .group_by(Payment.id)
    ).all()
    waiting = {payment_id: int(amount) for payment_id, amount in rows if payment_id != besides}
    payments = session.scalars(select(Payment).where(Payment.id.in_(waiting))).all() if waiting else ()
    return sum(min(waiting[one.id], max(0, loose_part(session, one))) for one in payments)


def loose_part(session: TenantSession, payment: Payment) -> int:
    """What of a payment is here and in no invoice, in minor units."""
    return payment.amount - payment.refunded - payment.charged_back - held_by_invoices(session, payment.id)
