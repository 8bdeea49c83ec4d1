"""What customers may do with their tickets: how urgent they are, how long messages can be edited, tickets reopened."""

from collections.abc import Mapping
from typing import Any

from flask import current_app, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import Form, StringField

from portal.admin.base import ServiceView, route
from portal.admin.desk.history import Facts, version_rows, wanted_version
from portal.admin.editing import error_list, show_errors
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext, ngettext
from portal.blueprints.policies import permission
from portal.errors import Invalid
from portal.lib.wording.tickets import PRIORITY
from portal.services.tenants.directory import TenantDirectory
from portal.services.tenants.ticket_policy import HIGHEST, TicketPolicy
from portal.services.tenants.ticket_settings import (
    TicketPolicyForm,
    list_policy_versions,
    load_policy,
    restore_policy,
    save_policy,
)

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
                _commit()
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

    @route("/versions/")
    @permission(Permission.SLA_CONFIGURE)
    def versions(self) -> ResponseReturnValue:
        """What the rules were before, and the way back."""
        found = list_policy_versions(http.session(), actor=http.actor())
        return self.render(
            "admin/desk/history.html",
            heading=gettext("Customers’ tickets"),
            record_id="",
            record_url=None,
            up_label=gettext("Customers’ tickets"),
            up_url=url_for("ticket_settings.index"),
            restore_url=url_for("ticket_settings.restore"),
            versions=version_rows(found, _facts),
        )

    @route("/restore/", methods=("POST",))
    @permission(Permission.SLA_CONFIGURE)
    def restore(self) -> ResponseReturnValue:
        """Go back to a version."""
        number = wanted_version()
        try:
            restore_policy(http.session(), number, actor=http.actor(), now=http.now())
        except Invalid:
            http.session().rollback()
            flash(gettext("This version refers to something that is gone; nothing was changed."), "err")
            return http.see_other("ticket_settings.versions")
        _commit()
        flash(gettext("Version %(number)s is in force again", number=number), "ok")
        return http.see_other("ticket_settings.versions")


def _commit() -> None:
    """Commit, and have the next request read the rules anew."""
    http.commit()
    directory: TenantDirectory = current_app.extensions["portal_tenants"]
    directory.forget()


def _facts(form: Mapping[str, Any]) -> Facts:
    minutes, days = form["edit_minutes"], form["reopen_days"]
    editing = gettext("Until the other side has answered")
    if minutes is not None:
        editing = ngettext("For %(num)d minute", "For %(num)d minutes", minutes)
    return [
        (gettext("Highest priority that customers may choose"), gettext(PRIORITY[form["highest_priority"]])),
        (gettext("How long authors may edit what they sent"), editing),
        (gettext("Reopening"), ngettext("%(num)d day after closing", "%(num)d days after closing", days)),
    ]
