"""The team's answer to a wish for a payment plan: as asked, otherwise, or not at all."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict
from portal.events import publish
from portal.events.plans import PlanGranted, PlanRefused
from portal.models import Invoice, PaymentPlan, PlanInstalment, PlanStatus, Tenant
from portal.models.session import TenantSession
from portal.services.billing.issuing import end_of_day, tenant_today
from portal.services.disputes.words import check_words
from portal.services.plans.asking import UNDECIDED_PLAN, lock_plan, require_plannable
from portal.services.plans.content import fingerprint
from portal.services.plans.dividing import Part, check_parts, divide


def asked_parts(plan: PaymentPlan, invoice: Invoice) -> list[Part]:
    """The instalments as they were asked for, over what is outstanding now."""
    return divide(invoice.outstanding, plan.wanted_count, plan.wanted_interval, plan.wanted_first_on)


def grant_plan(
    session: TenantSession,
    plan_id: UUID,
    *,
    parts: Sequence[Part] | None = None,
    answer: str = "",
    actor: Actor,
    now: datetime,
) -> PaymentPlan:
    """Write the plan down, as asked for or with other days and amounts; it waits for the customer's signature.

    Raises Forbidden, NotFound, Invalid (`instalments`, `answer`) and Conflict: `plan_decided`,
    `invoice_not_plannable`.
    """
    require(actor, Permission.BILLING_MANAGE)
    words = check_words("answer", answer, needed=False)
    invoice, plan = lock_plan(session, plan_id, actor=actor)
    if plan.status is not PlanStatus.OPEN:
        raise Conflict("plan_decided")
    require_plannable(invoice)
    agreed = list(parts) if parts is not None else asked_parts(plan, invoice)
    check_parts(agreed, invoice.outstanding, tenant_today(session, now))
    zone = ZoneInfo(session.scalars(select(Tenant.timezone).where(Tenant.id == session.tenant_id)).one())
    plan.total, plan.answer = invoice.outstanding, words
    rows = [
        PlanInstalment(
            plan_id=plan.id,
            position=index,
            due_on=part.due_on,
            due_at=end_of_day(part.due_on, zone),
            amount=part.amount,
        )
        for index, part in enumerate(agreed, 1)
    ]
    plan.content_sha256, plan.status = fingerprint(plan, invoice, rows), PlanStatus.GRANTED
    plan.decided_by, plan.decided_at = actor.user_id, now
    session.add_all(rows)
    session.flush()
    after = {"status": plan.status.value, "total": plan.total, "content_sha256": plan.content_sha256.hex()}
    publish(session, PlanGranted.about(plan), actor=actor, now=now, before={"status": "open"}, after=after)
    return plan


def refuse_plan(session: TenantSession, plan_id: UUID, *, answer: str, actor: Actor, now: datetime) -> PaymentPlan:
    """Leave the invoice as it is, and say why; also an offer that nobody has signed yet.

    Raises Forbidden, NotFound, Invalid and Conflict `plan_decided`.
    """
    require(actor, Permission.BILLING_MANAGE)
    words = check_words("answer", answer)
    _, plan = lock_plan(session, plan_id, actor=actor)
    if plan.status not in UNDECIDED_PLAN:
        raise Conflict("plan_decided")
    before = plan.status
    plan.status, plan.answer, plan.ended_at = PlanStatus.REFUSED, words, now
    plan.decided_by, plan.decided_at = actor.user_id, now
    after = {"status": plan.status.value}
    publish(session, PlanRefused.about(plan), actor=actor, now=now, before={"status": before.value}, after=after)
    return plan
