"""Several invoices in one payment (BIL-03): which, what they come to, and how they are paid."""

from collections.abc import Iterable
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts
from portal.blueprints.billing.presenters import state_text
from portal.blueprints.payments.gateway import desk
from portal.blueprints.payments.paying import choices_of, lead_on, parse_id, start_chosen
from portal.blueprints.payments.presenters import money
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid, invalid
from portal.models import Invoice
from portal.services.billing.settings import load_settings
from portal.services.payments.balances import available
from portal.services.payments.queries import list_payable

bp = Blueprint("together", __name__)
UNPAID_SHOWN = 50


@bp.route("/portal/payments/new", methods=["GET", "POST"])
@permission(Permission.INVOICES_PAY)
def several() -> ResponseReturnValue:
    """Choose, and pay; an address may name invoices (`?invoice=`), which are chosen then."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            desk()
            chosen: dict[UUID, int | None] = {parse_id(value): None for value in request.form.getlist("invoice")}
            if not chosen:
                raise invalid("invoice", "required")
            return lead_on(start_chosen(chosen, request.form).id)
        except (Invalid, Conflict) as error:
            http.session().rollback()
            errors = refusal_texts(error, "invoice")
    rows = list_payable(http.session(), actor=http.actor(), limit=UNPAID_SHOWN)
    wanted = set(request.values.getlist("invoice"))
    page = render_template(
        "payments/several.html",
        rows=[_present(row) for row in rows],
        errors=errors,
        chosen=wanted,
        sums=[money(due, currency) for currency, due in _totals(row for row in rows if str(row.id) in wanted).items()],
        form=request.form,
        **choices_of(load_settings(http.session()), _totals(rows)),
    )
    return page, 422 if errors else 200


def _present(row: Invoice) -> dict[str, str]:
    return {
        "id": str(row.id),
        "number": row.number or "",
        "amount": money(available(row), row.currency),
        "note": state_text(row.status, row, http.now()),
    }


def _totals(rows: Iterable[Invoice]) -> dict[str, int]:
    """What is due in each currency."""
    totals: dict[str, int] = {}
    for row in rows:
        totals[row.currency] = totals.get(row.currency, 0) + available(row)
    return totals
