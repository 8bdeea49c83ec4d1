"""Which invoices somebody sees: customers those of their companies once they are issued, staff all with the right.

Every lookup goes through here, so that what is foreign is not found.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, select, tuple_

from portal.authz import Actor, Permission, require
from portal.errors import NotFound, invalid
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.lib.text import has_forbidden_characters
from portal.models import Company, Invoice, InvoiceKind, InvoiceStatus
from portal.models.session import TenantSession

SEARCH_LENGTH = 100


@dataclass(frozen=True)
class InvoiceFilter:
    """What a list shows; days are the tenant's, both ends included. Without a status every issued one."""

    status: tuple[InvoiceStatus, ...] = ()
    issued_from: date | None = None
    issued_to: date | None = None
    customer_id: UUID | None = None
    q: str = ""
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True)
class InvoiceRow:
    """A line of a list; amounts in minor units."""

    id: UUID
    number: str
    kind: InvoiceKind
    status: InvoiceStatus
    currency: str
    issued_on: date
    due_on: date | None
    due_at: datetime | None
    plan_due_at: datetime | None
    total: int
    paid: int
    credited: int
    paid_at: datetime | None
    customer_id: UUID
    company_name: str

    @property
    def outstanding(self) -> int:
        """What is still owed."""
        return 0 if self.status is InvoiceStatus.VOID else self.total - self.paid - self.credited

    def status_at(self, now: datetime) -> InvoiceStatus:
        """The state to show: a timer that is late is not seen."""
        owed = self.status is InvoiceStatus.OPEN and self.plan_due_at is None
        late = owed and self.due_at is not None and self.due_at <= now
        return InvoiceStatus.OVERDUE if late else self.status


_COLUMNS: tuple[Any, ...] = (
    Invoice.id,
    Invoice.number,
    Invoice.kind,
    Invoice.status,
    Invoice.currency,
    Invoice.issued_on,
    Invoice.due_on,
    Invoice.due_at,
    Invoice.plan_due_at,
    Invoice.total,
    Invoice.paid,
    Invoice.credited,
    Invoice.paid_at,
    Invoice.customer_id,
    Company.name,
)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The rows that the actor may see; Forbidden without the permission to see any."""
    if actor.is_customer:
        require(actor, Permission.INVOICES_READ)
        own = Invoice.customer_id.in_(actor.company_ids) if actor.company_ids else false()
        return own & (Invoice.status != InvoiceStatus.DRAFT)
    require(actor, Permission.BILLING_READ)
    return Invoice.id.is_not(None)


def get_invoice(session: TenantSession, invoice_id: UUID, *, actor: Actor) -> Invoice:
    """One invoice that the actor sees, else NotFound."""
    found = session.scalar(select(Invoice).where(Invoice.id == invoice_id, visible_to(actor)))
    if found is None:
        raise NotFound("invoice")
    return found


def lock_invoice(session: TenantSession, invoice_id: UUID, *, actor: Actor) -> Invoice:
    """The same, locked until the transaction ends and read anew; whoever changes amounts begins here."""
    found = session.scalar(
        select(Invoice)
        .where(Invoice.id == invoice_id, visible_to(actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("invoice")
    return found


def list_invoices(session: TenantSession, wanted: InvoiceFilter, *, actor: Actor) -> Page[InvoiceRow]:
    """A page of invoices, the newest first. Raises Invalid for a cursor of another list."""
    cursor = decode_cursor(wanted.cursor)
    query = (
        select(*_COLUMNS)
        .join(Company, (Company.tenant_id == Invoice.tenant_id) & (Company.id == Invoice.customer_id))
        .where(visible_to(actor), Invoice.issued_on.is_not(None), *_narrowed(wanted))
    )
    place = tuple_(Invoice.issued_on, Invoice.id)
    if cursor is None or not cursor.backwards:
        query = query.order_by(Invoice.issued_on.desc(), Invoice.id.desc())
    else:
        query = query.order_by(Invoice.issued_on, Invoice.id)
    if cursor is not None:
        edge = tuple_(_day(cursor.value), cursor.id)
        query = query.where(place > edge if cursor.backwards else place < edge)
    rows = [InvoiceRow(*row) for row in session.execute(query.limit(wanted.limit + 1))]
    return paginate(rows, wanted.limit, cursor, lambda row: (row.issued_on.isoformat(), row.id))


def _narrowed(wanted: InvoiceFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status:
        conditions.append(Invoice.status.in_(wanted.status))
    if wanted.issued_from is not None:
        conditions.append(Invoice.issued_on >= wanted.issued_from)
    if wanted.issued_to is not None:
        conditions.append(Invoice.issued_on <= wanted.issued_to)
    if wanted.customer_id is not None:
        conditions.append(Invoice.customer_id == wanted.customer_id)
    if words := " ".join(wanted.q.split())[:SEARCH_LENGTH]:
        if has_forbidden_characters(words):
            return [false()]
        named = Company.name.icontains(words, autoescape=True) | Invoice.number.icontains(words, autoescape=True)
        conditions.append(named)
    return conditions


def _day(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise invalid("cursor", "cursor_invalid") from None
