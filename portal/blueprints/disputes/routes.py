"""A customer's disputes and wishes for more time: a part of the invoice's page, forms, one dispute (H7.10, BIL-11)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts, status_of
from portal.blueprints.billing.presenters import money
from portal.blueprints.disputes.evidence_forms import NOTHING_SENT, Evidence, evidence_of, form_texts
from portal.blueprints.disputes.forms import typed_day, typed_objection
from portal.blueprints.disputes.presenters import chargeback_view, dispute_view, extension_view, reasons
from portal.blueprints.files.receiving import receive_files, takes_files
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.lib.money import Money
from portal.models import Invoice, InvoiceKind, InvoiceStatus
from portal.services.billing.detail import get_invoice_detail
from portal.services.billing.queries import get_invoice
from portal.services.disputes.deciding import may_withdraw, withdraw_dispute
from portal.services.disputes.extending import (
    ask_extension,
    may_ask,
    may_withdraw_extension,
    withdraw_extension,
)
from portal.services.disputes.opening import disputable, dispute_invoice, dispute_payment
from portal.services.disputes.queries import (
    chargebacks_of_payment,
    disputes_of_invoice,
    disputes_of_payment,
    extensions_of_invoice,
    get_extension,
    read_dispute,
)
from portal.services.disputes.words import WORDS_LENGTH
from portal.services.payments.queries import get_payment
from portal.services.payments.refunds import refundable

bp = Blueprint("disputes", __name__, url_prefix="/portal")


@bp.get("/invoices/<uuid:invoice_id>/disputes")
@permission(Permission.INVOICES_READ)
def of_invoice(invoice_id: UUID) -> ResponseReturnValue:
    """What was objected to and asked for: a part of the invoice's page, or a page of its own."""
    session, actor = http.session(), http.actor()
    invoice = get_invoice(session, invoice_id, actor=actor)
    wishes = extensions_of_invoice(session, invoice_id, actor=actor)
    void = invoice.kind is InvoiceKind.CREDIT_NOTE or invoice.status is InvoiceStatus.VOID
    context = {
        "invoice": invoice,
        "disputes": [dispute_view(row) for row in disputes_of_invoice(session, invoice_id, actor=actor)],
        "held": money(invoice.disputed, invoice.currency) if invoice.disputed else "",
        "wishes": [extension_view(row) | {"own": may_withdraw_extension(row.wish, actor)} for row in wishes],
        "may_dispute": not void and invoice.total - invoice.credited - invoice.disputed > 0,
        # Whoever agreed to a payment plan has other dates.
        "may_ask": may_ask(invoice)
        and invoice.plan_due_at is None
        and not any(row.wish.status.value == "open" for row in wishes),
    }
    page = "disputes/_of_invoice.html" if http.wants_fragment() else "disputes/of_invoice.html"
    return render_template(page, **context)


@bp.get("/payments/<uuid:payment_id>/disputes")
@permission(Permission.INVOICES_READ)
def of_payment(payment_id: UUID) -> ResponseReturnValue:
    """What was objected to about a payment, by the customer or at the bank."""
    session, actor = http.session(), http.actor()
    payment = get_payment(session, payment_id, actor=actor)
    rows = disputes_of_payment(session, payment_id, actor=actor)
    arrived = payment.status.value == "succeeded" and payment.intent_id is not None
    free = arrived and refundable(session, payment) - payment.disputed > 0
    context = {
        "payment": payment,
        "disputes": [dispute_view(row) for row in rows],
        "cases": [chargeback_view(case) for case in chargebacks_of_payment(session, payment_id)],
        "may_dispute": free and not any(dispute_view(row)["active"] for row in rows),
    }
    page = "disputes/_of_payment.html" if http.wants_fragment() else "disputes/of_payment.html"
    return render_template(page, **context)


@bp.route("/invoices/<uuid:invoice_id>/disputes/new", methods=["GET", "POST"])
@permission(Permission.INVOICES_READ)
@takes_files
def new(invoice_id: UUID) -> ResponseReturnValue:
    """The form: the whole invoice or some lines, how much of each, and why."""
    invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
    if request.method != "POST":
        return _form(invoice, {}, None)
    received = receive_files()
    try:
        received.check()
        objection = typed_objection(request.form, invoice.currency, received.ids)
        made = dispute_invoice(http.session(), invoice_id, objection, actor=http.actor(), now=http.now())
        http.commit()
    except (Invalid, Conflict) as error:
        http.session().rollback()
        invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
        return _form(invoice, request.form, error, received.ids)
    flash(gettext("Dispute sent"), "ok")
    return http.see_other(".detail", dispute_id=made.id)


@bp.route("/payments/<uuid:payment_id>/disputes/new", methods=["GET", "POST"])
@permission(Permission.INVOICES_READ)
@takes_files
def new_of_payment(payment_id: UUID) -> ResponseReturnValue:
    """The same for a payment."""
    errors, sent = {}, NOTHING_SENT
    payment = get_payment(http.session(), payment_id, actor=http.actor())
    if request.method == "POST":
        received = receive_files()
        try:
            received.check()
            objection = typed_objection(request.form, payment.currency, received.ids)
            made = dispute_payment(http.session(), payment_id, objection, actor=http.actor(), now=http.now())
            http.commit()
            flash(gettext("Dispute sent"), "ok")
            return http.see_other(".detail", dispute_id=made.id)
        except (Invalid, Conflict) as error:
            http.session().rollback()
            errors, sent = form_texts(error), Evidence.refused(error, received.ids)
            payment = get_payment(http.session(), payment_id, actor=http.actor())
    left = refundable(http.session(), payment) - payment.disputed
    page = render_template(
        "disputes/new.html",
        invoice=None,
        payment=payment,
        lines=[],
        most=money(max(0, left), payment.currency),
        reasons=reasons(),
        form=request.form,
        errors=errors,
        words_length=WORDS_LENGTH,
        **sent.context(),
    )
    return page, sent.status


@bp.get("/disputes/<uuid:dispute_id>")
@permission(Permission.INVOICES_READ)
def detail(dispute_id: UUID) -> ResponseReturnValue:
    """One dispute: what it is about, where it stands, what we said."""
    return show_dispute(dispute_id)


def show_dispute(dispute_id: UUID, sent: Evidence = NOTHING_SENT) -> ResponseReturnValue:
    """The page of one dispute; `sent` is its form of files that comes back."""
    row = read_dispute(http.session(), dispute_id, actor=http.actor())
    page = render_template(
        "disputes/detail.html",
        dispute=dispute_view(row),
        may_withdraw=may_withdraw(row.dispute, http.actor()),
        evidence=evidence_of(dispute_id, "evidence"),
        problem=sent.problem,
        **sent.context(),
    )
    return page, sent.status


@bp.post("/disputes/<uuid:dispute_id>/withdraw")
@permission(Permission.INVOICES_READ)
def withdraw(dispute_id: UUID) -> ResponseReturnValue:
    """Object no more."""
    withdraw_dispute(http.session(), dispute_id, actor=http.actor(), now=http.now())
    http.commit()
    flash(gettext("Dispute withdrawn"), "ok")
    return http.see_other(".detail", dispute_id=dispute_id)


@bp.route("/invoices/<uuid:invoice_id>/extension", methods=["GET", "POST"])
@permission(Permission.INVOICES_READ)
def extend(invoice_id: UUID) -> ResponseReturnValue:
    """Ask for a later due date."""
    errors, status = {}, 200
    if request.method == "POST":
        try:
            day = typed_day(request.form.get("due_on", ""))
            ask_extension(
                http.session(),
                invoice_id,
                wanted_on=day,
                reason=request.form.get("reason", ""),
                actor=http.actor(),
                now=http.now(),
            )
            http.commit()
            flash(gettext("Request sent"), "ok")
            return http.see_other("invoices.detail", invoice_id=invoice_id)
        except (Invalid, Conflict) as error:
            http.session().rollback()
            errors, status = refusal_texts(error, "problem"), status_of(error)
    invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
    page = render_template(
        "disputes/extend.html", invoice=invoice, form=request.form, errors=errors, words_length=WORDS_LENGTH
    )
    return page, status


@bp.get("/extensions/<uuid:wish_id>")
@permission(Permission.INVOICES_READ)
def extension(wish_id: UUID) -> ResponseReturnValue:
    """Where notices about a request lead: to its invoice, which shows it."""
    wish = get_extension(http.session(), wish_id, actor=http.actor())
    return http.see_other("invoices.detail", invoice_id=wish.invoice_id)


@bp.post("/extensions/<uuid:wish_id>/withdraw")
@permission(Permission.INVOICES_READ)
def withdraw_wish(wish_id: UUID) -> ResponseReturnValue:
    """Ask no more."""
    wish = withdraw_extension(http.session(), wish_id, actor=http.actor(), now=http.now())
    http.commit()
    flash(gettext("Request withdrawn"), "ok")
    return http.see_other("invoices.detail", invoice_id=wish.invoice_id)


def _form(
    invoice: Invoice, form: Mapping[str, str], error: Invalid | Conflict | None, files: tuple[UUID, ...] = ()
) -> ResponseReturnValue:
    sent = Evidence.refused(error, files) if error else NOTHING_SENT
    found = get_invoice_detail(http.session(), invoice.id, actor=http.actor())
    free = disputable(found.invoice, list(found.lines))
    lines: list[dict[str, Any]] = [
        {
            "id": str(line.id),
            "description": line.description,
            "most": money(free[line.id], invoice.currency),
            "plain": str(Money(free[line.id], invoice.currency).decimal),
        }
        for line in found.lines
        if line.id in free
    ]
    page = render_template(
        "disputes/new.html",
        invoice=found.invoice,
        payment=None,
        lines=lines,
        most=money(min(sum(free.values()), invoice.total), invoice.currency),
        reasons=reasons(),
        form=form,
        chosen=request.form.getlist("line"),
        errors=form_texts(error) if error else {},
        words_length=WORDS_LENGTH,
        **sent.context(),
    )
    return page, sent.status
