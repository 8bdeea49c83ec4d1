"""Asking for a quote, and following the request until the quote arrives (QTE-01)."""

from datetime import date
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.blueprints.quotes.blueprint import bp
from portal.blueprints.quotes.presenters import request_view
from portal.blueprints.quotes.views import field_texts, problem_text, status_of
from portal.errors import Conflict, Invalid, invalid
from portal.lib.money import parse_amount
from portal.services.quotes.requests import (
    SUBJECT_LENGTH,
    TEXT_LENGTH,
    QuoteWish,
    get_request_row,
    request_quote,
)
from portal.services.quotes.settings import read_settings


@bp.route("/request", methods=["GET", "POST"])
@permission(Permission.QUOTES_REQUEST)
def ask() -> ResponseReturnValue:
    """The form; what cannot be sent stays in it."""
    if request.method != "POST":
        return _form(None)
    try:
        made = request_quote(http.session(), _wish(), actor=http.actor(), now=http.now())
        http.commit()
    except (Invalid, Conflict) as error:
        http.session().rollback()
        return _form(error)
    flash(gettext("Request %(number)s sent", number=made.number), "ok")
    return http.see_other("quotes.request_state", request_id=made.id)


@bp.get("/requests/<uuid:request_id>")
@permission(Permission.QUOTES_READ)
def request_state(request_id: UUID) -> ResponseReturnValue:
    """Where a request stands."""
    row = get_request_row(http.session(), request_id, actor=http.actor())
    return render_template("quotes/request_state.html", wish=request_view(row))


def _wish() -> QuoteWish:
    form = request.form
    currency = read_settings(http.session()).currency
    return QuoteWish(
        subject=form.get("subject", ""),
        requirements=form.get("requirements", ""),
        budget=typed_amount("budget", form.get("budget", ""), currency),
        currency=currency,
        wanted_by=typed_day("wanted_by", form.get("wanted_by", "")),
    )


def typed_amount(field: str, text: str, currency: str) -> int | None:
    """Minor units of an amount as people type it (a comma may stand for the point); None where nothing is."""
    if not text.strip():
        return None
    try:
        return parse_amount(text.replace(",", ".").replace("\u00a0", "").replace(" ", ""), currency).amount
    except ValueError:
        raise invalid(field, "amount_invalid") from None


def typed_day(field: str, text: str) -> date | None:
    """A day of a date field; None where nothing is typed."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise invalid(field, "date_invalid") from None


def _form(error: Invalid | Conflict | None) -> ResponseReturnValue:
    page = render_template(
        "quotes/request.html",
        form=request.form,
        errors=field_texts(error),
        problem=problem_text(error),
        currency=read_settings(http.session()).currency,
        subject_length=SUBJECT_LENGTH,
        text_length=TEXT_LENGTH,
    )
    return page, status_of(error)
