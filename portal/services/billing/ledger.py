"""The ledger of what companies owe: one row for each movement, added and never changed."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import func, select

from portal.models import Invoice, LedgerEntry, LedgerKind
from portal.models.session import TenantSession


def book(session: TenantSession, invoice: Invoice, kind: LedgerKind, amount: int, *, key: str, now: datetime) -> None:
    """Add a movement of an invoice; `amount` (minor units) is what it adds to what is owed.

    The key names the cause: the same cause twice is refused by the database.
    """
    session.add(
        LedgerEntry(
            id=uuid4(),
            tenant_id=session.tenant_id,
            customer_id=invoice.customer_id,
            invoice_id=invoice.id,
            kind=kind,
            amount=amount,
            currency=invoice.currency,
            key=key,
            at=now,
        )
    )


def book_credit(session: TenantSession, invoice: Invoice, amount: int, *, key: str, now: datetime) -> None:
    """Move what was paid too much for an invoice to its company, which may use it for others."""
    book(session, invoice, LedgerKind.RESTORED, amount, key=f"{key}:taken", now=now)
    session.add(
        LedgerEntry(
            id=uuid4(),
            tenant_id=session.tenant_id,
            customer_id=invoice.customer_id,
            invoice_id=None,
            kind=LedgerKind.CREDIT_ADDED,
            amount=-amount,
            currency=invoice.currency,
            key=f"{key}:added",
            at=now,
        )
    )


def owed_by_ledger(session: TenantSession, invoice: Invoice) -> int:
    """What the ledger says is still owed of an invoice, in minor units; equal to `invoice.outstanding`."""
    total = select(func.coalesce(func.sum(LedgerEntry.amount), 0)).where(LedgerEntry.invoice_id == invoice.id)
    return int(session.scalar(total) or 0)
