"""The security page: authenticator, recovery codes, passkeys; registered for customers and for staff."""

from collections.abc import Sequence
from uuid import UUID

import segno
from flask import Blueprint, flash, g, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import check_proof, fresh_proof, renew_session
from portal.blueprints.accounts.passkey_forms import need_site, passkey_site, put_question, take_token
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission, while_enrolling
from portal.errors import Conflict, DomainError, Invalid, Unauthenticated
from portal.lib.phone_formats import readable_phone
from portal.lib.wording.errors import error_text
from portal.services.accounts.device_notices import read_notice_choice, save_notice_choice
from portal.services.accounts.factor_changes import (
    OwnFactors,
    begin_totp,
    confirm_totp,
    read_totp,
    renew_recovery_codes,
    switch_off_totp,
)
from portal.services.accounts.factor_policy import requires_factor
from portal.services.accounts.factors import read_factors
from portal.services.accounts.passkeys import (
    NAME_LENGTH,
    add_passkey,
    ask_for_new,
    find_passkey,
    list_passkeys,
    remove_passkey,
    rename_passkey,
)

bp = Blueprint("security", __name__)
own_security = permission(Permission.PROFILE_EDIT)


@bp.get("/security")
@while_enrolling
@own_security
def page() -> ResponseReturnValue:
    """What protects the login, besides its password."""
    return _page()


@bp.post("/security/new-devices")
@while_enrolling
@permission(Permission.PREFERENCES_EDIT)
def notices() -> ResponseReturnValue:
    """By which way new devices are told."""
    try:
        save_notice_choice(http.session(), request.form.get("new_device", ""), actor=http.actor(), now=http.now())
    except Invalid as error:
        http.session().rollback()
        return _page(_errors(error), status=422)
    http.commit()
    flash(gettext("Saved"), "ok")
    return http.see_other(".page")


@bp.post("/security/authenticator/new")
@while_enrolling
@own_security
@fresh_proof
def begin() -> ResponseReturnValue:
    """A new secret, and on to the page that shows it."""
    begin_totp(http.session(), own_factors(), vault=http.vault(), now=http.now())
    http.commit()
    return http.see_other(".authenticator")


@bp.route("/security/authenticator", methods=["GET", "POST"])
@while_enrolling
@own_security
@fresh_proof
def authenticator() -> ResponseReturnValue:
    """QR code and key of the authenticator that waits for its first code, and that code."""
    own = own_factors()
    if request.method != "POST":
        return _enrolment_page(own)
    codes = confirm_totp(http.session(), own, request.form.get("code", "")[:64], vault=http.vault(), now=http.now())
    if codes is None:
        return _enrolment_page(own, refusal="factor_wrong", status=422)
    renew_session(factor=True, method="totp")
    http.commit()
    return _codes_page(codes, gettext("Authenticator switched on"))


@bp.route("/security/authenticator/off", methods=["GET", "POST"])
@while_enrolling
@own_security
def switch_off() -> ResponseReturnValue:
    """Without the authenticator again; takes password and code, however fresh the last proof is."""
    own = own_factors()
    held = read_factors(http.session(), own.user_id)
    if not held.totp:
        return http.see_other(".page")
    wrong = check_proof(held) if request.method == "POST" else None
    if request.method != "POST" or wrong is not None:
        mandatory = held.passkeys == 0 and requires_factor(http.tenant().sign_in, own.identity.user)
        told = {"errors": [wrong.told] if wrong else [], "mandatory": mandatory}
        return render_template("accounts/security/switch_off.html", **told), wrong.status if wrong else 200
    switch_off_totp(http.session(), own, now=http.now())
    http.commit()
    flash(gettext("Authenticator switched off"), "ok")
    return http.see_other(".page")


@bp.post("/security/recovery-codes")
@while_enrolling
@own_security
@fresh_proof
def new_codes() -> ResponseReturnValue:
    """Ten new recovery codes, shown once."""
    codes = renew_recovery_codes(http.session(), own_factors(), now=http.now())
    http.commit()
    return _codes_page(codes, gettext("New recovery codes"))


@bp.route("/security/passkeys/new", methods=["GET", "POST"])
@while_enrolling
@own_security
@fresh_proof
def new_passkey() -> ResponseReturnValue:
    """The page on which a passkey is made, and what the browser made there."""
    if request.method != "POST":
        return _passkey_page()
    name = request.form.get("name", "")
    try:
        codes = add_passkey(
            http.session(),
            own_factors(),
            take_token(),
            request.form.get("credential", ""),
            name=name,
            site=need_site(),
            now=http.now(),
        )
    except (Unauthenticated, Conflict, Invalid) as error:
        # A question is asked once, whatever was wrong with the answer.
        http.commit()
        return _passkey_page(name=name, refusal=error)
    renew_session(factor=True, method="passkey")
    http.commit()
    if codes:
        return _codes_page(codes, gettext("Passkey added"))
    flash(gettext("Passkey added"), "ok")
    return http.see_other(".page")


@bp.post("/security/passkeys/question")
@while_enrolling
@own_security
@fresh_proof
def passkey_question() -> ResponseReturnValue:
    """What a browser needs to make a passkey."""
    question = ask_for_new(http.session(), own_factors(), site=need_site(), now=http.now())
    http.commit()
    return put_question(question)


@bp.route("/security/passkeys/<uuid:passkey_id>", methods=["GET", "POST"])
@while_enrolling
@own_security
def passkey(passkey_id: UUID) -> ResponseReturnValue:
    """One passkey: its name, and how to be rid of it."""
    own = own_factors()
    if request.method == "POST":
        try:
            rename_passkey(http.session(), own, passkey_id, request.form.get("name", ""), now=http.now())
        except Invalid as error:
            return _one_page(passkey_id, refusal=error)
        http.commit()
        flash(gettext("Saved"), "ok")
        return http.see_other(".page")
    return _one_page(passkey_id)


@bp.post("/security/passkeys/<uuid:passkey_id>/remove")
@while_enrolling
@own_security
@fresh_proof
def drop_passkey(passkey_id: UUID) -> ResponseReturnValue:
    """Forget a passkey."""
    remove_passkey(http.session(), own_factors(), passkey_id, now=http.now())
    http.commit()
    flash(gettext("Passkey removed"), "ok")
    return http.see_other(".page")


def own_factors() -> OwnFactors:
    """The reader's own factors, as seen from the session the request belongs to."""
    found = http.identity()
    if found is None:
        raise Unauthenticated("authentication_required")
    held = g.get("auth_session")
    return OwnFactors(
        found,
        http.tenant(),
        http.settings().base_url,
        session_id=held.id if held is not None else None,
        family_id=g.get("token_family"),
    )


def _page(refused: Sequence[tuple[str, str]] = (), *, status: int = 200) -> ResponseReturnValue:
    own = own_factors()
    page = render_template(
        "accounts/security/page.html",
        factors=read_factors(http.session(), own.user_id),
        passkeys=list_passkeys(http.session(), own.user_id),
        required=requires_factor(http.tenant().sign_in, own.identity.user),
        notices=read_notice_choice(http.session(), actor=http.actor()),
        readable_phone=readable_phone,
        errors=refused,
        site=passkey_site(),
        host=request.host,
    )
    return page, status


def _enrolment_page(own: OwnFactors, *, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    enrolment = read_totp(http.session(), own, vault=http.vault())
    if enrolment is None:
        return http.see_other(".page")
    text = error_text(refusal, {}, gettext) if refusal else ""
    picture = segno.make(enrolment.address, error="m", micro=False).svg_data_uri(scale=4, border=4, light="#fff")
    page = render_template(
        "accounts/security/authenticator.html",
        enrolment=enrolment,
        picture=picture,
        errors=[("code", text)] if text else [],
    )
    return page, status


def _codes_page(codes: list[str], title: str) -> ResponseReturnValue:
    """The only answer that ever holds recovery codes."""
    found = own_factors()
    text = render_template("accounts/security/codes.txt", codes=codes, email=found.identity.email)
    # The login was read before it had the factor.
    return render_template("accounts/security/codes.html", codes=codes, text=text, title=title, factor_due=None)


def _passkey_page(*, name: str = "", refusal: DomainError | None = None) -> ResponseReturnValue:
    status = {Unauthenticated: 401, Conflict: 409, Invalid: 422}.get(type(refusal), 422) if refusal else 200
    page = render_template(
        "accounts/security/new_passkey.html",
        errors=_errors(refusal),
        name=name,
        name_length=NAME_LENGTH,
        site=passkey_site(),
        host=request.host,
    )
    return page, status


def _one_page(passkey_id: UUID, *, refusal: Invalid | None = None) -> ResponseReturnValue:
    own = own_factors()
    held = read_factors(http.session(), own.user_id)
    last = not held.totp and held.passkeys == 1
    page = render_template(
        "accounts/security/passkey.html",
        passkey=find_passkey(http.session(), passkey_id, own.user_id),
        errors=_errors(refusal),
        name_length=NAME_LENGTH,
        mandatory=last and requires_factor(http.tenant().sign_in, own.identity.user),
    )
    return page, 422 if refusal else 200


def _errors(refusal: DomainError | None) -> list[tuple[str, str]]:
    """(field, sentence) of what was refused; what belongs to no field has none."""
    if refusal is None:
        return []
    if isinstance(refusal, Invalid) and refusal.errors:
        return [(item.field, error_text(item.code, dict(item.params), gettext)) for item in refusal.errors]
    return [("", error_text(refusal.code, refusal.params, gettext))]
