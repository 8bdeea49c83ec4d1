"""Another phone number: asked for here, proved by the code that it gets (ACC-01)."""

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import fresh_proof
from portal.blueprints.accounts.forms import refusal_texts, status_of
from portal.blueprints.accounts.routes import account
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid, invalid
from portal.lib.phone_formats import readable_phone
from portal.services.accounts import phone_change


@account.route("/account/phone", methods=["GET", "POST"])
@permission(Permission.PROFILE_EDIT)
@fresh_proof
def change_phone() -> ResponseReturnValue:
    """The form, and what follows: a code on its way."""
    typed = request.form.get("phone", "")
    errors, status = {}, 200
    if request.method == "POST":
        try:
            phone_change.request_phone_change(
                http.session(), typed, letterhead=http.letterhead(), actor=http.actor(), now=http.now()
            )
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            errors, status = refusal_texts(error, "phone"), status_of(error)
        else:
            return http.see_other("account.phone_code")
    return render_template("accounts/phone.html", typed=typed, errors=errors), status


@account.route("/account/phone/code", methods=["GET", "POST"])
@permission(Permission.PROFILE_EDIT)
def phone_code() -> ResponseReturnValue:
    """The code from the message; without one that waits there is nothing to type."""
    errors, status = {}, 200
    if request.method == "POST":
        try:
            _confirm(request.form.get("code", ""))
        except (Invalid, Conflict) as error:
            http.session().rollback()
            errors, status = refusal_texts(error, "code"), status_of(error)
        else:
            flash(gettext("Phone number saved"), "ok")
            return http.see_other("account.profile")
    waiting = phone_change.pending_changes(http.session(), http.actor().user_id, now=http.now()).get("phone")
    if waiting is None and not errors:
        return http.see_other("account.profile")
    number = readable_phone(waiting.value) if waiting else ""
    return render_template("accounts/phone_code.html", number=number, errors=errors), status


@account.post("/account/phone/remove")
@permission(Permission.PROFILE_EDIT)
@fresh_proof
def remove_phone() -> ResponseReturnValue:
    """No phone number any more."""
    phone_change.remove_phone(
        http.session(), letterhead=http.letterhead(), actor=http.actor(), now=http.now(), keep=http.session_id()
    )
    http.commit()
    flash(gettext("Phone number removed"), "ok")
    return http.see_other("account.profile")


def _confirm(code: str) -> None:
    done = phone_change.confirm_phone_change(
        http.session(),
        code,
        letterhead=http.letterhead(),
        actor=http.actor(),
        now=http.now(),
        keep=http.session_id(),
    )
    # A wrong code is counted although it is refused.
    http.commit()
    if done is None:
        raise invalid("code", "code_wrong")
