"""The staff door: its own sign-in, its own token, so that one browser can stand at both doors."""

from flask import Blueprint, redirect, render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.api.limits import count_wrong_guess, refuse_guessing
from portal.blueprints.guard import cookie_name
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import public, signed_in
from portal.errors import Unauthenticated
from portal.lib.text import has_forbidden_characters
from portal.lib.wording.errors import error_text
from portal.services.accounts import sessions

DOOR = "admin"
IDENTIFIER_LENGTH = 254
bp = Blueprint("admin_access", __name__, url_prefix="/admin")


@bp.route("/login", methods=["GET", "POST"])
@public
def login() -> ResponseReturnValue:
    """The sign-in of staff; customers are refused with the sentence that a wrong password gets."""
    if request.method == "GET":
        if http.identity() is not None:
            return http.see_other("admin.index")
        return _page(expired=request.args.get("expired") == "1")
    identifier = request.form.get("identifier", "")[:IDENTIFIER_LENGTH]
    password = request.form.get("password", "")
    if not identifier.strip() or not password:
        missing = "identifier" if not identifier.strip() else "password"
        return _page(identifier, field=missing, code="required", status=422)
    refuse_guessing(identifier)
    try:
        _sign_in(identifier, password)
    except Unauthenticated as error:
        http.session().rollback()
        count_wrong_guess(identifier)
        return _page(identifier, code=error.code, status=401)
    http.commit()
    target = http.safe_target(request.form.get("next") or request.args.get("next"), "/admin/")
    return redirect(target if target.startswith("/admin") else "/admin/", code=303)


@bp.post("/logout")
@signed_in
def logout() -> ResponseReturnValue:
    """End this door's session for good; the other door's stays."""
    token = cookie.pop(cookie_name(DOOR), None)
    if isinstance(token, str):
        sessions.sign_out(http.session(), token, actor=http.actor(), now=http.now())
        http.commit()
    return http.see_other("admin_access.login")


def _sign_in(identifier: str, password: str) -> None:
    if has_forbidden_characters(identifier):
        raise Unauthenticated("wrong_credentials")
    token, _ = sessions.sign_in(
        http.session(),
        identifier=identifier,
        password=password,
        door=DOOR,
        passwords=http.passwords(),
        origin=http.origin(),
        now=http.now(),
    )
    # Whoever signs in gets a new token; one that was planted before is worth nothing.
    cookie[cookie_name(DOOR)] = token


def _page(
    identifier: str = "", *, field: str = "", code: str = "", status: int = 200, expired: bool = False
) -> ResponseReturnValue:
    text = error_text(code, {}, gettext) if code else ""
    page = render_template(
        "admin/login.html",
        identifier=identifier,
        errors=[(field or "identifier", text)] if text else [],
        field_error=field,
        next=http.safe_target(request.values.get("next"), ""),
        expired=expired,
    )
    return page, status
