"""Who owes what, and for how long: open invoices by age, what failed of them, and what comes next by itself.

Ages count in days of the tenant since the due day. Every read is of unpaid invoices alone, which their index by
status holds together, and is bounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Select,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from portal.authz import Actor, Permission, require
from portal.lib.money import EXPONENTS
from portal.models import (
    AutoPay,
    AutoPayAttempt,
    AutoPayState,
    Company,
    Invoice,
    InvoiceStatus,
    NextStep,
    ScheduledPayment,
    ScheduleStatus,
    Tenant,
)
from portal.models.session import TenantSession, prepare
from portal.services.billing.open_items import ENDS, OWED, ReceivablesFilter, is_open, is_unpaid
from portal.services.billing.plan import StepKind

SHOWN = 50
FAILED_SHOWN = 20
_FAILED: tuple[Any, ...] = (
    Invoice.id,
    func.coalesce(Invoice.number, ""),
    Invoice.customer_id,
    Company.name,
    OWED,
    Invoice.currency,
    AutoPayAttempt.state,
    AutoPayAttempt.attempts,
    AutoPayAttempt.code,
    AutoPayAttempt.next_at,
)
# What auto-pay charges (`services/payments/auto_pay.py`): nothing that waits for a day of its own, of what is
# disputed in part the rest.
_CHARGED = and_(
    Invoice.status.in_((InvoiceStatus.OPEN, InvoiceStatus.OVERDUE, InvoiceStatus.FAILED, InvoiceStatus.DISPUTED)),
    Invoice.total - Invoice.paid - Invoice.credited - Invoice.disputed > 0,
    Invoice.reserved == 0,
    ~exists().where(ScheduledPayment.invoice_id == Invoice.id, ScheduledPayment.status == ScheduleStatus.PLANNED),
)


@dataclass(frozen=True)
class Ageing:
    """Sums of minor units in one currency by age, in the order of BUCKETS."""

    currency: str
    buckets: tuple[int, ...]
    count: int

    @property
    def total(self) -> int:
        """All that is owed."""
        return sum(self.buckets)

    @property
    def overdue(self) -> int:
        """What is late."""
        return sum(self.buckets[1:])


@dataclass(frozen=True)
class Upcoming:
    """What comes next of one customer's invoices; None where nothing does."""

    reminder_at: datetime | None = None
    charge_at: datetime | None = None


@dataclass(frozen=True)
class CustomerAgeing:
    """A customer's line of the board."""

    customer_id: UUID
    name: str
    ageing: Ageing
    failed: int
    upcoming: Upcoming


@dataclass(frozen=True)
class FailedCharge:
    """An invoice that auto-pay could not charge: why, and when it is tried again (None: it is not)."""

    invoice_id: UUID
    number: str
    customer_id: UUID
    company_name: str
    outstanding: int
    currency: str
    state: AutoPayState
    attempts: int
    code: str | None
    next_at: datetime | None


@dataclass(frozen=True)
class Board:
    """The whole page: totals by currency, customers by what they owe late, and what failed."""

    totals: Sequence[Ageing]
    customers: Sequence[CustomerAgeing]
    more: bool
    failed: Sequence[FailedCharge]


def read_board(
    session: TenantSession, wanted: ReceivablesFilter, *, actor: Actor, now: datetime, shown: int = SHOWN
) -> Board:
    """The board with so many customers, in four statements however many invoices there are. Raises Forbidden."""
    require(actor, Permission.BILLING_READ)
    zone = session.scalars(select(Tenant.timezone).where(Tenant.id == session.tenant_id)).one()
    today = now.astimezone(ZoneInfo(zone)).date()
    found = _read_ages(session, wanted, [today - timedelta(days=end) for end in (0, *ENDS)], shown + 1)
    totals = [row for row in found if row[0] is None]
    rows = found[len(totals) :][: shown + 1]
    upcoming = _upcoming(session, {row[0] for row in rows[:shown]}, zone)
    customers = [
        CustomerAgeing(id_, name, _ageing(currency, count, parts), failed, upcoming.get((id_, currency), Upcoming()))
        for id_, name, currency, count, failed, *parts in rows[:shown]
    ]
    return Board(
        [_ageing(currency, count, parts) for _, _, currency, count, _, *parts in totals],
        customers,
        len(rows) > shown,
        _failed(session, wanted),
    )


def _read_ages(session: TenantSession, wanted: ReceivablesFilter, days: list[date], customers: int) -> Sequence[Any]:
    rows = len(EXPONENTS) + customers
    if wanted != ReceivablesFilter():
        return session.execute(_ages(wanted, days).limit(rows)).all()
    return session.read(_all_ages(), {**{f"day_{at}": day for at, day in enumerate(days)}, "rows": rows}).all()


@cache
def _all_ages() -> Select[*tuple[Any, ...]]:
    """The same of everybody, built once: building it takes longer than running it."""
    days = [bindparam(f"day_{at}", type_=Date()) for at in range(len(ENDS) + 1)]
    return prepare(_ages(ReceivablesFilter(), days).limit(bindparam("rows", type_=Integer())))


def _ages(wanted: ReceivablesFilter, days: Sequence[Any]) -> Select[*tuple[Any, ...]]:
    """The totals by currency, then the customers by what they owe late: of one reading of the invoices.

    `days` are today and where each age ends.
    """
    late = func.coalesce(func.sum(OWED).filter(Invoice.due_on < days[0]), 0)
    is_total = func.grouping(Invoice.customer_id)
    customer = tuple_(Invoice.customer_id, Company.name, Invoice.currency)
    late_first = case((is_total == 0, late))
    return (
        select(
            Invoice.customer_id,
            Company.name,
            Invoice.currency,
            func.count(),
            func.count().filter(Invoice.failure.is_not(None)),
            *_sums(days),
        )
        .join(Company, (Company.tenant_id == Invoice.tenant_id) & (Company.id == Invoice.customer_id))
        .where(*is_open(wanted))
        .group_by(func.grouping_sets(tuple_(Invoice.currency), customer))
        .order_by(is_total.desc(), late_first.desc(), func.sum(OWED).desc(), Company.name, Invoice.customer_id)
    )


def _sums(days: Sequence[Any]) -> list[Any]:
    """What is owed in each age, in the order of BUCKETS."""
    ages: list[ColumnElement[bool]] = [or_(Invoice.due_on.is_(None), Invoice.due_on >= days[0])]
    ages += [and_(Invoice.due_on < later, Invoice.due_on >= earlier) for later, earlier in pairwise(days)]
    ages.append(Invoice.due_on < days[-1])
    return [func.coalesce(func.sum(OWED).filter(age), 0) for age in ages]


def _ageing(currency: str, count: int, parts: Sequence[Any]) -> Ageing:
    return Ageing(currency, tuple(int(part) for part in parts), count)


def _upcoming(session: TenantSession, customers: set[UUID], zone: str) -> dict[tuple[UUID, str], Upcoming]:
    """The next reminder and the next automatic charge of each customer and currency, in one statement.

    Auto-pay charges first as the due day begins where the tenant is, then when a failed charge is tried again.
    """
    if not customers:
        return {}
    rows = session.read(_next_of_customers(), {"zone": zone, "customers": list(customers)})
    return {(id_, currency): Upcoming(reminder, charge) for id_, currency, reminder, charge in rows}


@cache
def _next_of_customers() -> Select[*tuple[Any, ...]]:
    due = func.timezone(bindparam("zone", type_=String()), cast(Invoice.due_on, DateTime()))
    planned = AutoPayAttempt.state.is_(None) | (AutoPayAttempt.state == AutoPayState.WAITING)
    charged = and_(AutoPay.enabled, planned, _CHARGED)
    return prepare(
        select(
            Invoice.customer_id,
            Invoice.currency,
            func.min(NextStep.at).filter(NextStep.kind == StepKind.REMINDER.value),
            func.min(func.coalesce(AutoPayAttempt.next_at, due)).filter(charged),
        )
        .outerjoin(NextStep, (NextStep.tenant_id == Invoice.tenant_id) & (NextStep.record_id == Invoice.id))
        .outerjoin(
            AutoPayAttempt,
            (AutoPayAttempt.tenant_id == Invoice.tenant_id) & (AutoPayAttempt.invoice_id == Invoice.id),
        )
        .outerjoin(AutoPay, (AutoPay.tenant_id == Invoice.tenant_id) & (AutoPay.customer_id == Invoice.customer_id))
        .where(is_unpaid(), Invoice.customer_id == any_(bindparam("customers", type_=ARRAY(Uuid()))))
        .group_by(Invoice.customer_id, Invoice.currency)
    )


def _failed(session: TenantSession, wanted: ReceivablesFilter) -> list[FailedCharge]:
    """The newest automatic payments that failed, of invoices that are still owed."""
    stopped = AutoPayAttempt.state.in_([AutoPayState.STOPPED, AutoPayState.NEEDS_CUSTOMER])
    again = and_(AutoPayAttempt.state == AutoPayState.WAITING, AutoPayAttempt.attempts > 0)
    rows = session.execute(
        select(*_FAILED)
        .join(AutoPayAttempt, AutoPayAttempt.invoice_id == Invoice.id)
        .join(Company, (Company.tenant_id == Invoice.tenant_id) & (Company.id == Invoice.customer_id))
        .where(*is_open(wanted), stopped | again)
        .order_by(AutoPayAttempt.updated_at.desc(), Invoice.id)
        .limit(FAILED_SHOWN)
    )
    return [FailedCharge(*row) for row in rows]
