"""Another mail address: asked for here, proved by the link that its mailbox gets (ACC-01).

Links are followed without signing in, and by mail programs that look at every page: only POST uses them up.
"""

from flask import flash, g, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import fresh_proof
from portal.blueprints.accounts.forms import refusal_texts, signed_in_identity, status_of
from portal.blueprints.accounts.routes import account
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission, public
from portal.errors import Conflict, Invalid
from portal.models import LinkPurpose
from portal.services.accounts import email_change
from portal.services.accounts.one_time import peek_link


@account.route("/account/email", methods=["GET", "POST"])
@permission(Permission.PROFILE_EDIT)
@fresh_proof
def change_email() -> ResponseReturnValue:
    """The form, and what follows: a link on its way."""
    typed = request.form.get("email", "")
    errors, status = {}, 200
    if request.method == "POST":
        try:
            sent_to = email_change.request_email_change(
                http.session(),
                typed,
                letterhead=http.letterhead(),
                session_id=http.session_id(),
                actor=http.actor(),
                now=http.now(),
            )
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            errors, status = refusal_texts(error, "email"), status_of(error)
        else:
            flash(gettext("We have sent a link to %(address)s", address=sent_to), "ok")
            return http.see_other("account.profile")
    identity = signed_in_identity()
    return render_template("accounts/email.html", identity=identity, typed=typed, errors=errors), status


@account.post("/account/email/cancel")
@permission(Permission.PROFILE_EDIT)
def cancel_email() -> ResponseReturnValue:
    """Keep the address that is."""
    email_change.cancel_email_change(http.session(), actor=http.actor(), now=http.now())
    http.commit()
    flash(gettext("Your address stays as it is"), "ok")
    return http.see_other("account.profile")


@account.route("/account/confirm-email/<token>", methods=["GET", "POST"])
@public
def confirm_email(token: str) -> ResponseReturnValue:
    """The page that a link to a new address leads to."""
    try:
        if request.method != "POST":
            link = peek_link(http.session(), token, LinkPurpose.CHANGE_EMAIL, now=http.now())
            return _link_page("confirm", email=link.payload["email"])
        found = http.identity()
        held = g.get("auth_session")
        done = email_change.confirm_email_change(
            http.session(),
            token,
            letterhead=http.letterhead(),
            origin=http.origin(),
            here=(found.user.id, held.id) if found and held is not None else None,
            now=http.now(),
        )
        http.commit()
    except Conflict as error:
        return _dead_link(error)
    return _link_page("confirmed", email=done.email, changed=done.changed)


@account.route("/account/keep-email/<token>", methods=["GET", "POST"])
@public
def keep_email(token: str) -> ResponseReturnValue:
    """The page that the old address's link leads to: this was not me."""
    try:
        if request.method != "POST":
            link = peek_link(http.session(), token, LinkPurpose.KEEP_EMAIL, now=http.now())
            return _link_page("keep", email=link.payload["email"])
        done = email_change.keep_email(http.session(), token, origin=http.origin(), now=http.now())
        http.commit()
    except Conflict as error:
        return _dead_link(error)
    return _link_page("kept", email=done.email, changed=done.changed)


def _link_page(step: str, *, email: str, changed: bool = False) -> ResponseReturnValue:
    return render_template("accounts/email_link.html", step=step, email=email, changed=changed)


def _dead_link(error: Conflict) -> ResponseReturnValue:
    """Used, stopped, late, never there, or overtaken by somebody else."""
    http.session().rollback()
    text = refusal_texts(error)[""]
    return render_template("accounts/email_link.html", step="dead", text=text, email="", changed=False), 409
