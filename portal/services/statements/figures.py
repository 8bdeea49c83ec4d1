"""What a statement says: sums and lines of the ledger up to a moment, and an invoice's taxes as they were booked.

Everything is read from rows that are never changed, and cut by when they were booked, so that reading once more
gives the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, cast, func, select, text
from sqlalchemy import Uuid as UuidType

from portal.models import Invoice, LedgerEntry, LedgerKind, Payment, Statement
from portal.models.session import TenantSession

PAGE = 1_000
# A row's time of booking is when its transaction began, and it is seen once that has ended. Transactions that
# are idle end by themselves after half a minute (`engine_options`).
_STILL_OPEN = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user "
    "AND pid <> pg_backend_pid() AND xact_start <= :as_of"
)


class BooksStillOpen(Exception):
    """A transaction that began before the statement's moment may still book something; a moment later it cannot."""


@dataclass(frozen=True)
class Balance:
    """A currency's part of a statement, minor units; `sums` are what each kind of movement adds, in its order."""

    currency: str
    opening: int
    closing: int
    lines: int
    sums: tuple[tuple[LedgerKind, int], ...]


@dataclass(frozen=True)
class Line:
    """A movement; `amount` is what it adds to what is owed, `balance` what is owed after it."""

    at: datetime
    kind: LedgerKind
    document: str
    payment: str
    amount: int
    balance: int
    currency: str


@dataclass(frozen=True)
class TaxSum:
    """All that was billed at one rate, less what was credited or voided; minor units."""

    currency: str
    name: str
    rate: Decimal
    net: int
    tax: int


def require_closed_books(session: TenantSession, as_of: datetime) -> None:
    """Raise BooksStillOpen while a row may still appear that was booked at or before this moment."""
    if session.connection().execute(_STILL_OPEN, {"as_of": as_of}).scalar():
        raise BooksStillOpen


def read_balances(session: TenantSession, statement: Statement) -> list[Balance]:
    """Opening and closing balance and the sums of each kind, by currency."""
    first, _ = _edges(statement)
    within = LedgerEntry.at >= first
    rows = session.execute(
        select(
            LedgerEntry.currency,
            LedgerEntry.kind,
            func.coalesce(func.sum(LedgerEntry.amount).filter(~within), 0),
            func.coalesce(func.sum(LedgerEntry.amount).filter(within), 0),
            func.count().filter(within),
        )
        .where(*_booked(statement))
        .group_by(LedgerEntry.currency, LedgerEntry.kind)
    )
    found: dict[str, list[tuple[LedgerKind, int, int, int]]] = {}
    for currency, kind, before, inside, count in rows:
        found.setdefault(currency, []).append((kind, int(before), int(inside), count))
    return [_balance(currency, parts) for currency, parts in sorted(found.items())]


def stream_lines(session: TenantSession, statement: Statement, balances: Sequence[Balance]) -> Iterator[Line]:
    """The movements by currency, then in the order in which they happened, a page at a time from the server."""
    running = {one.currency: one.opening for one in balances}
    query = _lines(statement).execution_options(yield_per=PAGE)
    for at, kind, amount, currency, document, payment in session.execute(query):
        running[currency] += amount
        yield Line(at, kind, document or "", payment or "", amount, running[currency], currency)


def read_taxes(session: TenantSession, statement: Statement) -> list[TaxSum]:
    """What was billed at each rate of tax in the span: invoices, less voided ones and credit notes."""
    first, _ = _edges(statement)
    # The key of a credit names its note; all else names the invoice itself.
    note = cast(func.split_part(LedgerEntry.key, ":", 2), UuidType)
    by_note = LedgerEntry.key.regexp_match("^credited:[0-9a-f-]{36}$")
    document = case((by_note, note), else_=LedgerEntry.invoice_id)
    sums: dict[tuple[str, str, Decimal], tuple[int, int]] = {}
    rows = session.execute(
        select(LedgerEntry.kind, Invoice.currency, Invoice.taxes)
        .join(Invoice, Invoice.id == document)
        .where(
            *_booked(statement),
            LedgerEntry.at >= first,
            LedgerEntry.kind.in_([LedgerKind.INVOICED, LedgerKind.VOIDED, LedgerKind.CREDITED]),
        )
        .execution_options(yield_per=PAGE)
    )
    for kind, currency, taxes in rows:
        sign = 1 if kind is LedgerKind.INVOICED else -1
        for share in taxes:
            key = (currency, str(share["name"]), Decimal(share["rate"]))
            net, tax = sums.get(key, (0, 0))
            sums[key] = (net + sign * share["net"], tax + sign * share["tax"])
    return [TaxSum(*key, net, tax) for key, (net, tax) in sorted(sums.items())]


def _balance(currency: str, parts: list[tuple[LedgerKind, int, int, int]]) -> Balance:
    opening = sum(before for _, before, _, _ in parts)
    inside = {kind: amount for kind, _, amount, count in parts if count}
    return Balance(
        currency=currency,
        opening=opening,
        closing=opening + sum(inside.values()),
        lines=sum(count for _, _, _, count in parts),
        sums=tuple((kind, inside[kind]) for kind in LedgerKind if kind in inside),
    )


def _lines(statement: Statement) -> Select[*tuple[Any, ...]]:
    first, _ = _edges(statement)
    return (
        select(
            LedgerEntry.at, LedgerEntry.kind, LedgerEntry.amount, LedgerEntry.currency, Invoice.number, Payment.number
        )
        .outerjoin(Invoice, Invoice.id == LedgerEntry.invoice_id)
        .outerjoin(Payment, Payment.id == LedgerEntry.payment_id)
        .where(*_booked(statement), LedgerEntry.at >= first)
        .order_by(LedgerEntry.currency, LedgerEntry.at, LedgerEntry.seq)
    )


def _booked(statement: Statement) -> tuple[ColumnElement[bool], ...]:
    """Everything of the account up to the end of the span, as it was booked at the statement's moment."""
    company: UUID = statement.customer_id
    return (
        LedgerEntry.customer_id == company,
        LedgerEntry.at < _edges(statement)[1],
        LedgerEntry.booked_at <= statement.as_of,
    )


def _edges(statement: Statement) -> tuple[datetime, datetime]:
    zone = ZoneInfo(statement.zone)
    after = statement.end_on + timedelta(days=1)
    return datetime.combine(statement.start_on, time(), zone), datetime.combine(after, time(), zone)
