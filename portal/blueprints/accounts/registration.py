"""Getting an account: the ways a tenant leaves open, and registering by a proven address (AUTH-13)."""

from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.accounts.forms import error_texts, stranger
from portal.blueprints.accounts.routes import DOOR
from portal.blueprints.api.limits import count_request, may_mail
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.policies import public
from portal.errors import Conflict, Invalid
from portal.services.accounts.registration import (
    COMPANY_LENGTH,
    NAME_LENGTH,
    TITLE_LENGTH,
    NewAccount,
    Registration,
    complete_registration,
    find_registration,
    request_registration,
)

bp = Blueprint("registration", __name__, url_prefix="/portal")
LENGTHS = {"name": NAME_LENGTH, "company": COMPANY_LENGTH, "title": TITLE_LENGTH}


@bp.get("/create-account")
@public
def ways() -> ResponseReturnValue:
    """How to get an account here: only what the tenant leaves open is offered."""
    return _render("accounts/create_account.html", policy=http.tenant().sign_in)


@bp.route("/register", methods=["GET", "POST"])
@public
def register() -> ResponseReturnValue:
    """Ask for an account; the answer is the same for every address."""
    if not http.tenant().sign_in.registration_open:
        raise Conflict("registration_closed")
    form = request.form
    if request.method != "POST":
        return _form(form)
    wanted = Registration(form.get("name", ""), form.get("email", ""), form.get("company", ""), current_locale())
    count_request()
    try:
        ask_for_account(wanted)
    except Invalid as error:
        http.session().rollback()
        return _form(form, error)
    http.commit()
    return http.see_other("registration.sent")


def ask_for_account(wanted: Registration) -> None:
    """Note a registration; what an address gets beyond its share of mails is taken back without a word."""
    request_registration(
        http.session(), wanted, tenant=http.tenant(), vault=http.vault(), actor=stranger(), now=http.now()
    )
    if not may_mail(wanted.email):
        http.session().rollback()


@bp.get("/register/sent")
@public
def sent() -> ResponseReturnValue:
    """Look into your mail."""
    return _render("accounts/register_sent.html")


@bp.route("/register/<token>", methods=["GET", "POST"])
@public
def set_up(token: str) -> ResponseReturnValue:
    """The address is proven: name, company and password make the account, and lead to the dashboard."""
    try:
        asked = find_registration(http.session(), token, tenant=http.tenant(), vault=http.vault(), now=http.now())
        if request.method != "POST":
            return _set_up_form(asked, {"name": asked.name, "company": asked.company})
        return _complete(token, asked)
    except Conflict as error:
        http.session().rollback()
        if error.code == "link_expired":
            return _render("accounts/link_expired.html", forgot_url=url_for("registration.register")), 410
        raise


def _complete(token: str, asked: Registration) -> ResponseReturnValue:
    form = request.form
    account = NewAccount(
        name=form.get("name", ""),
        company=form.get("company", ""),
        title=form.get("title", ""),
        password=form.get("password", ""),
        locale=current_locale(),
    )
    try:
        user = complete_registration(
            http.session(),
            token,
            account,
            tenant=http.tenant(),
            vault=http.vault(),
            passwords=http.passwords(),
            origin=http.origin(),
            now=http.now(),
        )
    except Invalid as error:
        http.session().rollback()
        return _set_up_form(asked, form, error)
    answer = DOOR.let_in(user, method="link")
    flash(gettext("Your account is ready"), "ok")
    return answer


def _form(form: Any, error: Invalid | None = None) -> ResponseReturnValue:
    page = _render("accounts/register.html", form=form, errors=error_texts(error), lengths=LENGTHS)
    return page, 422 if error else 200


def _set_up_form(asked: Registration, form: Any, error: Invalid | None = None) -> ResponseReturnValue:
    page = _render("accounts/set_up.html", asked=asked, form=form, errors=error_texts(error), lengths=LENGTHS)
    return page, 422 if error else 200


def _render(template: str, **context: Any) -> str:
    return render_template(template, **{"login_url": url_for("access.login")} | context)
