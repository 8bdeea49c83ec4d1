"""One invoice with all that its page, its PDF and its JSON show."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor
from portal.errors import NotFound
from portal.models import Company, Invoice, InvoiceKind, InvoiceLine, LedgerEntry, LedgerKind, NextStep
from portal.models.session import TenantSession
from portal.services.billing.queries import visible_to

_WRITE_OFFS = (LedgerKind.WRITTEN_OFF, LedgerKind.WRITE_OFF_REVERSED)


@dataclass(frozen=True)
class InvoiceDetail:
    """An invoice with its lines, movements, steps to come, and the documents around it."""

    invoice: Invoice
    company_name: str
    lines: Sequence[InvoiceLine]
    entries: Sequence[LedgerEntry]
    steps: Sequence[NextStep]
    related: Sequence[Invoice]

    @property
    def number(self) -> str:
        """Its number; a draft has none."""
        return self.invoice.number or ""

    @property
    def written_off(self) -> int:
        """What was given up of it and not taken back, in minor units; a part of what is credited."""
        return -sum(entry.amount for entry in self.entries if entry.kind in _WRITE_OFFS)


def get_invoice_detail(session: TenantSession, invoice_id: UUID, *, actor: Actor) -> InvoiceDetail:
    """The invoice as the actor may see it, else NotFound; customers see no steps of the team."""
    rows = session.execute(
        select(Invoice, Company.name, InvoiceLine)
        .join(Company, (Company.tenant_id == Invoice.tenant_id) & (Company.id == Invoice.customer_id))
        .outerjoin(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .where(Invoice.id == invoice_id, visible_to(actor))
        .order_by(InvoiceLine.position)
    ).all()
    if not rows:
        raise NotFound("invoice")
    invoice, company_name, _ = rows[0]
    lines = [line for _, _, line in rows if line is not None]
    entries = session.scalars(
        select(LedgerEntry).where(LedgerEntry.invoice_id == invoice.id).order_by(LedgerEntry.at, LedgerEntry.seq)
    ).all()
    steps = session.scalars(
        select(NextStep).where(NextStep.record_id == invoice.id).order_by(NextStep.at, NextStep.key)
    ).all()
    if not actor.is_staff:
        steps = [step for step in steps if not step.staff_only]
    return InvoiceDetail(invoice, company_name, lines, entries, steps, _related(session, invoice))


def _related(session: TenantSession, invoice: Invoice) -> Sequence[Invoice]:
    """Credit notes over it, or what it is a credit note over; asked for only where there can be any."""
    if invoice.kind is InvoiceKind.CREDIT_NOTE:
        return session.scalars(select(Invoice).where(Invoice.id == invoice.credits_id)).all()
    if not invoice.credited:
        return []
    query = select(Invoice).where(Invoice.credits_id == invoice.id)
    return session.scalars(query.order_by(Invoice.issued_on, Invoice.number)).all()
