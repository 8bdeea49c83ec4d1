"""A payment plan while it is in force: what was paid covers its instalments one after the other, until it is over.

Instalments are never booked one by one: what is owed less than when the plan was written down covers them from the
first on, so refunds, credit notes and payments of any size need no rule of their own. `Invoice.plan_due_at` says
that a plan is in force and when its next instalment is due. Whoever calls holds the invoice's lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor
from portal.events import publish
from portal.events.plans import InstalmentReminded, PlanEnded, PlanKept, PlanMissed
from portal.events.scheduled import ScheduleChanged
from portal.models import (
    STANDING_PLAN,
    AutoPayAttempt,
    AutoPayState,
    Invoice,
    InvoiceStatus,
    PaymentPlan,
    PlanInstalment,
    PlanStatus,
)
from portal.models.session import TenantSession
from portal.services.billing.plan import Step, StepKind
from portal.services.billing.planned import end_one, list_planned

_OVER = {InvoiceStatus.PAID: "invoice_paid", InvoiceStatus.VOID: "invoice_void"}
# Auto-pay announces what is due again, and charges it no earlier than this.
CHARGED_AFTER = timedelta(days=3)


@dataclass(frozen=True)
class Coverage:
    """An instalment, and how much of it is still to be paid, in minor units."""

    instalment: PlanInstalment
    left: int


def list_instalments(session: TenantSession, plan_id: UUID) -> list[PlanInstalment]:
    """Those of a plan, the earliest first."""
    query = select(PlanInstalment).where(PlanInstalment.plan_id == plan_id)
    return list(session.scalars(query.order_by(PlanInstalment.position)))


def cover(instalments: Sequence[PlanInstalment], total: int, outstanding: int) -> list[Coverage]:
    """How far each instalment of a plan over `total` is paid while so much is outstanding.

    What is owed beyond the plan (a refund of what was paid before it) is asked for with the next instalment.
    """
    covered, end = total - outstanding, 0
    found: list[Coverage] = []
    for one in instalments:
        end += one.amount
        begins = not any(other.left for other in found)
        left = end - covered if begins else min(one.amount, end - covered)
        found.append(Coverage(one, max(0, left)))
    return found


def standing_plan(session: TenantSession, invoice_id: UUID) -> PaymentPlan | None:
    """The plan of an invoice that is asked for, offered or in force, locked and fresh."""
    query = select(PaymentPlan).where(PaymentPlan.invoice_id == invoice_id, PaymentPlan.status.in_(STANDING_PLAN))
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def follow_plan(session: TenantSession, invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    """Bring a plan up to what its invoice owes now; nothing where there is none."""
    over = _OVER.get(invoice.status)
    if invoice.plan_due_at is None and over is None:
        return
    plan = standing_plan(session, invoice.id)
    if plan is None:
        return
    if over is not None:
        _finish(session, invoice, plan, over, actor, now)
    elif plan.status is PlanStatus.IN_FORCE:
        _move_on(session, invoice, plan, actor, now)


def miss_plan(session: TenantSession, invoice: Invoice, plan: PaymentPlan, *, actor: Actor, now: datetime) -> None:
    """End a plan of which an instalment was not paid; the caller has reminders count anew and settles the invoice."""
    plan.status, plan.ended_at, invoice.plan_due_at = PlanStatus.MISSED, now, None
    for planned in list_planned(session, invoice.id):
        end_one(session, planned, "plan_missed", actor=actor, now=now)
    again = {"state": AutoPayState.WAITING, "attempts": 0, "next_at": now + CHARGED_AFTER, "noticed_at": None}
    row = {"tenant_id": session.tenant_id, "invoice_id": invoice.id, "updated_at": now, **again}
    session.execute(
        insert(AutoPayAttempt)
        .values(row)
        .on_conflict_do_update(
            index_elements=[AutoPayAttempt.invoice_id],
            set_={**again, "updated_at": now, "code": None},
            where=AutoPayAttempt.state != AutoPayState.CHARGING,
        )
    )
    publish(session, PlanMissed.about(plan), actor=actor, now=now, before=_IN_FORCE, after={"status": "missed"})


def remind_of_instalment(
    session: TenantSession, invoice: Invoice, plan: PaymentPlan, due: Sequence[Step], *, actor: Actor, now: datetime
) -> None:
    """Tell of the next instalment, once for all steps that came due; not before a charge that announces itself."""
    coverage = cover(list_instalments(session, plan.id), plan.total, invoice.outstanding)
    waiting = next((one.instalment for one in coverage if one.left), None)
    reminders = [step for step in due if step.kind is StepKind.INSTALMENT]
    if waiting is None or not reminders:
        return
    late = any(step.key.endswith(":late") for step in reminders)
    planned = {one.id for one in list_planned(session, invoice.id)}
    if not late and waiting.scheduled_id in planned:
        return
    fact = InstalmentReminded(plan.id, plan.customer_id, invoice.id, position=waiting.position, late=late)
    publish(session, fact, actor=actor, now=now, after={"position": waiting.position, "late": late})


_IN_FORCE = {"status": PlanStatus.IN_FORCE.value}


def _finish(
    session: TenantSession, invoice: Invoice, plan: PaymentPlan, code: str, actor: Actor, now: datetime
) -> None:
    before = plan.status
    kept = before is PlanStatus.IN_FORCE and invoice.status is InvoiceStatus.PAID
    plan.status, plan.ended_at, invoice.plan_due_at = PlanStatus.KEPT if kept else PlanStatus.ENDED, now, None
    if kept:
        for one in list_instalments(session, plan.id):
            one.paid_at = one.paid_at or now
    else:
        plan.code = code
    fact = PlanKept.about(plan) if kept else PlanEnded.about(plan)
    after = {"status": plan.status.value, "code": plan.code}
    publish(session, fact, actor=actor, now=now, before={"status": before.value}, after=after)


def _move_on(session: TenantSession, invoice: Invoice, plan: PaymentPlan, actor: Actor, now: datetime) -> None:
    coverage = cover(list_instalments(session, plan.id), plan.total, invoice.outstanding)
    for one in coverage:
        one.instalment.paid_at = None if one.left else one.instalment.paid_at or now
    invoice.plan_due_at = next((one.instalment.due_at for one in coverage if one.left), invoice.plan_due_at)
    left = {one.instalment.scheduled_id: one.left for one in coverage if one.instalment.scheduled_id}
    for planned in list_planned(session, invoice.id) if left else ():
        amount = left.get(planned.id, planned.amount)
        if amount == 0:
            end_one(session, planned, "instalment_paid", actor=actor, now=now)
        elif amount != planned.amount:
            planned.amount, planned.updated_at = amount, now
            publish(session, ScheduleChanged.about(planned), actor=actor, now=now, after={"amount": amount})
