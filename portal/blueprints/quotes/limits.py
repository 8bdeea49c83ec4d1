"""Who of a company decides on quotes, set by its administrators."""

from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.blueprints.quotes.blueprint import bp
from portal.blueprints.quotes.views import field_texts
from portal.blueprints.quotes.wishes import typed_amount
from portal.errors import Invalid, NotFound
from portal.lib.money import Money
from portal.services.quotes.settings import read_settings
from portal.services.quotes.standing import get_administered_company, set_decision_limit


@bp.route("/deciding", methods=["GET", "POST"])
@permission(Permission.COMPANY_MANAGE)
def deciding() -> ResponseReturnValue:
    """The limit up to which everybody of the company accepts quotes."""
    company_id = _company_id()
    if request.method != "POST":
        return _page(company_id, None)
    try:
        currency = read_settings(http.session()).currency
        limit = typed_amount("decision_limit", request.form.get("decision_limit", ""), currency)
        set_decision_limit(
            http.session(), company_id, limit=limit, currency=currency, actor=http.actor(), now=http.now()
        )
        http.commit()
    except Invalid as error:
        http.session().rollback()
        return _page(company_id, error)
    flash(gettext("Saved"), "ok")
    return http.see_other("quotes.deciding", company=company_id)


def _page(company_id: UUID, error: Invalid | None) -> ResponseReturnValue:
    company = get_administered_company(http.session(), company_id, actor=http.actor())
    settings = read_settings(http.session())
    limit, currency = company.decision_limit, company.decision_currency or settings.currency
    stored = str(Money(limit, currency).decimal) if limit is not None else ""
    page = render_template(
        "quotes/deciding.html",
        company=company,
        value=request.form.get("decision_limit", stored),
        currency=currency,
        errors=field_texts(error),
    )
    return page, 422 if error else 200


def _company_id() -> UUID:
    """The administered company that the address names, else the first one."""
    administered = http.actor().admin_company_ids
    named = request.args.get("company", "")
    found = next((one for one in administered if str(one) == named), administered[0] if administered else None)
    if found is None or (named and str(found) != named):
        raise NotFound("company")
    return found
