"""What each line of an invoice comes to with its tax, so that the parts add up to the invoice's total."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from portal.lib.money import allocate, round_half_up
from portal.models import Invoice, InvoiceLine
from portal.models.session import TenantSession


def lines_of(session: TenantSession, invoice: Invoice) -> list[InvoiceLine]:
    """The invoice's lines in their order."""
    query = select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id).order_by(InvoiceLine.position)
    return list(session.scalars(query))


def share_total(invoice: Invoice, lines: Sequence[InvoiceLine]) -> dict[UUID, int]:
    """Line -> its part of the total in minor units, tax included.

    Tax is rounded for the document as a whole (`TaxRounding`), so a line's own figure may be a unit beside it; what
    lines below zero take off is spread over the others, since nobody objects to a discount.
    """
    weights = [max(0, line.total + round_half_up(line.total * line.tax_rate / 100)) for line in lines]
    if not any(weights):
        return {line.id: 0 for line in lines}
    return dict(zip((line.id for line in lines), allocate(invoice.total, weights), strict=True))


def spread(amount: int, shares: Sequence[tuple[UUID, int]]) -> dict[UUID, int]:
    """Minor units spread over lines by their weights; lines that get nothing are left out."""
    parts = allocate(amount, [share for _, share in shares])
    return {line_id: part for (line_id, _), part in zip(shares, parts, strict=True) if part}
