"""What the actor's companies spend: how invoices stand, and a year by month, service and method (BIL-10).

Credit notes count against what they take back; void invoices count as nothing. Amounts are minor units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, cast, extract, func, select
from sqlalchemy import Date as DateType

from portal.authz import Actor
from portal.models import (
    UNPAID,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceStatus,
    Payment,
    PaymentAllocation,
    PaymentKind,
    PaymentStatus,
)
from portal.models.session import TenantSession
from portal.services.billing.queries import visible_to


@dataclass(frozen=True)
class Standing:
    """Invoices of a year in one state: how many, and their amount (paid: what was paid; else what is owed)."""

    count: int
    amount: int


@dataclass(frozen=True)
class Spending:
    """A year in one currency; twelve months; services and methods, the largest sum first."""

    currency: str
    paid: Standing
    pending: Standing
    overdue: Standing
    days_to_pay: float | None
    months: tuple[int, ...]
    services: tuple[tuple[str, int], ...]
    methods: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """Everything billed in the year, taxes included."""
        return sum(self.months)


def read_spending(session: TenantSession, year: int, *, zone: str, actor: Actor, now: datetime) -> list[Spending]:
    """The year's spending by currency, the largest first; Forbidden without the right to see invoices."""
    issued = [*_issued_in(year), visible_to(actor)]
    standings = _standings(session, issued, zone, now)
    months = _months(session, issued)
    services = _services(session, issued)
    methods = _methods(session, year, zone, actor)
    found = [
        Spending(
            currency=currency,
            paid=paid,
            pending=pending,
            overdue=overdue,
            days_to_pay=days,
            months=tuple(months.get((currency, month), 0) for month in range(1, 13)),
            services=_largest(services, currency),
            methods=_largest(methods, currency),
        )
        for currency, paid, pending, overdue, days in standings
    ]
    return sorted(found, key=lambda one: (-one.total, one.currency))


def _issued_in(year: int) -> list[ColumnElement[bool]]:
    return [
        Invoice.issued_on >= date(year, 1, 1),
        Invoice.issued_on <= date(year, 12, 31),
        Invoice.status.not_in([InvoiceStatus.DRAFT, InvoiceStatus.VOID]),
    ]


def _sign() -> ColumnElement[int]:
    return case((Invoice.kind == InvoiceKind.CREDIT_NOTE, -1), else_=1)


def _standings(
    session: TenantSession, issued: Sequence[ColumnElement[bool]], zone: str, now: datetime
) -> Sequence[Any]:
    demand = Invoice.kind != InvoiceKind.CREDIT_NOTE
    unpaid = demand & Invoice.status.in_(UNPAID)
    late = unpaid & (
        (Invoice.status == InvoiceStatus.OVERDUE) | ((Invoice.due_at <= now) & Invoice.plan_due_at.is_(None))
    )
    paid = demand & (Invoice.status == InvoiceStatus.PAID) & (Invoice.paid > 0)
    owed = Invoice.total - Invoice.paid - Invoice.credited
    days = cast(func.timezone(zone, Invoice.paid_at), DateType) - Invoice.issued_on
    rows = session.execute(
        select(
            Invoice.currency,
            func.count().filter(paid),
            # What was paid of one that is still owed was paid, too.
            func.coalesce(func.sum(Invoice.paid).filter(demand), 0),
            func.count().filter(unpaid & ~late),
            func.coalesce(func.sum(owed).filter(unpaid & ~late), 0),
            func.count().filter(late),
            func.coalesce(func.sum(owed).filter(late), 0),
            func.avg(days).filter(paid & Invoice.paid_at.is_not(None)),
        )
        .where(*issued)
        .group_by(Invoice.currency)
    )
    return [
        (
            currency,
            Standing(paid_count, int(paid_sum)),
            Standing(pending_count, int(pending_sum)),
            Standing(late_count, int(late_sum)),
            None if average is None else float(average),
        )
        for currency, paid_count, paid_sum, pending_count, pending_sum, late_count, late_sum, average in rows
    ]


def _months(session: TenantSession, issued: Sequence[ColumnElement[bool]]) -> dict[tuple[str, int], int]:
    month = extract("month", Invoice.issued_on)
    rows = session.execute(
        select(Invoice.currency, month, func.sum(Invoice.total * _sign()))
        .where(*issued)
        .group_by(Invoice.currency, month)
    )
    return {(currency, int(number)): int(amount) for currency, number, amount in rows}


def _services(session: TenantSession, issued: Sequence[ColumnElement[bool]]) -> dict[tuple[str, str], int]:
    """Net amounts by service type; lines without one are together."""
    rows = session.execute(
        select(Invoice.currency, InvoiceLine.service_type, func.sum(InvoiceLine.total * _sign()))
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .where(*issued)
        .group_by(Invoice.currency, InvoiceLine.service_type)
    )
    return {(currency, service): int(amount) for currency, service, amount in rows}


def _methods(session: TenantSession, year: int, zone: str, actor: Actor) -> dict[tuple[str, str], int]:
    """What arrived in the year by each kind of method, less what went back."""
    place = ZoneInfo(zone)
    kind = func.coalesce(Payment.method["kind"].astext, Payment.kind)
    visible = select(PaymentAllocation.payment_id).join(Invoice, Invoice.id == PaymentAllocation.invoice_id)
    rows = session.execute(
        select(Payment.currency, kind, func.sum(Payment.amount - Payment.refunded))
        .where(
            Payment.status == PaymentStatus.SUCCEEDED,
            # Credit arrived with the payment that it came of.
            Payment.kind != PaymentKind.CREDIT,
            Payment.succeeded_at >= datetime.combine(date(year, 1, 1), time(), place),
            Payment.succeeded_at < datetime.combine(date(year + 1, 1, 1), time(), place),
            Payment.id.in_(visible.where(visible_to(actor))),
        )
        .group_by(Payment.currency, kind)
    )
    return {(currency, name): int(amount) for currency, name, amount in rows}


def _largest(sums: dict[tuple[str, str], int], currency: str) -> tuple[tuple[str, int], ...]:
    mine = [(name, amount) for (found, name), amount in sums.items() if found == currency]
    return tuple(sorted(mine, key=lambda pair: (-pair[1], pair[0])))
