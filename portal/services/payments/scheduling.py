"""Payments that a customer plans for a later day: made, shown, cancelled before it comes (BIL-06)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, true, tuple_

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, NotFound, invalid
from portal.events import publish
from portal.events.scheduled import PaymentScheduled, ScheduleCancelled
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.models import (
    Invoice,
    PaymentKind,
    PaymentMethod,
    ScheduledPayment,
    ScheduleStatus,
    Tenant,
)
from portal.models.session import TenantSession
from portal.services.billing.planned import clear_step, list_planned, write_step
from portal.services.payments.balances import available, lock_invoices
from portal.services.payments.planned_rows import PlannedRow
from portal.services.payments.queries import require_reading
from portal.services.payments.reserving import CheckedRequest, PayRequest, check_request
from portal.services.payments.schedule_letters import tell_planned

FURTHEST = timedelta(days=366)
MOST_PLANNED = 12


@dataclass(frozen=True)
class Wish:
    """What somebody wants to pay later: on which day of the tenant's, with which saved method, how many minor units.

    No amount is all that is due on that day.
    """

    day: date
    method_id: UUID
    amount: int | None = None


def schedule_payment(
    session: TenantSession, invoice_id: UUID, wish: Wish, *, base_url: str, actor: Actor, now: datetime
) -> ScheduledPayment:
    """Plan a payment and confirm it by mail; nothing is reserved, so the invoice can be paid otherwise before.

    Raises Forbidden, NotFound, Invalid (day, method, amount) and Conflict: nothing is left to pay, or all of it is
    planned already (`payment_already_scheduled`), also when asked thirty times at once.
    """
    asked = PayRequest({invoice_id: wish.amount}, method_id=wish.method_id, kind=PaymentKind.SCHEDULED)
    checked = check_request(session, asked, actor=actor)
    invoice, method = checked.invoices[0], checked.method
    assert method is not None
    charge_at = _check_day(session, wish.day, method, now)
    planned = ScheduledPayment(
        id=uuid4(),
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        method_id=method.id,
        amount=_amount(session, checked, wish),
        currency=invoice.currency,
        day=wish.day,
        charge_at=charge_at,
        status=ScheduleStatus.PLANNED,
        created_by=actor.user_id,
        created_at=now,
        updated_at=now,
    )
    session.add(planned)
    session.flush()
    write_step(session, planned)
    after = {"day": wish.day.isoformat(), "amount": planned.amount}
    publish(session, PaymentScheduled.about(planned), actor=actor, now=now, after=after)
    tell_planned(session, PlannedRow(planned, invoice, method), soon=False, base_url=base_url, now=now)
    return planned


def cancel_schedule(session: TenantSession, planned_id: UUID, *, actor: Actor, now: datetime) -> ScheduledPayment:
    """Charge nothing on that day. Raises Forbidden, NotFound and Conflict once it is started or ended."""
    require(actor, Permission.INVOICES_PAY)
    found = session.scalar(select(ScheduledPayment).where(ScheduledPayment.id == planned_id, _visible(actor)))
    if found is None:
        raise NotFound("scheduled_payment")
    if found.customer_id not in actor.admin_company_ids:
        raise Forbidden("not_allowed", permission=Permission.INVOICES_PAY.value)
    lock_invoices(session, [found.invoice_id])
    planned = lock_schedule(session, planned_id)
    if planned.status is not ScheduleStatus.PLANNED:
        raise Conflict("schedule_not_cancellable")
    planned.status, planned.updated_at = ScheduleStatus.CANCELLED, now
    clear_step(session, [planned.id])
    publish(session, ScheduleCancelled.about(planned), actor=actor, now=now)
    return planned


def get_schedule(session: TenantSession, planned_id: UUID, *, actor: Actor) -> PlannedRow:
    """A planned payment of a company of the actor's; Forbidden or NotFound."""
    require_reading(actor)
    rows = _rows(session, ScheduledPayment.id == planned_id, _visible(actor))
    if not rows:
        raise NotFound("scheduled_payment")
    return rows[0]


def planned_for(session: TenantSession, invoice_id: UUID, *, actor: Actor) -> Sequence[PlannedRow]:
    """What waits for its day of an invoice, the earliest first."""
    require_reading(actor)
    return _rows(
        session,
        ScheduledPayment.invoice_id == invoice_id,
        ScheduledPayment.status == ScheduleStatus.PLANNED,
        _visible(actor),
    )


def page_schedules(
    session: TenantSession,
    *,
    actor: Actor,
    status: ScheduleStatus | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[PlannedRow]:
    """Planned payments that the actor may read, the latest day first."""
    require_reading(actor)
    start = decode_cursor(cursor)
    conditions = [_visible(actor), ScheduledPayment.status == status if status else true()]
    key = tuple_(ScheduledPayment.charge_at, ScheduledPayment.id)
    if start is not None:
        edge = tuple_(start.moment(), start.id)
        conditions.append(key > edge if start.backwards else key < edge)
    rows = _rows(session, *conditions, newest=not (start and start.backwards), limit=limit + 1)
    return paginate(rows, limit, start, lambda row: (row.planned.charge_at, row.planned.id))


def lock_schedule(session: TenantSession, planned_id: UUID) -> ScheduledPayment:
    """The row, locked and fresh; its invoice is locked before it."""
    query = select(ScheduledPayment).where(ScheduledPayment.id == planned_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def tenant_zone(session: TenantSession) -> ZoneInfo:
    """Where the tenant's days begin and end."""
    return ZoneInfo(session.scalars(select(Tenant.timezone).where(Tenant.id == session.tenant_id)).one())


def _check_day(session: TenantSession, day: date, method: PaymentMethod, now: datetime) -> datetime:
    zone = tenant_zone(session)
    today = now.astimezone(zone).date()
    if day <= today:
        raise invalid("day", "day_not_future")
    if day > today + FURTHEST:
        raise invalid("day", "day_too_far")
    if method.exp_year and method.exp_month and (method.exp_year, method.exp_month) < (day.year, day.month):
        raise invalid("payment_method_id", "method_ends_before")
    return datetime.combine(day, time(), zone)


def _amount(session: TenantSession, checked: CheckedRequest, wish: Wish) -> int | None:
    """Minor units to charge then; None for whatever is due, where nothing else is planned for the invoice."""
    invoice = checked.invoices[0]
    others = list_planned(session, invoice.id)
    if len(others) >= MOST_PLANNED:
        raise invalid("day", "too_many", limit=MOST_PLANNED)
    if any(one.amount is None for one in others):
        raise Conflict("payment_already_scheduled")
    left = available(invoice) - sum(one.amount or 0 for one in others)
    if left <= 0 or (wish.amount is not None and wish.amount > left):
        raise Conflict("payment_already_scheduled")
    return left if others and wish.amount is None else wish.amount


def _visible(actor: Actor) -> ColumnElement[bool]:
    if actor.is_staff or actor.is_system:
        return true()
    return ScheduledPayment.customer_id.in_(actor.company_ids)


def _rows(
    session: TenantSession, *conditions: ColumnElement[bool], newest: bool = False, limit: int | None = None
) -> list[PlannedRow]:
    order = (ScheduledPayment.charge_at, ScheduledPayment.id)
    query = (
        select(ScheduledPayment, Invoice, PaymentMethod)
        .join(Invoice, Invoice.id == ScheduledPayment.invoice_id)
        .join(PaymentMethod, PaymentMethod.id == ScheduledPayment.method_id)
        .where(*conditions)
        .order_by(*(column.desc() if newest else column.asc() for column in order))
        .limit(limit)
    )
    return [PlannedRow(planned, invoice, method) for planned, invoice, method in session.execute(query)]
