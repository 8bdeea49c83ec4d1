"""A customer's own payment plans under /api/v1/portal."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.plans.schemas import CustomerPlan, PlanAcceptRequest, PlanQuery, PlanRequest, Plans
from portal.blueprints.policies import permission
from portal.blueprints.quotes.evidence import signer_evidence
from portal.services.billing.queries import get_invoice
from portal.services.plans.accepting import PlanAcceptance, accept_plan
from portal.services.plans.asking import ask_plan, withdraw_plan
from portal.services.plans.queries import page_plans, plans_of_invoice, read_plan

bp = Blueprint("plans_api", __name__, url_prefix="/api/v1/portal")


@bp.get("/payment-plans")
@permission(Permission.INVOICES_READ)
@operation("List payment plans", query=PlanQuery, answer=Plans)
def index(query: PlanQuery) -> Plans:
    """Those of your companies, the newest first."""
    page = page_plans(http.session(), statuses=query.status, actor=http.actor(), limit=query.limit, cursor=query.cursor)
    return Plans(items=[CustomerPlan.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.get("/payment-plans/<uuid:plan_id>")
@permission(Permission.INVOICES_READ)
@operation("Read a payment plan", answer=CustomerPlan)
def detail(plan_id: UUID) -> CustomerPlan:
    """What was asked for and offered, and how far it is paid."""
    return _plan(plan_id)


@bp.post("/payment-plans/<uuid:plan_id>/accept")
@permission(Permission.INVOICES_READ)
@operation(
    "Accept a payment plan",
    body=PlanAcceptRequest,
    answer=CustomerPlan,
    conflicts="It is not offered (any more), is not what was shown, or what is owed has changed since.",
)
def accept(plan_id: UUID, body: PlanAcceptRequest) -> CustomerPlan:
    """For whoever asked and the administrators of the company; from then on the instalments' dates count."""
    given = PlanAcceptance(body.signer_name, body.content_sha256, body.consent, body.payment_method_id)
    accept_plan(http.session(), plan_id, given, evidence=signer_evidence(), actor=http.actor(), now=http.now())
    return _plan(plan_id)


@bp.post("/payment-plans/<uuid:plan_id>/withdraw")
@permission(Permission.INVOICES_READ)
@operation(
    "Withdraw a request for a payment plan",
    body=NoBody,
    answer=CustomerPlan,
    conflicts="It is in force or over.",
)
def withdraw(plan_id: UUID, body: NoBody) -> CustomerPlan:
    """For whoever asked and the administrators of the company; also where you do not take what was offered."""
    withdraw_plan(http.session(), plan_id, actor=http.actor(), now=http.now())
    return _plan(plan_id)


@bp.get("/invoices/<uuid:invoice_id>/payment-plans")
@permission(Permission.INVOICES_READ)
@operation("List the payment plans of an invoice", answer=Plans)
def of_invoice(invoice_id: UUID) -> Plans:
    """The newest first."""
    get_invoice(http.session(), invoice_id, actor=http.actor())
    rows = plans_of_invoice(http.session(), invoice_id, actor=http.actor())
    return Plans(items=[CustomerPlan.of(row) for row in rows], next_cursor=None)


@bp.post("/invoices/<uuid:invoice_id>/payment-plans")
@permission(Permission.INVOICES_READ)
@operation(
    "Ask for a payment plan",
    body=PlanRequest,
    answer=CustomerPlan,
    status=201,
    conflicts="A plan or more time is asked for or agreed already, or nothing can be paid in instalments now.",
)
def ask(invoice_id: UUID, body: PlanRequest) -> CustomerPlan:
    """One plan at a time; the invoice stays due until you have accepted what we offer."""
    made = ask_plan(http.session(), invoice_id, body.read(), actor=http.actor(), now=http.now())
    return _plan(made.id)


def _plan(plan_id: UUID) -> CustomerPlan:
    return CustomerPlan.of(read_plan(http.session(), plan_id, actor=http.actor()))
