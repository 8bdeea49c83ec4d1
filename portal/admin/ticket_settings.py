"""What customers may do with their tickets: how urgent they are, how long messages can be edited, tickets reopened."""

from flask import current_app, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import Form, StringField

from portal.admin.base import ServiceView, route
from portal.admin.editing import error_list, show_errors
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Invalid
from portal.lib.wording.tickets import PRIORITY
from portal.services.tenants.directory import TenantDirectory
from portal.services.tenants.ticket_policy import HIGHEST, TicketPolicy
from portal.services.tenants.ticket_settings import TicketPolicyForm, load_policy, save_policy

TIMED, ANSWERED = "minutes", "answered"
# What the field shows to a tenant that has not set any.
_SUGGESTED_MINUTES = 15


class TicketSettingsForm(Form):
    """The rules; numbers are text until the service has looked at them."""

    highest_priority = StringField(lazy_gettext("Highest priority"))
    editing = StringField(lazy_gettext("Editing"))
    edit_minutes = StringField(lazy_gettext("Minutes"))
    reopen_days = StringField(lazy_gettext("Days after closing"))

    def fill(self, policy: TicketPolicy) -> None:
        """Show the stored rules."""
        self.highest_priority.data = policy.highest_priority.value
        self.editing.data = ANSWERED if policy.edit_minutes is None else TIMED
        self.reopen_days.data = str(policy.reopen_days)
        self.edit_minutes.data = str(_SUGGESTED_MINUTES if policy.edit_minutes is None else policy.edit_minutes)

    def read(self) -> TicketPolicyForm:
        """What the service takes; a number that is none becomes None, which it refuses."""
        minutes, days = _number(self.edit_minutes.data), _number(self.reopen_days.data)
        return TicketPolicyForm(self.highest_priority.data or "", self.editing.data == TIMED, minutes, days)


def _number(text: str | None) -> int | None:
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 7 else None


class TicketSettingsView(ServiceView):
    """The rules of customers' tickets."""

    policy = Permission.SLA_CONFIGURE

    @route("/", methods=("GET", "POST"))
    @permission(Permission.SLA_CONFIGURE)
    def index(self) -> ResponseReturnValue:
        """The form, or what was sent with it."""
        form = TicketSettingsForm(request.form if request.method == "POST" else None)
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
                return http.see_other("ticket_settings.index")
        else:
            form.fill(load_policy(http.session(), actor=http.actor()))
        page = self.render(
            "admin/sla/ticket_settings.html",
            form=form,
            form_errors=error_list(form),
            priorities=[(key.value, gettext(PRIORITY[key])) for key in reversed(HIGHEST)],
        )
        return page, 422 if form.errors else 200
