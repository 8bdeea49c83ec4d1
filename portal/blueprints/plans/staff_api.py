"""Payment plans for programs of the team under /api/v1/staff."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.plans.schemas import PlanGrantRequest, PlanQuery, PlanRefuseRequest, StaffPlan, StaffPlans
from portal.blueprints.policies import permission
from portal.services.plans.deciding import grant_plan, refuse_plan
from portal.services.plans.queries import get_plan, page_plans, read_plan

bp = Blueprint("staff_plans_api", __name__, url_prefix="/api/v1/staff")


@bp.get("/payment-plans")
@permission(Permission.BILLING_READ)
@operation("List everybody's payment plans", query=PlanQuery, answer=StaffPlans)
def index(query: PlanQuery) -> StaffPlans:
    """The newest first."""
    page = page_plans(http.session(), statuses=query.status, actor=http.actor(), limit=query.limit, cursor=query.cursor)
    return StaffPlans(items=[StaffPlan.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.get("/payment-plans/<uuid:plan_id>")
@permission(Permission.BILLING_READ)
@operation("Read a customer's payment plan", answer=StaffPlan)
def detail(plan_id: UUID) -> StaffPlan:
    """What was asked for and offered, who signed it, and how far it is paid."""
    return _plan(plan_id)


@bp.post("/payment-plans/<uuid:plan_id>/grant")
@permission(Permission.BILLING_MANAGE)
@operation(
    "Offer a payment plan",
    body=PlanGrantRequest,
    answer=StaffPlan,
    conflicts="It was answered or withdrawn already, or nothing can be paid in instalments now.",
)
def grant(plan_id: UUID, body: PlanGrantRequest) -> StaffPlan:
    """As it was asked for or with other days and amounts; it takes force once the customer has accepted it."""
    found = get_plan(http.session(), plan_id, actor=http.actor())
    parts = body.read(found.currency)
    grant_plan(http.session(), plan_id, parts=parts, answer=body.answer, actor=http.actor(), now=http.now())
    return _plan(plan_id)


@bp.post("/payment-plans/<uuid:plan_id>/refuse")
@permission(Permission.BILLING_MANAGE)
@operation(
    "Refuse a payment plan", body=PlanRefuseRequest, answer=StaffPlan, conflicts="It is in force or over already."
)
def refuse(plan_id: UUID, body: PlanRefuseRequest) -> StaffPlan:
    """The invoice stays due as it is; an offer that nobody has accepted is taken back."""
    refuse_plan(http.session(), plan_id, answer=body.answer, actor=http.actor(), now=http.now())
    return _plan(plan_id)


def _plan(plan_id: UUID) -> StaffPlan:
    return StaffPlan.of(read_plan(http.session(), plan_id, actor=http.actor()))
