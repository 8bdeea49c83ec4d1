"""How people sign in: the tenant's rules, whom they concern, and the hosts it is reached at."""

from typing import Any

from flask import current_app, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import BooleanField, Form, StringField

from portal.admin.base import ServiceView, route
from portal.admin.editing import error_list, show_errors
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import fresh_proof
from portal.blueprints.localisation import gettext, ngettext
from portal.blueprints.policies import permission
from portal.errors import Invalid
from portal.models import UserKind
from portal.services.accounts.mass_sign_out import Whose, chosen_whose, end_all_sessions
from portal.services.tenants.directory import TenantDirectory
from portal.services.tenants.sign_in_policy import SignInPolicy
from portal.services.tenants.sign_in_settings import (
    SignInForm,
    count_concerned,
    list_domains,
    load_policy,
    plain,
    save_policy,
)

NUMBERS = ("grace_days", "idle_minutes")
SWITCHES = ("registration_open", "link_account_open", "phone_sign_up_open")


class SignInEditForm(Form):
    """The rules; numbers are text until the service has looked at them."""

    second_factor = StringField(lazy_gettext("Second factor"))
    grace_days = StringField(lazy_gettext("Days to set it up"))
    idle_minutes = StringField(lazy_gettext("Minutes without activity"))
    registration_open = BooleanField(lazy_gettext("Open registration"))
    link_account_open = BooleanField(lazy_gettext("Access by customer number"))
    phone_sign_up_open = BooleanField(lazy_gettext("Access by phone number"))

    def fill(self, policy: SignInPolicy) -> None:
        """Show the stored rules."""
        for name, value in plain(policy).items():
            self[name].data = value

    def read(self) -> SignInForm:
        """What the service takes; a number that is none becomes None, which it refuses."""
        values: dict[str, Any] = {name: _number(self[name].data) for name in NUMBERS}
        switches = {name: bool(self[name].data) for name in SWITCHES}
        return SignInForm(second_factor=self.second_factor.data or "", **values, **switches)


def _number(text: str | None) -> int | None:
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 7 else None


class SignInView(ServiceView):
    """The rules of signing in."""

    policy = Permission.SIGN_IN_CONFIGURE

    @route("/", methods=("GET", "POST"))
    @permission(Permission.SIGN_IN_CONFIGURE)
    @fresh_proof
    def index(self) -> ResponseReturnValue:
        """The form with the numbers of people it concerns, or what was sent with it."""
        form = SignInEditForm(request.form if request.method == "POST" else None)
        if request.method == "POST":
            try:
                save_policy(http.session(), form.read(), actor=http.actor(), now=http.now())
            except Invalid as error:
                http.session().rollback()
                show_errors(form, error)
            else:
                http.commit()
                directory: TenantDirectory = current_app.extensions["portal_tenants"]
                directory.forget()
                flash(gettext("Saved"), "ok")
                return http.see_other("sign_in_policy.index")
        else:
            form.fill(load_policy(http.session(), actor=http.actor()))
        concerned = count_concerned(http.session(), actor=http.actor(), now=http.now())
        page = self.render(
            "admin/sign_in/policy.html",
            form=form,
            form_errors=error_list(form),
            team=concerned[UserKind.STAFF],
            customers=concerned[UserKind.CUSTOMER],
        )
        return page, 422 if form.errors else 200

    @route("/end-sessions", methods=("GET", "POST"))
    @permission(Permission.SIGN_IN_CONFIGURE)
    @fresh_proof
    def end_sessions(self) -> ResponseReturnValue:
        """Ask whether everybody shall sign in again; have them do so."""
        whose = _whose()
        if whose is None:
            return http.see_other("sign_in_policy.index")
        if request.method != "POST":
            concerned = count_concerned(http.session(), actor=http.actor(), now=http.now())
            people = sum(concerned[kind].sessions for kind in whose.kinds)
            return self.render("admin/sign_in/end_sessions.html", whose=whose.value, people=people)
        ended = end_all_sessions(http.session(), whose, keep=http.session_id(), actor=http.actor(), now=http.now())
        http.commit()
        flash(ngettext("%(num)d session ended", "%(num)d sessions ended", ended), "ok")
        return http.see_other("sign_in_policy.index")


def _whose() -> Whose | None:
    """Whose sessions were chosen, None where an address names nobody we know."""
    try:
        return chosen_whose(request.values.get("whose"))
    except Invalid:
        return None


class DomainsView(ServiceView):
    """The hosts at which the portal answers."""

    policy = Permission.SIGN_IN_CONFIGURE

    @route("/")
    def index(self) -> ResponseReturnValue:
        """The list; hosts are added where their ownership is proved, by the operator."""
        return self.render("admin/sign_in/domains.html", domains=list_domains(http.session(), actor=http.actor()))
