"""Statements of customers' accounts in the back office: what was made, and making one (BIL-07)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, make_response, request, url_for
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.billing.reading import read_id
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts
from portal.blueprints.localisation import gettext
from portal.blueprints.statements.handing import ask_for, read_request, send_statement
from portal.blueprints.statements.presenters import form_choices, present_statement
from portal.errors import Conflict, Invalid
from portal.services.billing.customers import get_customer
from portal.services.statements.queries import get_statement, page_statements


class StatementsView(ServiceView):
    """Everybody's statements; with `customer` those of one company, and the forms for it."""

    policy = Permission.BILLING_READ

    @route("/", methods=("GET", "POST"))
    def index(self) -> ResponseReturnValue:
        """The list, and the forms where a company is named."""
        company_id = read_id(request.args.get("customer"))
        if request.method != "POST":
            return self._page(company_id, {}, {})
        try:
            ask_for(read_request(request.form, company_id))
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            status = 422 if isinstance(error, Invalid) else 409
            answer = make_response(self._page(company_id, request.form, refusal_texts(error, "statement")))
            answer.status_code = status
            return answer
        flash(gettext("The statement is being made. You will be told by mail when it is ready."), "ok")
        return http.see_other("staff_statements.index", customer=company_id)

    @route("/<uuid:statement_id>")
    def open(self, statement_id: UUID) -> ResponseReturnValue:
        """Lead to the list in which it stands."""
        found = get_statement(http.session(), statement_id, actor=http.actor())
        return http.see_other("staff_statements.index", customer=found.customer_id)

    @route("/<uuid:statement_id>/download")
    def download(self, statement_id: UUID) -> ResponseReturnValue:
        """The file."""
        return send_statement(statement_id)

    def _page(self, company_id: UUID | None, form: Mapping[str, str], errors: Mapping[str, str]) -> ResponseReturnValue:
        session, actor = http.session(), http.actor()
        company = get_customer(session, company_id, actor=actor) if company_id else None
        page = page_statements(session, actor=actor, customer_id=company_id, cursor=request.args.get("cursor"))
        rows = [present_statement(row) for row in page.items]
        today = http.now().astimezone(ZoneInfo(http.tenant().timezone)).date()
        kept: dict[str, Any] = {"customer": company_id} if company_id else {}
        context = {
            "company": company,
            "rows": rows,
            "several": company is None,
            "waiting": any(not row["ready"] and not row["why"] for row in rows),
            "form": form,
            "errors": errors,
            "download": "staff_statements.download",
            "here": url_for("staff_statements.index", **kept),
            "earlier": url_for(".index", **kept, cursor=page.previous_cursor) if page.previous_cursor else None,
            "later": url_for(".index", **kept, cursor=page.next_cursor) if page.next_cursor else None,
            **form_choices(today),
        }
        if http.wants_fragment():
            return http.render_live("statements/_list.html", "statements/_list.html", context)
        return self.render("admin/statements/index.html", **context)
