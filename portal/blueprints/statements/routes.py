"""Statements of the company's account: asked for, followed while they are made, downloaded (H7.12, BIL-07)."""

from collections.abc import Mapping
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, make_response, request, url_for
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.blueprints.statements.handing import ask_for, read_request, send_statement
from portal.blueprints.statements.presenters import form_choices, present_statement
from portal.errors import Conflict, Invalid
from portal.services.statements.queries import page_statements

bp = Blueprint("statements", __name__, url_prefix="/portal/statements")


@bp.get("")
@permission(Permission.INVOICES_READ)
def index() -> ResponseReturnValue:
    """The forms, and what was asked for; the list is fetched again while something is being made."""
    return _page({}, {})


@bp.post("")
@permission(Permission.INVOICES_READ)
def create() -> ResponseReturnValue:
    """Ask for one."""
    try:
        ask_for(read_request(request.form, _chosen(request.form)))
        http.commit()
    except (Invalid, Conflict) as error:
        http.session().rollback()
        status = 422 if isinstance(error, Invalid) else 409
        answer = make_response(_page(request.form, refusal_texts(error, "statement")))
        answer.status_code = status
        return answer
    flash(gettext("Your statement is being made. You will be told by mail when it is ready."), "ok")
    return http.see_other(".index")


@bp.get("/<uuid:statement_id>/download")
@permission(Permission.INVOICES_READ)
def download(statement_id: UUID) -> ResponseReturnValue:
    """The file."""
    return send_statement(statement_id)


def _page(form: Mapping[str, str], errors: Mapping[str, str]) -> ResponseReturnValue:
    person = http.identity()
    companies = person.companies if person else ()
    page = page_statements(http.session(), actor=http.actor(), cursor=request.args.get("cursor"))
    today = http.now().astimezone(ZoneInfo(http.tenant().timezone)).date()
    rows = [present_statement(row) for row in page.items]
    context = {
        "rows": rows,
        "several": len(companies) > 1,
        "companies": [(str(company_id), name) for company_id, name in companies],
        "waiting": any(not row["ready"] and not row["why"] for row in rows),
        "form": form,
        "errors": errors,
        "download": "statements.download",
        "here": url_for("statements.index"),
        "earlier": url_for(".index", cursor=page.previous_cursor) if page.previous_cursor else None,
        "later": url_for(".index", cursor=page.next_cursor) if page.next_cursor else None,
        **form_choices(today),
    }
    return http.render_live("statements/index.html", "statements/_list.html", context)


def _chosen(form: Mapping[str, str]) -> UUID | None:
    try:
        return UUID(form.get("company", ""))
    except ValueError:
        return None
