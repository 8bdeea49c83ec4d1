"""What a company's month brings: invoices that fall due, planned payments, and what auto-pay charges next (H1.7)."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from portal.authz import Actor
from portal.models import (
    UNPAID,
    Invoice,
    InvoiceKind,
    NextStep,
    PaymentPlan,
    PlanInstalment,
    PlanStatus,
    ScheduledPayment,
    ScheduleStatus,
)
from portal.models.session import TenantSession
from portal.services.payments.balances import available
from portal.services.payments.coming import CHARGE, RETRY
from portal.services.payments.queries import require_reading

MOST_MARKS = 200


class MarkKind(StrEnum):
    """What a day is marked for."""

    DUE = "due"
    SCHEDULED = "scheduled"
    AUTO_PAY = "auto_pay"


@dataclass(frozen=True)
class Mark:
    """Something on a day of the tenant's; the amount is in minor units, as things stand."""

    day: date
    kind: MarkKind
    invoice_id: UUID
    number: str
    amount: int
    currency: str


def read_month(session: TenantSession, first: date, *, zone: ZoneInfo, actor: Actor) -> list[Mark]:
    """The marks of the month that begins on `first`, by day; of the actor's own companies.

    Two statements, however much there is. Raises Forbidden.
    """
    require_reading(actor)
    last = month_after(first) - timedelta(days=1)
    marks = _due(session, first, last, actor) + _planned(session, first, last, zone, actor)
    return sorted(marks, key=lambda one: (one.day, list(MarkKind).index(one.kind), one.number))


def month_after(first: date, months: int = 1) -> date:
    """The first day of the month so many months later."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _due(session: TenantSession, first: date, last: date, actor: Actor) -> list[Mark]:
    """Invoices by their due date; those with a payment plan by the instalments that nothing charges by itself."""
    in_force = (PaymentPlan.invoice_id == Invoice.id) & (PaymentPlan.status == PlanStatus.IN_FORCE)
    charged = (ScheduledPayment.id == PlanInstalment.scheduled_id) & (ScheduledPayment.status == ScheduleStatus.PLANNED)
    day = func.coalesce(PlanInstalment.due_on, Invoice.due_on)
    query = (
        select(Invoice, PlanInstalment)
        .outerjoin(PaymentPlan, in_force)
        .outerjoin(PlanInstalment, (PlanInstalment.plan_id == PaymentPlan.id) & PlanInstalment.paid_at.is_(None))
        .outerjoin(ScheduledPayment, charged)
        .where(
            Invoice.customer_id.in_(actor.company_ids),
            Invoice.status.in_(UNPAID),
            Invoice.kind != InvoiceKind.CREDIT_NOTE,
            ScheduledPayment.id.is_(None),
            day.between(first, last),
        )
        .order_by(day, Invoice.number)
    )
    marks = []
    for invoice, part in session.execute(query.limit(MOST_MARKS)):
        amount = min(part.amount, invoice.undisputed) if part else invoice.undisputed
        due_on = part.due_on if part else invoice.due_on
        if amount and due_on is not None:
            marks.append(Mark(due_on, MarkKind.DUE, invoice.id, invoice.number or "", amount, invoice.currency))
    return marks


def _planned(session: TenantSession, first: date, last: date, zone: ZoneInfo, actor: Actor) -> list[Mark]:
    """Charges to come stand in the next steps, planned payments' amounts in their own rows."""
    step = select(NextStep.record_id, NextStep.kind, NextStep.at).where(NextStep.kind.in_((CHARGE, RETRY))).subquery()
    query = (
        select(Invoice, ScheduledPayment, step.c.at)
        .outerjoin(
            ScheduledPayment,
            (ScheduledPayment.invoice_id == Invoice.id) & (ScheduledPayment.status == ScheduleStatus.PLANNED),
        )
        .outerjoin(step, step.c.record_id == Invoice.id)
        .where(
            Invoice.customer_id.in_(actor.company_ids),
            Invoice.status.in_(UNPAID),
            ScheduledPayment.day.between(first, last) | step.c.at.is_not(None),
        )
        .limit(MOST_MARKS)
    )
    marks: dict[tuple[UUID, MarkKind], Mark] = {}
    for invoice, planned, at in session.execute(query):
        free = available(invoice)
        if planned is not None and first <= planned.day <= last:
            amount = free if planned.amount is None else min(planned.amount, free)
            marks[planned.id, MarkKind.SCHEDULED] = Mark(
                planned.day, MarkKind.SCHEDULED, invoice.id, invoice.number or "", amount, invoice.currency
            )
        day = at.astimezone(zone).date() if at is not None else None
        if day is not None and first <= day <= last:
            mark = Mark(day, MarkKind.AUTO_PAY, invoice.id, invoice.number or "", free, invoice.currency)
            marks[invoice.id, MarkKind.AUTO_PAY] = mark
    return list(marks.values())
