"""Statuses of the tenant's own: what each counts as, and what the team and customers read."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import BooleanField, Form, StringField

from portal.admin.base import route
from portal.admin.desk.history import Facts, KeptModelView, named_facts, state_text
from portal.admin.sla.forms import valid_uuid
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext
from portal.errors import NotFound
from portal.lib.wording.tickets import STATUS_FOR_STAFF
from portal.models import CustomStatus
from portal.services.tickets.custom_statuses import (
    RECORD,
    StatusForm,
    list_custom_statuses,
    move_custom_status,
    restore_custom_status,
    save_custom_status,
)


def status_name(row: CustomStatus, *, staff: bool = True) -> str:
    """The audience's name in the reader's language, else in the tenant's."""
    names = row.staff_names if staff else row.customer_names
    return str(names.get(current_locale()) or names.get(http.tenant().locale) or row.key)


def category_name(status: str) -> str:
    """What one of our statuses is called for the team."""
    return str(gettext(STATUS_FOR_STAFF[status]))


class StatusesView(KeptModelView):
    """The list in the order of the menus, and the form of one."""

    policy = Permission.SLA_READ
    write_policy = Permission.SLA_CONFIGURE
    routes = frozenset({"index_view", "create_view", "edit_view", "move_view", "versions_view", "restore_view"})
    record = kept_as = RECORD
    columns = (("key", lazy_gettext("Status")),)
    list_template = "admin/desk/statuses.html"
    create_template = edit_template = "admin/desk/status_form.html"
    helpers = {"status_name": status_name, "category_name": category_name}
    page_size = 50

    def __init__(self) -> None:
        super().__init__(CustomStatus, lazy_gettext("Statuses"), "ticket_statuses", "desk/statuses")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[CustomStatus]:
        """Every own status in the tenant's order."""
        return list_custom_statuses(http.session())[offset : offset + limit]

    def find_one(self, record_id: UUID) -> CustomStatus:
        """An own status."""
        for row in list_custom_statuses(http.session()):
            if row.id == record_id:
                return row
        raise NotFound(self.record)

    def create_form(self, obj: Any = None) -> Form:
        """A new status."""
        return _form(None)

    def edit_form(self, obj: CustomStatus | None = None) -> Form:
        """The stored status, or what was typed over it."""
        return _form(obj)

    def choices(self) -> dict[str, Any]:
        """What a status can count as."""
        return {"categories": [(key, gettext(label)) for key, label in STATUS_FOR_STAFF.items()]}

    def save(self, form: Any, record: CustomStatus | None) -> CustomStatus:
        """Have the service store it; open pages show the new names at their next request."""
        tenant = http.tenant()
        names = {
            side: {locale: form[f"{side}_{locale}"].data or "" for locale in tenant.locales}
            for side in ("staff", "customer")
        }
        row = save_custom_status(
            http.session(),
            record.id if record else None,
            form=StatusForm(form.category.data or "", names["staff"], names["customer"], bool(form.active.data)),
            locales=tenant.locales,
            main_locale=tenant.locale,
            actor=http.actor(),
            now=http.now(),
        )
        current_app.extensions["portal_tenants"].forget()
        return row

    def name_of(self, record: CustomStatus) -> str:
        """The name for the team."""
        return status_name(record)

    def facts_of(self, form: Mapping[str, Any]) -> Facts:
        """Both names, and whether it can be given."""
        return [
            *named_facts(gettext("For the team"), form["staff_names"]),
            *named_facts(gettext("For customers"), form["customer_names"]),
            (gettext("State"), state_text(form["active"])),
        ]

    def restore(self, record_id: UUID, version: int) -> CustomStatus:
        """Name it as it was called."""
        tenant = http.tenant()
        row = restore_custom_status(
            http.session(),
            record_id,
            version,
            locales=tenant.locales,
            main_locale=tenant.locale,
            actor=http.actor(),
            now=http.now(),
        )
        current_app.extensions["portal_tenants"].forget()
        return row

    @route("/move/", methods=("POST",))
    def move_view(self) -> ResponseReturnValue:
        """Move a status up or down."""
        wanted = valid_uuid(request.form.get("id"))
        if wanted is None:
            raise NotFound(self.record)
        up = request.form.get("direction") == "up"
        move_custom_status(http.session(), wanted, up=up, actor=http.actor(), now=http.now())
        http.commit()
        current_app.extensions["portal_tenants"].forget()
        return http.see_other("ticket_statuses.index_view")


def _form(row: CustomStatus | None) -> Form:
    """Both names for each of the tenant's languages."""
    fields: dict[str, Any] = {"category": StringField(default=row.category.value if row else "")}
    for locale in http.tenant().locales:
        fields[f"staff_{locale}"] = StringField(default=row.staff_names.get(locale, "") if row else "")
        fields[f"customer_{locale}"] = StringField(default=row.customer_names.get(locale, "") if row else "")
    fields["active"] = BooleanField(default=row.active if row else True)
    kind: type[Form] = type("StatusEditForm", (Form,), fields)
    return kind(request.form if request.method == "POST" else None)
