"""Which invoices somebody sees: customers those of their companies once they are issued, staff all with the right.

Every lookup goes through here, so that what is foreign is not found.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, Uuid, any_, bindparam, false, select, true, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from portal.authz import Actor, Permission, require
from portal.errors import NotFound, invalid
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.lib.text import has_forbidden_characters
from portal.models import Company, Invoice, InvoiceKind, InvoiceStatus
from portal.models.session import TenantSession, prepare

SEARCH_LENGTH = 100
# Which rule of visibility holds, for prepared statements: of most customers there is one company.
Sight = Literal["all", "company", "companies"]


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


def sight_of(actor: Actor) -> Sight:
    """The rule for this actor; Forbidden as `visible_to` raises it."""
    require(actor, Permission.INVOICES_READ if actor.is_customer else Permission.BILLING_READ)
    if not actor.is_customer:
        return "all"
    return "company" if len(actor.company_ids) == 1 else "companies"


def visible_by(sight: Sight) -> ColumnElement[bool]:
    """`visible_to` for prepared statements: whose they are comes by `values_of`."""
    if sight == "all":
        return true()
    return owned_by(Invoice.customer_id, sight) & (Invoice.status != InvoiceStatus.DRAFT)


def owned_by(customer_id: Any, sight: Sight) -> ColumnElement[bool]:
    """Of the actor's companies (of all of the tenant's for the team), for any record's column that says whose it is."""
    if sight == "all":
        return true()
    # One value keeps the order of an index, where a list of them is sorted.
    whose: Any = any_(bindparam("companies", type_=ARRAY(Uuid())))
    if sight == "company":
        whose = bindparam("company")
    own: ColumnElement[bool] = customer_id == whose
    return own


def values_of(actor: Actor) -> dict[str, Any]:
    """The parameters of `visible_by` and `owned_by`."""
    companies = list(actor.company_ids)
    return {"companies": companies, "company": companies[0] if companies else None}


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
    if cursor is None and wanted == InvoiceFilter(status=wanted.status, limit=wanted.limit):
        statement = _first_page(sight_of(actor), tuple(sorted(wanted.status)))
        found = session.read(statement, {**values_of(actor), "rows": wanted.limit + 1})
        rows = [InvoiceRow(*row) for row in found]
        return paginate(rows, wanted.limit, None, _place_of)
    query = _issued().where(visible_to(actor), *_narrowed(wanted))
    place = tuple_(Invoice.issued_on, Invoice.id)
    if cursor is None or not cursor.backwards:
        query = query.order_by(*_NEWEST_FIRST)
    else:
        query = query.order_by(Invoice.issued_on, Invoice.id)
    if cursor is not None:
        edge = tuple_(_day(cursor.value), cursor.id)
        query = query.where(place > edge if cursor.backwards else place < edge)
    rows = [InvoiceRow(*row) for row in session.execute(query.limit(wanted.limit + 1))]
    return paginate(rows, wanted.limit, cursor, _place_of)


_NEWEST_FIRST = (Invoice.issued_on.desc(), Invoice.id.desc())


def _issued() -> Select[Any]:
    joined = (Company.tenant_id == Invoice.tenant_id) & (Company.id == Invoice.customer_id)
    return select(*_COLUMNS).join(Company, joined).where(Invoice.issued_on.is_not(None))


@cache
def _first_page(sight: Sight, status: tuple[InvoiceStatus, ...]) -> Select[Any]:
    """The list without words or days, built once for each kind of reader: building it takes longer than running it."""
    query = _issued().where(visible_by(sight), *_narrowed(InvoiceFilter(status=status)))
    return prepare(query.order_by(*_NEWEST_FIRST).limit(bindparam("rows", type_=Integer())))


def _place_of(row: InvoiceRow) -> tuple[str, UUID]:
    return row.issued_on.isoformat(), row.id


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
