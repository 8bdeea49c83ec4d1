"""Paying and what was paid, in the customer portal (H7.3, H7.5, BIL-02 to BIL-05)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts
from portal.blueprints.localisation import gettext
from portal.blueprints.payments.exporting import FORMATS, send_payments
from portal.blueprints.payments.gateway import bring_up_to_date, desk
from portal.blueprints.payments.history import HistoryAddress, chips, choices, without
from portal.blueprints.payments.paying import choices_of, is_simulated, lead_on, read_part, start_chosen
from portal.blueprints.payments.presenters import money, present_payment
from portal.blueprints.payments.receipt import send_receipt
from portal.blueprints.payments.rows import draw_rows
from portal.blueprints.payments.schedule_routes import present_planned
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid, invalid
from portal.integrations.payments import GatewayUnavailable
from portal.lib.money import Money
from portal.models import UNDECIDED, Invoice
from portal.services.billing.queries import get_invoice
from portal.services.billing.settings import load_settings
from portal.services.payments.balances import available
from portal.services.payments.cancelling import cancel_payment, require_cancellable
from portal.services.payments.confirming import begin_confirmation, confirm_payment
from portal.services.payments.filters import list_service_types
from portal.services.payments.methods import list_methods
from portal.services.payments.offering import chargeable, repeated_choice
from portal.services.payments.queries import get_payment, page_payments, read_payment
from portal.services.payments.reserving import PayRequest, same_again, start_payment
from portal.services.payments.scheduling import planned_for
from portal.services.payments.standing import last_payment
from portal.services.payments.using_credit import offer_credit
from portal.services.plans.queries import next_instalment

bp = Blueprint("payments", __name__)


@bp.get("/portal/invoices/<uuid:invoice_id>/pay")
@permission(Permission.INVOICES_READ)
def area(invoice_id: UUID) -> ResponseReturnValue:
    """How an invoice is paid: a part of its page, or a page of its own."""
    invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
    return show_area(invoice, _instalment(invoice), {})


@bp.post("/portal/invoices/<uuid:invoice_id>/pay")
@permission(Permission.INVOICES_PAY)
def pay(invoice_id: UUID) -> ResponseReturnValue:
    """Reserve, commit, then ask the gateway, and lead to its page or to the payment's own."""
    invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
    try:
        desk()
        wanted = {invoice.id: read_part(request.form, invoice.currency)}
        payment = start_chosen(wanted, request.form)
    except (Invalid, Conflict) as error:
        http.session().rollback()
        invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
        status = 422 if isinstance(error, Invalid) else 409
        return show_area(invoice, request.form, refusal_texts(error, "pay"), status)
    return lead_on(payment.id)


@bp.get("/portal/payments")
@permission(Permission.INVOICES_READ)
def index() -> ResponseReturnValue:
    """What was paid, the newest first (H7.5)."""
    address = HistoryAddress.read(request.args)
    actor = http.actor()
    kept: dict[str, Any] = dict(address.values())
    page = page_payments(http.session(), wanted=address.filter(), actor=actor, cursor=request.args.get("cursor"))
    offered = choices(list_service_types(http.session(), actor=actor))
    return render_template(
        "payments/index.html",
        rows=[present_payment(row) for row in page.items],
        draw_rows=draw_rows,
        given=kept,
        hidden=without(kept, "q"),
        chips=chips(kept, offered),
        earlier=url_for(".index", **kept, cursor=page.previous_cursor) if page.previous_cursor else None,
        later=url_for(".index", **kept, cursor=page.next_cursor) if page.next_cursor else None,
        may_pay=actor.may(Permission.INVOICES_PAY),
        **offered,
    )


@bp.get("/portal/payments/export")
@permission(Permission.INVOICES_READ)
def export() -> ResponseReturnValue:
    """The same as PDF or CSV (BIL-12)."""
    form = request.args.get("format", "csv")
    if form not in FORMATS:
        raise invalid("format", "unknown_choice")
    address = HistoryAddress.read(request.args)
    return send_payments(form, address.filter(), address.words())


@bp.get("/portal/payments/<uuid:payment_id>")
@permission(Permission.INVOICES_READ)
def detail(payment_id: UUID) -> ResponseReturnValue:
    """One payment: on its way, arrived or failed, and what can be done."""
    row = read_payment(http.session(), payment_id, actor=http.actor())
    mine = row.payment.customer_id in http.actor().admin_company_ids
    context = {
        "payment": present_payment(row),
        "undecided": row.payment.status in UNDECIDED,
        "may_pay": mine and http.actor().may(Permission.INVOICES_PAY),
        "simulated": is_simulated(),
    }
    return http.render_live("payments/detail.html", "payments/_state.html", context)


@bp.get("/portal/payments/<uuid:payment_id>/return")
@permission(Permission.INVOICES_READ)
def come_back(payment_id: UUID) -> ResponseReturnValue:
    """Back from the gateway's page: what became of it is asked there, nothing in the address is believed."""
    get_payment(http.session(), payment_id, actor=http.actor())
    http.session().rollback()
    bring_up_to_date(payment_id)
    return http.see_other(".detail", payment_id=payment_id)


@bp.post("/portal/payments/<uuid:payment_id>/cancel")
@permission(Permission.INVOICES_PAY)
def cancel(payment_id: UUID) -> ResponseReturnValue:
    """Go on with it no more."""
    payment = require_cancellable(http.session(), payment_id, actor=http.actor())
    http.session().rollback()
    try:
        cancel_payment(desk(), payment, now=http.now())
    except GatewayUnavailable:
        flash(gettext("Payment processing failed. Please try again."), "err")
    return http.see_other(".detail", payment_id=payment_id)


@bp.post("/portal/payments/<uuid:payment_id>/confirm")
@permission(Permission.INVOICES_PAY)
def confirm(payment_id: UUID) -> ResponseReturnValue:
    """Answer the bank's question about a payment that waits for it."""
    waiting = begin_confirmation(http.session(), payment_id, actor=http.actor(), now=http.now())
    http.commit()
    try:
        target = waiting or confirm_payment(desk(), payment_id, now=http.now())
    except GatewayUnavailable:
        target = None
    return redirect(target, code=303) if target else http.see_other(".detail", payment_id=payment_id)


@bp.post("/portal/payments/<uuid:payment_id>/retry")
@permission(Permission.INVOICES_PAY)
def retry(payment_id: UUID) -> ResponseReturnValue:
    """The same once more: same invoices, same method, whatever of them is due now (BIL-04, BIL-05)."""
    row = read_payment(http.session(), payment_id, actor=http.actor())
    settings = load_settings(http.session())
    methods = list_methods(http.session(), actor=http.actor())
    usable = {method.id for method in chargeable(settings, methods, row.payment.currency)}
    desk()
    known = row.payment.method_id if row.payment.method_id in usable else None
    choice = repeated_choice(settings, row.payment, row.payment.amount)
    amounts = same_again(http.session(), {one.id: one.amount for one in row.invoices})
    wanted = PayRequest(amounts, method_id=known, choice=choice)
    payment = start_payment(http.session(), wanted, actor=http.actor(), now=http.now())
    http.commit()
    return lead_on(payment.id)


@bp.get("/portal/payments/<uuid:payment_id>/receipt")
@permission(Permission.INVOICES_READ)
def receipt(payment_id: UUID) -> ResponseReturnValue:
    """The receipt as PDF."""
    return send_receipt(read_payment(http.session(), payment_id, actor=http.actor()))


def show_area(
    invoice: Invoice, form: Mapping[str, str], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    """How an invoice is paid; `form` and `errors` are those of a form that comes back."""
    last = last_payment(http.session(), invoice.id)
    settings = load_settings(http.session())
    mine = invoice.customer_id in http.actor().admin_company_ids
    context = {
        "invoice": invoice,
        "due": available(invoice),
        "due_text": money(available(invoice), invoice.currency),
        "plain_due": str(Money(available(invoice), invoice.currency).decimal),
        "last": present_payment(last) if last else None,
        "under_way": last is not None and last.payment.status in UNDECIDED,
        "may_pay": mine and http.actor().may(Permission.INVOICES_PAY),
        **_credit(invoice),
        "planned": [present_planned(row) for row in planned_for(http.session(), invoice.id, actor=http.actor())],
        "partial": settings.partial_payments or invoice.plan_due_at is not None,
        "form": form,
        "errors": errors,
        **choices_of(settings, {invoice.currency: available(invoice)}, invoice.customer_id),
    }
    page = "payments/_area.html" if http.wants_fragment() else "payments/pay.html"
    return render_template(page, **context), status


def _credit(invoice: Invoice) -> dict[str, Any]:
    """What of the company's credit the invoice could take, for whoever may pay; and a key for the form."""
    actor = http.actor()
    if not available(invoice) or invoice.customer_id not in actor.admin_company_ids:
        return {"credit": ""}
    found = offer_credit(http.session(), invoice.id, actor=actor)
    return {"credit": money(found.usable, found.currency) if found.usable else "", "request_key": str(uuid4())}


def _instalment(invoice: Invoice) -> dict[str, str]:
    """What stands in the form at first: of an invoice with a payment plan its next instalment."""
    left = next_instalment(http.session(), invoice, actor=http.actor())
    return {"how": "part", "amount": str(Money(left, invoice.currency).decimal)} if left else {}
