"""Asking to pay an invoice in instalments, and asking no more."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, invalid
from portal.events import publish
from portal.events.plans import PlanAsked, PlanWithdrawn
from portal.models import (
    ExtensionRequest,
    ExtensionStatus,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    PaymentPlan,
    PlanInterval,
    PlanStatus,
)
from portal.models.session import TenantSession
from portal.services.billing.instalments import standing_plan
from portal.services.billing.issuing import tenant_today
from portal.services.billing.queries import lock_invoice
from portal.services.disputes.words import check_words
from portal.services.plans.dividing import FEWEST, FIRST_WITHIN, MOST
from portal.services.plans.queries import get_plan

_OWED = (InvoiceStatus.OPEN, InvoiceStatus.OVERDUE, InvoiceStatus.FAILED)
UNDECIDED_PLAN = (PlanStatus.OPEN, PlanStatus.GRANTED)


@dataclass(frozen=True)
class PlanWish:
    """How somebody wants to pay: so many instalments, each week or month from a day of the tenant's on, and why."""

    count: int
    interval: PlanInterval
    first_on: date
    reason: str


def ask_plan(session: TenantSession, invoice_id: UUID, wish: PlanWish, *, actor: Actor, now: datetime) -> PaymentPlan:
    """Ask for a payment plan, one at a time for each invoice.

    Raises Forbidden, NotFound, Invalid (`count`, `first_on`, `reason`) and Conflict: `invoice_not_plannable`,
    `plan_stands`, and `extension_open` while more time is asked for.
    """
    require(actor, Permission.INVOICES_READ)
    words = check_words("reason", wish.reason)
    invoice = lock_invoice(session, invoice_id, actor=actor)
    require_plannable(invoice)
    _check(session, invoice, wish, now)
    if standing_plan(session, invoice.id) is not None:
        raise Conflict("plan_stands")
    more_time = select(ExtensionRequest.id).where(
        ExtensionRequest.invoice_id == invoice.id, ExtensionRequest.status == ExtensionStatus.OPEN
    )
    if session.scalar(more_time) is not None:
        raise Conflict("extension_open")
    plan = PaymentPlan(
        id=uuid4(),
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        status=PlanStatus.OPEN,
        currency=invoice.currency,
        wanted_count=wish.count,
        wanted_interval=wish.interval,
        wanted_first_on=wish.first_on,
        reason=words,
        asked_by=actor.user_id,
        asked_at=now,
    )
    session.add(plan)
    session.flush()
    after = {"number": invoice.number, "count": wish.count, "interval": wish.interval.value}
    publish(session, PlanAsked.about(plan), actor=actor, now=now, after=after)
    return plan


def withdraw_plan(session: TenantSession, plan_id: UUID, *, actor: Actor, now: datetime) -> PaymentPlan:
    """Ask no more, or leave an offer: whoever asked, or an administrator of the company.

    Raises Forbidden, NotFound and Conflict `plan_decided` once it is in force or over.
    """
    require(actor, Permission.INVOICES_READ)
    if not may_answer_plan(get_plan(session, plan_id, actor=actor), actor):
        raise Forbidden("not_allowed")
    _, plan = lock_plan(session, plan_id, actor=actor)
    if plan.status not in UNDECIDED_PLAN:
        raise Conflict("plan_decided")
    before = plan.status
    plan.status, plan.ended_at = PlanStatus.WITHDRAWN, now
    after = {"status": plan.status.value}
    publish(session, PlanWithdrawn.about(plan), actor=actor, now=now, before={"status": before.value}, after=after)
    return plan


def may_answer_plan(plan: PaymentPlan, actor: Actor) -> bool:
    """Whether it is the actor's to take back and to accept: who asked, and the company's administrators."""
    return actor.is_customer and (plan.asked_by == actor.user_id or plan.customer_id in actor.admin_company_ids)


def is_plannable(invoice: Invoice) -> bool:
    """Whether there is anything to pay in instalments, and nothing of it under way or in dispute."""
    credit = invoice.kind is InvoiceKind.CREDIT_NOTE
    held = invoice.reserved or invoice.disputed
    return not credit and not held and invoice.status in _OWED and invoice.outstanding > 0


def require_plannable(invoice: Invoice) -> None:
    """Raise Conflict `invoice_not_plannable` where it is not."""
    if not is_plannable(invoice):
        raise Conflict("invoice_not_plannable", number=invoice.number or "")


def lock_plan(session: TenantSession, plan_id: UUID, *, actor: Actor) -> tuple[Invoice, PaymentPlan]:
    """The invoice first, as asking does, so that two never wait for one another in a circle."""
    invoice = lock_invoice(session, get_plan(session, plan_id, actor=actor).invoice_id, actor=actor)
    query = select(PaymentPlan).where(PaymentPlan.id == plan_id).with_for_update()
    return invoice, session.scalars(query.execution_options(populate_existing=True)).one()


def _check(session: TenantSession, invoice: Invoice, wish: PlanWish, now: datetime) -> None:
    today = tenant_today(session, now)
    if not FEWEST <= wish.count <= MOST or wish.count > invoice.outstanding:
        raise invalid("count", "plan_count")
    if not today < wish.first_on <= today + FIRST_WITHIN:
        raise invalid("first_on", "plan_first_day")
