"""What the keys do, and the switch for them (UXA-08)."""

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.routes import account
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.lib.wording.keyboard import FOR_CUSTOMERS
from portal.services.accounts.preferences import save_preferences


@account.get("/keyboard")
@permission(Permission.PREFERENCES_EDIT)
def keyboard() -> ResponseReturnValue:
    """The keys as a page, or as the dialog that `?` opens."""
    return render_template(
        "accounts/_keyboard.html" if http.wants_fragment() else "accounts/keyboard.html",
        keys=[(key, gettext(text)) for key, text in FOR_CUSTOMERS],
        save_url=url_for("account.switch_keyboard"),
    )


@account.post("/keyboard")
@permission(Permission.PREFERENCES_EDIT)
def switch_keyboard() -> ResponseReturnValue:
    """Switch the keys on or off, and go back to where that was done."""
    switch_keys()
    return http.see_other("account.keyboard")


def switch_keys() -> None:
    """Store what the form says for whoever is signed in."""
    wanted = request.form.get("shortcuts") == "1"
    save_preferences(
        http.session(), shortcuts=wanted, locales=http.tenant().locales, actor=http.actor(), now=http.now()
    )
    http.commit()
    flash(gettext("Saved"), "ok")
