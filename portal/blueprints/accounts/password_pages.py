"""Another password for somebody who knows the one that is (H9.2); the same at both doors."""

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.doors import device_token
from portal.blueprints.accounts.forms import Refusal, refusal_texts, signed_in_identity, status_of
from portal.blueprints.accounts.routes import account
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid, Unauthenticated, invalid
from portal.services.accounts.password_change import PasswordChange, change_password, has_password


@account.route("/account/password", methods=["GET", "POST"])
@permission(Permission.PROFILE_EDIT)
def password() -> ResponseReturnValue:
    """The form of customers."""
    return password_page("accounts/password.html", "account.password")


def password_page(template: str, endpoint: str) -> ResponseReturnValue:
    """The form, or what was sent with it; passwords never come back."""
    error: Refusal | None = None
    if request.method == "POST":
        try:
            save_password(request.form.get("current_password", ""), request.form.get("new_password", ""))
        except (Invalid, Conflict, Unauthenticated) as refused:
            http.session().rollback()
            error = refused
        else:
            flash(gettext("Password changed. Everything else that was signed in has to sign in again."), "ok")
            return http.see_other(endpoint)
    page = render_template(
        template,
        errors=refusal_texts(error, "current_password") if error else {},
        has_password=has_password(http.session(), actor=http.actor()),
        identifier=signed_in_identity().email,
    )
    return page, status_of(error) if error else 200


def save_password(current: str, new: str) -> None:
    """Change it and commit. Raises Invalid about `current_password` and `new_password`, `sign_in_locked`."""
    missing = [name for name, typed in (("current_password", current), ("new_password", new)) if not typed]
    if missing:
        raise invalid(missing[0], "required")
    done = change_password(
        http.session(),
        PasswordChange(current, new, http.origin(), device_token()),
        identity=signed_in_identity(),
        passwords=http.passwords(),
        letterhead=http.letterhead(),
        now=http.now(),
        keep=http.session_id(),
    )
    # A wrong one is counted although it is refused.
    http.commit()
    if not done:
        raise invalid("current_password", "current_password_wrong")
