"""One invoice with all that its page, its PDF and its JSON show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, bindparam, func, inspect, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from portal.authz import Actor
from portal.errors import NotFound
from portal.models import Company, Invoice, InvoiceKind, InvoiceLine, LedgerEntry, LedgerKind, NextStep
from portal.models.session import TenantSession, prepare
from portal.services.billing.queries import Sight, sight_of, values_of, visible_by


@dataclass(frozen=True)
class ComingStep:
    """One of the invoice's next steps, as the statement brings it that reads the invoice."""

    kind: str
    at: datetime
    params: dict[str, Any]


_WRITE_OFFS = (LedgerKind.WRITTEN_OFF, LedgerKind.WRITE_OFF_REVERSED)


@dataclass(frozen=True)
class InvoiceDetail:
    """An invoice with its lines, movements, steps to come, and the documents around it.

    Lines and movements are rows to read, which cost half as much as entities.
    """

    invoice: Invoice
    company_name: str
    lines: Sequence[InvoiceLine]
    entries: Sequence[LedgerEntry]
    steps: Sequence[ComingStep]
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
    """The invoice as the actor may see it, else NotFound; customers see no steps of the team. Three statements.

    A credit note, or what is credited, costs one more.
    """
    # Rows are read past the session, which may hold what it has not told the database yet.
    session.flush()
    values = {"invoice": invoice_id}
    found = session.run(_invoice(sight_of(actor)), {**values_of(actor), **values}).first()
    if found is None:
        raise NotFound("invoice")
    invoice, company_name, steps = found
    return InvoiceDetail(
        invoice,
        company_name,
        cast("list[InvoiceLine]", session.read(_LINES, values).all()),
        cast("list[LedgerEntry]", session.read(_ENTRIES, values).all()),
        [ComingStep(kind, datetime.fromisoformat(at), params) for kind, at, params in steps or ()],
        _related(session, invoice),
    )


@cache
def _invoice(sight: Sight) -> Select[Any]:
    return prepare(
        select(Invoice, Company.name, _steps(staff=sight == "all"))
        .join(Company, (Company.tenant_id == Invoice.tenant_id) & (Company.id == Invoice.customer_id))
        .where(Invoice.id == bindparam("invoice"), visible_by(sight))
    )


def _steps(*, staff: bool) -> Any:
    """The steps of the invoice of an outer statement, soonest first, as one JSON value."""
    step = func.jsonb_build_array(NextStep.kind, NextStep.at, NextStep.params)
    query = select(func.jsonb_agg(aggregate_order_by(step, NextStep.at, NextStep.key))).where(
        NextStep.tenant_id == Invoice.tenant_id, NextStep.record_id == Invoice.id
    )
    return (query if staff else query.where(NextStep.staff_only.is_(False))).correlate(Invoice).scalar_subquery()


def _columns(entity: type[Any]) -> list[Any]:
    return [getattr(entity, attribute.key) for attribute in inspect(entity).column_attrs]


_LINES = prepare(
    select(*_columns(InvoiceLine)).where(InvoiceLine.invoice_id == bindparam("invoice")).order_by(InvoiceLine.position)
)
_ENTRIES = prepare(
    select(*_columns(LedgerEntry))
    .where(LedgerEntry.invoice_id == bindparam("invoice"))
    .order_by(LedgerEntry.at, LedgerEntry.seq)
)


def _related(session: TenantSession, invoice: Invoice) -> Sequence[Invoice]:
    """Credit notes over it, or what it is a credit note over; asked for only where there can be any."""
    if invoice.kind is InvoiceKind.CREDIT_NOTE:
        return session.scalars(select(Invoice).where(Invoice.id == invoice.credits_id)).all()
    if not invoice.credited:
        return []
    query = select(Invoice).where(Invoice.credits_id == invoice.id)
    return session.scalars(query.order_by(Invoice.issued_on, Invoice.number)).all()
