"""API keys of a customer: made here, shown once, revoked here (H9.9)."""

from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import fresh_proof
from portal.blueprints.accounts.forms import place_text, refusal_texts, status_of
from portal.blueprints.accounts.routes import account
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.services.accounts.api_keys import NAME_LENGTH, create_key, list_keys, revoke_key


@account.get("/account/api-keys")
@permission(Permission.API_KEYS_MANAGE)
def api_keys() -> ResponseReturnValue:
    """The keys that work."""
    keys = list_keys(http.session(), actor=http.actor())
    return render_template("accounts/api_keys.html", keys=keys, place_text=place_text)


@account.route("/account/api-keys/new", methods=["GET", "POST"])
@permission(Permission.API_KEYS_MANAGE)
@fresh_proof
def new_api_key() -> ResponseReturnValue:
    """The form; what it answers shows the key, this once."""
    typed = request.form.get("name", "")
    errors, status = {}, 200
    if request.method == "POST":
        try:
            made = create_key(http.session(), typed, letterhead=http.letterhead(), actor=http.actor(), now=http.now())
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            errors, status = refusal_texts(error, "name"), status_of(error)
        else:
            return render_template("accounts/api_key_made.html", made=made), 201
    return render_template("accounts/api_key_new.html", typed=typed, errors=errors, limit=NAME_LENGTH), status


@account.post("/account/api-keys/<uuid:key_id>/revoke")
@permission(Permission.API_KEYS_MANAGE)
def revoke_api_key(key_id: UUID) -> ResponseReturnValue:
    """End a key; what still uses it is refused at once."""
    revoke_key(http.session(), key_id, actor=http.actor(), now=http.now())
    http.commit()
    flash(gettext("API key revoked"), "ok")
    return http.see_other("account.api_keys")
