"""Open invoices one by one, the oldest due first: of a customer, and all of them as rows to hand out.

Ages count in days of the tenant since the due day. Only unpaid invoices are read, which their index by status holds
together, and every read is bounded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, func, literal_column, select, true, tuple_

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.events import audit
from portal.models import UNPAID_SQL, Company, Invoice, InvoiceKind, InvoiceStatus, NextStep
from portal.models.session import TenantSession, TenantSessions
from portal.services.billing.issuing import tenant_today

BUCKETS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_over_90")
ENDS = (30, 60, 90)
INVOICES_SHOWN = 200
PAGE = 500
MOST_ROWS = 50_000
OWED = Invoice.total - Invoice.paid - Invoice.credited

_COLUMNS: tuple[Any, ...] = (
    Invoice.id,
    func.coalesce(Invoice.number, ""),
    Invoice.customer_id,
    Company.name,
    Company.customer_number,
    Invoice.status,
    Invoice.currency,
    Invoice.issued_on,
    Invoice.due_on,
    Invoice.total,
    OWED,
    Invoice.failure,
)
# Where the due day stands, and how many columns come before the days that are counted from it.
_DUE, _FACTS = 8, 11


@dataclass(frozen=True)
class ReceivablesFilter:
    """What narrows the board; both have to fit."""

    customer_id: UUID | None = None
    currency: str | None = None


@dataclass(frozen=True)
class OpenInvoice:
    """One open invoice with its age: days since its due day, zero and below while it is not due."""

    id: UUID
    number: str
    customer_id: UUID
    company_name: str
    customer_number: str
    status: InvoiceStatus
    currency: str
    issued_on: date
    due_on: date | None
    total: int
    outstanding: int
    days_late: int
    failure: str | None
    next_kind: str | None
    next_at: datetime | None

    @property
    def bucket(self) -> str:
        """The name of its age."""
        return bucket_of(self.days_late)


def bucket_of(days_late: int) -> str:
    """The name of an age in days."""
    if days_late <= 0:
        return BUCKETS[0]
    return next((name for name, end in zip(BUCKETS[1:], ENDS, strict=False) if days_late <= end), BUCKETS[-1])


def is_unpaid() -> ColumnElement[bool]:
    """Owed, in the words of the partial index that answers who owes what."""
    return literal_column(UNPAID_SQL, Boolean)


def is_open(wanted: ReceivablesFilter) -> list[ColumnElement[bool]]:
    """The invoices that somebody still has to pay, narrowed."""
    conditions: list[ColumnElement[bool]] = [is_unpaid(), Invoice.kind != InvoiceKind.CREDIT_NOTE]
    if wanted.customer_id is not None:
        conditions.append(Invoice.customer_id == wanted.customer_id)
    if wanted.currency is not None:
        conditions.append(Invoice.currency == wanted.currency)
    return conditions


def read_customer(
    session: TenantSession, customer_id: UUID, *, currency: str | None = None, actor: Actor, now: datetime
) -> tuple[Company, Sequence[OpenInvoice]]:
    """A customer with its open invoices, the oldest first, 200 at most. Raises Forbidden and NotFound."""
    require(actor, Permission.BILLING_READ)
    company = session.scalar(select(Company).where(Company.id == customer_id))
    if company is None:
        raise NotFound("company")
    wanted = ReceivablesFilter(customer_id, currency)
    return company, _invoices(session, wanted, tenant_today(session, now), None, INVOICES_SHOWN)


def begin_export(session: TenantSession, wanted: ReceivablesFilter, *, actor: Actor, now: datetime) -> date:
    """Note that somebody exports the receivables, and say as of which day. Raises Forbidden.

    The caller commits before the first row leaves.
    """
    require(actor, Permission.BILLING_READ)
    told = {"company": wanted.customer_id, "currency": wanted.currency}
    after = {name: str(value) for name, value in told.items() if value}
    audit(session, "receivables.exported", "receivables", None, actor=actor, now=now, after=after)
    return tenant_today(session, now)


def read_export(
    sessions: TenantSessions, wanted: ReceivablesFilter, today: date, *, actor: Actor
) -> Iterator[Sequence[OpenInvoice]]:
    """Every open invoice by pages, 50,000 at most; each page is a short transaction of its own."""
    after: OpenInvoice | None = None
    for _ in range(MOST_ROWS // PAGE):
        with sessions.begin(actor.tenant_id) as session:
            rows = _invoices(session, wanted, today, after, PAGE)
        yield rows
        if len(rows) < PAGE:
            return
        after = rows[-1]


def _invoices(
    session: TenantSession, wanted: ReceivablesFilter, today: date, after: OpenInvoice | None, limit: int
) -> list[OpenInvoice]:
    """Open invoices, the oldest due first; invoices without a due day come last."""
    due = func.coalesce(Invoice.due_on, date.max)
    step = (
        select(NextStep.kind, NextStep.at)
        .where(NextStep.tenant_id == Invoice.tenant_id, NextStep.record_id == Invoice.id)
        .order_by(NextStep.at)
        .limit(1)
        .lateral()
    )
    query = (
        select(*_COLUMNS, step.c.kind, step.c.at)
        .join(Company, (Company.tenant_id == Invoice.tenant_id) & (Company.id == Invoice.customer_id))
        .outerjoin(step, true())
        .where(*is_open(wanted))
        .order_by(due, Invoice.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(due, Invoice.id) > tuple_(after.due_on or date.max, after.id))
    return [_open_invoice(tuple(row), today) for row in session.execute(query)]


def _open_invoice(row: tuple[Any, ...], today: date) -> OpenInvoice:
    due_on = row[_DUE]
    late = (today - due_on).days if due_on else 0
    values: list[Any] = [*row[:_FACTS], late, *row[_FACTS:]]
    return OpenInvoice(*values)
