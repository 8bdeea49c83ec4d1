"""Using a company's credit for an invoice, on the customer's page."""

from uuid import UUID, uuid4

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts
from portal.blueprints.localisation import gettext
from portal.blueprints.payments.presenters import money
from portal.blueprints.payments.routes import show_area
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.services.billing.queries import get_invoice
from portal.services.payments.using_credit import CreditRequest, use_credit

bp = Blueprint("credit", __name__, url_prefix="/portal")


@bp.post("/invoices/<uuid:invoice_id>/credit")
@permission(Permission.INVOICES_PAY)
def use(invoice_id: UUID) -> ResponseReturnValue:
    """Pay with credit what was offered, or less where less is owed by now."""
    try:
        made = use_credit(
            http.session(),
            invoice_id,
            CreditRequest(payment_id=read_key(request.form.get("request_key"))),
            actor=http.actor(),
            now=http.now(),
        )
        http.commit()
    except (Invalid, Conflict) as error:
        http.session().rollback()
        invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
        return show_area(invoice, {}, refusal_texts(error, "credit"), 422 if isinstance(error, Invalid) else 409)
    flash(gettext("%(amount)s of your credit used", amount=money(made.amount, made.currency)), "ok")
    return http.see_other("invoices.detail", invoice_id=invoice_id)


def read_key(text: str | None) -> UUID:
    """The id that the form was given, so that sending it twice pays once; a new one where there is none."""
    try:
        return UUID(text or "")
    except ValueError:
        return uuid4()
