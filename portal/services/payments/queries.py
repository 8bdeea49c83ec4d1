"""Reads of payments and saved methods: whose they are is part of every lookup, so foreign ones are not found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Uuid,
    any_,
    bindparam,
    exists,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.lib.text import has_forbidden_characters
from portal.models import (
    UNPAID,
    Company,
    Invoice,
    InvoiceLine,
    Payment,
    PaymentAllocation,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from portal.models.session import TenantSession, prepare
from portal.services.billing.queries import Sight, owned_by, sight_of, values_of, visible_to
from portal.services.payments.filters import Narrowing

SEARCH_LENGTH = 100
# What a refund takes from what may still go back: everything but what came to nothing.
COUNTED_REFUNDS = frozenset(RefundStatus) - {RefundStatus.FAILED, RefundStatus.REFUSED}


@dataclass(frozen=True)
class PaymentFilter:
    """What narrows a list of payments; days are of `zone`, both included."""

    statuses: tuple[PaymentStatus, ...] = ()
    first: date | None = None
    last: date | None = None
    zone: str = "UTC"
    invoice_id: UUID | None = None
    company_id: UUID | None = None
    search: str = ""
    more: Narrowing = field(default_factory=Narrowing)


@dataclass(frozen=True)
class PaidInvoice:
    """An invoice that a payment is for, and what it is about."""

    id: UUID
    number: str
    service: str
    amount: int


@dataclass(frozen=True)
class PaymentRow:
    """A payment with what it is for and what went back of it."""

    payment: Payment
    company_name: str
    invoices: tuple[PaidInvoice, ...]
    refunds: tuple[Refund, ...] = ()


def visible_payments(actor: Actor) -> ColumnElement[bool]:
    """Staff all of the tenant; customers those of the companies they belong to."""
    if actor.is_staff or actor.is_system:
        return true()
    return Payment.customer_id.in_(actor.company_ids)


def require_reading(actor: Actor) -> None:
    """Refuse whoever may not read payments."""
    require(actor, Permission.BILLING_READ if actor.is_staff else Permission.INVOICES_READ)


def get_payment(session: TenantSession, payment_id: UUID, *, actor: Actor) -> Payment:
    """A payment that the actor may read; Forbidden or NotFound."""
    require_reading(actor)
    found = session.scalar(select(Payment).where(Payment.id == payment_id, visible_payments(actor)))
    if found is None:
        raise NotFound("payment")
    return found


def read_payment(session: TenantSession, payment_id: UUID, *, actor: Actor) -> PaymentRow:
    """A payment with its invoices and refunds; Forbidden or NotFound."""
    payment = get_payment(session, payment_id, actor=actor)
    return with_details(session, [payment])[0]


def list_payable(session: TenantSession, *, actor: Actor, limit: int) -> Sequence[Invoice]:
    """Invoices of the actor's companies of which something is `available` to be paid, the soonest due first."""
    open_part = Invoice.total - Invoice.paid - Invoice.credited - Invoice.disputed - Invoice.reserved
    query = select(Invoice).where(visible_to(actor), Invoice.status.in_(UNPAID), open_part > 0)
    return session.scalars(query.order_by(Invoice.due_at, Invoice.id).limit(limit)).all()


def page_payments(
    session: TenantSession,
    *,
    wanted: PaymentFilter,
    actor: Actor,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[PaymentRow]:
    """Payments that the actor may read, the newest first (H7.5)."""
    require_reading(actor)
    start = decode_cursor(cursor)
    if start is None and wanted == PaymentFilter(zone=wanted.zone):
        found = session.run(_newest(sight_of(actor)), {**values_of(actor), "rows": limit + 1})
        page = paginate(found.scalars().all(), limit, None, _place_of)
        return Page(with_details(session, page.items), page.next_cursor, page.previous_cursor)
    query = select(Payment).where(visible_payments(actor), *_conditions(wanted))
    key = tuple_(Payment.created_at, Payment.id)
    order = _NEWEST_FIRST
    if start is not None:
        edge = tuple_(start.moment(), start.id)
        query = query.where(key > edge if start.backwards else key < edge)
        if start.backwards:
            order = (Payment.created_at.asc(), Payment.id.asc())
    rows = session.scalars(query.order_by(*order).limit(limit + 1)).all()
    page = paginate(rows, limit, start, _place_of)
    return Page(with_details(session, page.items), page.next_cursor, page.previous_cursor)


def list_payments(
    session: TenantSession, *, wanted: PaymentFilter, actor: Actor, limit: int, offset: int = 0
) -> list[PaymentRow]:
    """The same by numbers of rows, for the back office."""
    require_reading(actor)
    query = select(Payment).where(visible_payments(actor), *_conditions(wanted))
    ordered = query.order_by(*_NEWEST_FIRST).limit(limit).offset(offset)
    return with_details(session, session.scalars(ordered).all())


def with_details(session: TenantSession, payments: Sequence[Payment]) -> list[PaymentRow]:
    """The payments with companies, invoices and refunds, in three statements however many there are."""
    ids = [payment.id for payment in payments]
    companies = dict(_names(session, {payment.customer_id for payment in payments}))
    invoices: dict[UUID, list[PaidInvoice]] = {}
    for payment_id, invoice_id, number, service, amount in _invoices_of(session, ids):
        invoices.setdefault(payment_id, []).append(PaidInvoice(invoice_id, number or "", service or "", amount))
    refunds: dict[UUID, list[Refund]] = {}
    for refund in session.run(_REFUNDS, {"ids": ids}).scalars():
        refunds.setdefault(refund.payment_id, []).append(refund)
    return [
        PaymentRow(
            payment,
            companies.get(payment.customer_id, ""),
            tuple(invoices.get(payment.id, ())),
            tuple(refunds.get(payment.id, ())),
        )
        for payment in payments
    ]


def invoices_of(session: TenantSession, payment_id: UUID) -> list[PaidInvoice]:
    """What a payment is for."""
    return [
        PaidInvoice(invoice_id, number or "", service or "", amount)
        for _, invoice_id, number, service, amount in _invoices_of(session, [payment_id])
    ]


_NEWEST_FIRST = (Payment.created_at.desc(), Payment.id.desc())
# One parameter, where IN would be written out anew for each number of records.
_IDS = any_(bindparam("ids", type_=ARRAY(Uuid())))
_NAMES = prepare(select(Company.id, Company.name).where(Company.id == _IDS))
_REFUNDS = prepare(select(Refund).where(Refund.payment_id == _IDS).order_by(Refund.created_at, Refund.id))
# What is paid for, as the first line says it (H7.5: the service).
_FIRST_LINE = (
    select(func.array_agg(aggregate_order_by(InvoiceLine.description, InvoiceLine.position))[1])
    .where(InvoiceLine.tenant_id == Invoice.tenant_id, InvoiceLine.invoice_id == Invoice.id)
    .correlate(Invoice)
    .scalar_subquery()
)
_INVOICES = prepare(
    select(PaymentAllocation.payment_id, Invoice.id, Invoice.number, _FIRST_LINE, PaymentAllocation.amount)
    .join(Invoice, Invoice.id == PaymentAllocation.invoice_id)
    .where(PaymentAllocation.payment_id == _IDS)
    .order_by(Invoice.due_on, Invoice.number)
)


@cache
def _newest(sight: Sight) -> Select[Any]:
    """The list that nothing narrows, built once: building it takes longer than running it."""
    query = select(Payment).where(owned_by(Payment.customer_id, sight)).order_by(*_NEWEST_FIRST)
    return prepare(query.limit(bindparam("rows", type_=Integer())))


def _place_of(row: Payment) -> tuple[datetime, UUID]:
    return row.created_at, row.id


def _names(session: TenantSession, ids: set[UUID]) -> Sequence[tuple[UUID, str]]:
    return [(id_, name) for id_, name in session.run(_NAMES, {"ids": list(ids)})]


def _invoices_of(session: TenantSession, ids: Sequence[UUID]) -> Sequence[tuple[UUID, UUID, str, str, int]]:
    return [
        (payment_id, invoice_id, number, service, amount)
        for payment_id, invoice_id, number, service, amount in session.run(_INVOICES, {"ids": list(ids)})
    ]


def _conditions(wanted: PaymentFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = wanted.more.conditions()
    if wanted.statuses:
        found.append(Payment.status.in_(wanted.statuses))
    if wanted.first:
        found.append(Payment.created_at >= _midnight(wanted.first, wanted.zone))
    if wanted.last:
        found.append(Payment.created_at < _midnight(wanted.last, wanted.zone, days=1))
    if wanted.company_id:
        found.append(Payment.customer_id == wanted.company_id)
    if wanted.invoice_id:
        found.append(_is_for(PaymentAllocation.invoice_id == wanted.invoice_id))
    if has_forbidden_characters(wanted.search):
        return [false()]
    if words := " ".join(wanted.search.split())[:SEARCH_LENGTH]:
        number = Invoice.number.icontains(words, autoescape=True)
        found.append(
            or_(
                Payment.number.icontains(words, autoescape=True),
                _is_for(PaymentAllocation.invoice_id == Invoice.id, number),
                exists().where(Company.id == Payment.customer_id, Company.name.icontains(words, autoescape=True)),
            )
        )
    return found


def _is_for(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(PaymentAllocation.payment_id == Payment.id, *conditions)


def _midnight(day: date, zone: str, *, days: int = 0) -> datetime:
    start = date.fromordinal(day.toordinal() + days)
    return datetime.combine(start, time(), ZoneInfo(zone))
