"""Saved methods and auto-pay, in the customer portal (H7.7, H7.11)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts, signed_in_identity
from portal.blueprints.localisation import format_day, gettext
from portal.blueprints.payments.gateway import desk, gateway
from portal.blueprints.payments.presenters import money, present_method
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid, NotFound, invalid
from portal.integrations.payments import GatewayError, GatewayUnavailable
from portal.lib.money import Money, parse_amount
from portal.lib.pay_methods import known
from portal.models import AutoPayAttempt, Invoice
from portal.services.billing.settings import load_settings
from portal.services.payments.agreement import Agreement, plans_of, read_agreement, save_agreement
from portal.services.payments.methods import get_method, list_methods, make_default, remove_method
from portal.services.payments.offering import refusal_of, reusable
from portal.services.payments.setups import begin_setup, open_setup_page, return_from_setup

bp = Blueprint("payment_methods", __name__, url_prefix="/portal/payment-methods")
log = structlog.get_logger()


@bp.get("")
@permission(Permission.INVOICES_READ)
def index() -> ResponseReturnValue:
    """What is saved, and how auto-pay stands."""
    return _page({})


@bp.post("/new")
@permission(Permission.INVOICES_PAY)
def new() -> ResponseReturnValue:
    """To the gateway's page, with the consent that was just given."""
    try:
        if request.form.get("consent") != "1":
            raise invalid("consent", "consent_required")
        found = desk()
        company = begin_setup(http.session(), None, actor=http.actor())
        http.commit()
        page = open_setup_page(found, company, actor=http.actor(), now=http.now())
    except (Invalid, Conflict) as error:
        http.session().rollback()
        return _page(refusal_texts(error, "consent"), 422)
    except GatewayError as error:
        log.warning("setup_not_opened", error=str(error))
        flash(gettext("Payment processing failed. Please try again."), "err")
        return http.see_other(".index")
    return redirect(page.url, code=303) if page.url else http.see_other(".index")


@bp.get("/return")
@permission(Permission.INVOICES_PAY)
def come_back() -> ResponseReturnValue:
    """Back from the gateway's page: what was saved is asked there."""
    try:
        saved = return_from_setup(desk(), request.args.get("page", ""), actor=http.actor(), now=http.now())
    except GatewayUnavailable:
        saved = None
    flash(gettext("Payment method saved") if saved else gettext("No payment method was saved"), "ok")
    return http.see_other(".index")


@bp.post("/<uuid:method_id>/default")
@permission(Permission.INVOICES_PAY)
def default(method_id: UUID) -> ResponseReturnValue:
    """Offer it first."""
    make_default(http.session(), method_id, actor=http.actor(), now=http.now())
    http.commit()
    return http.see_other(".index")


@bp.route("/<uuid:method_id>/remove", methods=["GET", "POST"])
@permission(Permission.INVOICES_PAY)
def remove(method_id: UUID) -> ResponseReturnValue:
    """Remove it? And then it is; where auto-pay uses it, another one takes over."""
    method = get_method(http.session(), method_id, actor=http.actor())
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            forget(method_id, _optional(request.form.get("successor", "")))
            flash(gettext("Payment method removed"), "ok")
            return http.see_other(".index")
        except (Invalid, Conflict) as error:
            http.session().rollback()
            errors = refusal_texts(error, "successor")
            method = get_method(http.session(), method_id, actor=http.actor())
    plan = read_agreement(http.session(), method.customer_id)
    others = list_methods(http.session(), actor=http.actor(), company_id=method.customer_id)
    page = render_template(
        "payments/remove_method.html",
        method=present_method(method),
        others=[present_method(one) for one in others if one.id != method.id],
        needs_successor=bool(plan and plan.enabled and plan.method_id == method.id),
        errors=errors,
    )
    return page, 409 if errors else 200


def forget(method_id: UUID, successor_id: UUID | None) -> None:
    """Remove a method and commit, then have the gateway forget its token; that comes after, whether it answers or not.

    Raises what `remove_method` does.
    """
    token = remove_method(http.session(), method_id, successor_id=successor_id, actor=http.actor(), now=http.now())
    http.commit()
    found = gateway()
    if found is None:
        return
    try:
        found.detach_method(token, key=f"method:{method_id}:detach:1")
    except GatewayError as error:
        # Nothing of ours charges it any more.
        log.warning("method_not_detached", method=str(method_id), error=str(error))


@bp.post("/auto-pay")
@permission(Permission.INVOICES_PAY)
def auto_pay() -> ResponseReturnValue:
    """Switch auto-pay on or off."""
    enabled = request.form.get("enabled") == "1"
    try:
        if enabled and request.form.get("agree") != "1":
            raise invalid("agree", "consent_required")
        wanted = Agreement(enabled, _optional(request.form.get("method", "")), _limit(request.form))
        save_agreement(http.session(), None, wanted, actor=http.actor(), now=http.now())
        http.commit()
    except Invalid as error:
        http.session().rollback()
        return _page(refusal_texts(error), 422)
    flash(gettext("Auto-pay is on") if enabled else gettext("Auto-pay is off"), "ok")
    return http.see_other(".index")


def _page(errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    actor = http.actor()
    saved = list_methods(http.session(), actor=actor)
    company = next(iter(actor.admin_company_ids or actor.company_ids), None)
    plan = read_agreement(http.session(), company) if company else None
    settings = load_settings(http.session())
    found = gateway()
    page = render_template(
        "payments/methods.html",
        methods=[present_method(method) for method in saved],
        agreeable=[present_method(method) for method in saved if not refusal_of(settings, method, None)],
        plan=plan,
        limit=str(Money(plan.limit, settings.currency).decimal) if plan and plan.limit else "",
        currency=settings.currency,
        plans=[_plan(*row) for row in plans_of(http.session(), company)] if company else [],
        company=dict(signed_in_identity().companies).get(company, "") if company else "",
        may_pay=actor.may(Permission.INVOICES_PAY),
        simulated=bool(found and found.simulated),
        payments_off=found is None,
        keepable=bool(reusable(known(settings.payment_methods))),
        form=request.form,
        errors=errors,
    )
    return page, status


def _plan(invoice: Invoice, attempt: AutoPayAttempt) -> dict[str, Any]:
    return {
        "number": invoice.number,
        "id": invoice.id,
        "amount": money(invoice.undisputed, invoice.currency),
        "state": attempt.state.value,
        "next": format_day(attempt.next_at.date()) if attempt.next_at else "",
        "payment_id": attempt.payment_id,
    }


def _limit(form: Mapping[str, str]) -> int | None:
    text = form.get("limit", "").strip()
    if not text:
        return None
    try:
        return parse_amount(text.replace(",", "."), load_settings(http.session()).currency).amount
    except ValueError:
        raise invalid("limit", "amount_invalid") from None


def _optional(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise NotFound("payment_method") from None
