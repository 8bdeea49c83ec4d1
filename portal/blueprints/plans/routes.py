"""A customer's payment plans: a part of the invoice's page, the form, one plan, and its acceptance in writing."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts, status_of
from portal.blueprints.billing.presenters import money
from portal.blueprints.localisation import gettext
from portal.blueprints.payments.presenters import present_method
from portal.blueprints.plans.forms import typed_acceptance, typed_wish
from portal.blueprints.plans.presenters import intervals, plan_view
from portal.blueprints.policies import permission
from portal.blueprints.quotes.evidence import signer_evidence
from portal.errors import Conflict, Invalid
from portal.lib.wording.plans import consent_text
from portal.models import STANDING_PLAN, PlanStatus
from portal.services.billing.queries import get_invoice
from portal.services.disputes.words import WORDS_LENGTH
from portal.services.payments.methods import list_methods
from portal.services.plans.accepting import accept_plan
from portal.services.plans.asking import UNDECIDED_PLAN, ask_plan, is_plannable, may_answer_plan, withdraw_plan
from portal.services.plans.dividing import FEWEST, MOST
from portal.services.plans.queries import PlanRow, plans_of_invoice, read_plan
from portal.services.quotes.accepting import NAME_LENGTH

bp = Blueprint("plans", __name__, url_prefix="/portal")


@bp.get("/invoices/<uuid:invoice_id>/payment-plan")
@permission(Permission.INVOICES_READ)
def of_invoice(invoice_id: UUID) -> ResponseReturnValue:
    """The invoice's plans: a part of its page, or a page of its own."""
    session, actor = http.session(), http.actor()
    invoice = get_invoice(session, invoice_id, actor=actor)
    rows = plans_of_invoice(session, invoice_id, actor=actor)
    context = {
        "invoice": invoice,
        "plans": [plan_view(row, http.now()) for row in rows],
        "may_ask": is_plannable(invoice) and not any(row.plan.status in STANDING_PLAN for row in rows),
    }
    page = "plans/_of_invoice.html" if http.wants_fragment() else "plans/of_invoice.html"
    return render_template(page, **context)


@bp.route("/invoices/<uuid:invoice_id>/payment-plan/new", methods=["GET", "POST"])
@permission(Permission.INVOICES_READ)
def new(invoice_id: UUID) -> ResponseReturnValue:
    """Ask for a payment plan."""
    errors, status = {}, 200
    if request.method == "POST":
        try:
            plan = ask_plan(http.session(), invoice_id, typed_wish(request.form), actor=http.actor(), now=http.now())
            http.commit()
            flash(gettext("Request sent"), "ok")
            return http.see_other(".detail", plan_id=plan.id)
        except (Invalid, Conflict) as error:
            http.session().rollback()
            errors, status = refusal_texts(error, "problem"), status_of(error)
    invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
    page = render_template(
        "plans/new.html",
        invoice=invoice,
        outstanding=money(invoice.outstanding, invoice.currency),
        counts=[(str(count), str(count)) for count in range(FEWEST, MOST + 1)],
        intervals=intervals(),
        form=request.form,
        errors=errors,
        words_length=WORDS_LENGTH,
    )
    return page, status


@bp.get("/payment-plans/<uuid:plan_id>")
@permission(Permission.INVOICES_READ)
def detail(plan_id: UUID) -> ResponseReturnValue:
    """One plan: where it stands, its instalments, and the form to sign it."""
    return _page(plan_id, {})


@bp.post("/payment-plans/<uuid:plan_id>/accept")
@permission(Permission.INVOICES_READ)
def accept(plan_id: UUID) -> ResponseReturnValue:
    """Accept what was offered, in writing."""
    try:
        given = typed_acceptance(request.form)
        accept_plan(http.session(), plan_id, given, evidence=signer_evidence(), actor=http.actor(), now=http.now())
        http.commit()
    except (Invalid, Conflict) as error:
        http.session().rollback()
        return _page(plan_id, refusal_texts(error, "problem"), status_of(error))
    flash(gettext("The payment plan is in force"), "ok")
    return http.see_other(".detail", plan_id=plan_id)


@bp.post("/payment-plans/<uuid:plan_id>/withdraw")
@permission(Permission.INVOICES_READ)
def withdraw(plan_id: UUID) -> ResponseReturnValue:
    """Ask no more, or do not take what was offered."""
    withdraw_plan(http.session(), plan_id, actor=http.actor(), now=http.now())
    http.commit()
    flash(gettext("Request withdrawn"), "ok")
    return http.see_other(".detail", plan_id=plan_id)


def _page(plan_id: UUID, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    row = read_plan(http.session(), plan_id, actor=http.actor())
    mine = may_answer_plan(row.plan, http.actor())
    page = render_template(
        "plans/detail.html",
        plan=plan_view(row, http.now()),
        may_sign=mine and row.plan.status is PlanStatus.GRANTED,
        may_withdraw=mine and row.plan.status in UNDECIDED_PLAN,
        may_pay=_may_pay(row),
        methods=_methods(row) if mine and row.plan.status is PlanStatus.GRANTED else [],
        consent=consent_text(row.company_name, gettext),
        name_length=NAME_LENGTH,
        form=request.form,
        errors=errors,
    )
    return page, status


def _may_pay(row: PlanRow) -> bool:
    actor = http.actor()
    return actor.may(Permission.INVOICES_PAY) and row.plan.customer_id in actor.admin_company_ids


def _methods(row: PlanRow) -> list[dict[str, Any]]:
    if not _may_pay(row):
        return []
    found = list_methods(http.session(), actor=http.actor(), company_id=row.plan.customer_id)
    return [present_method(method) for method in found]
