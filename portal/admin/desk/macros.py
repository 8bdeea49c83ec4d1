"""Macros: prepared answers of the team and texts for customers, with versions and a look at them on a ticket."""

from typing import Any
from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import Form

from portal.admin.base import route
from portal.admin.desk.macro_forms import build_form
from portal.admin.editing import EditableModelView
from portal.admin.sla.forms import valid_uuid
from portal.admin.tickets.macro_chips import change_texts
from portal.admin.tickets.own_choices import all_options
from portal.authz import Permission, require
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext
from portal.errors import Invalid, NotFound
from portal.lib.placeholders import FOR_CUSTOMERS, PLACEHOLDERS, fill
from portal.lib.wording.errors import error_text
from portal.lib.wording.tickets import PRIORITY
from portal.models import Macro
from portal.services.tenants.config_versions import list_versions
from portal.services.tickets.macro_form import CUSTOMER, ME, NOBODY, STAFF
from portal.services.tickets.macro_use import find_by_number, ticket_values
from portal.services.tickets.macros import (
    duplicate_macro,
    get_macro,
    list_macros,
    may_edit,
    restore_macro,
    save_macro,
    switch_macro,
)
from portal.services.tickets.queries import list_assignable, list_categories


def tenant_locales() -> tuple[str, ...]:
    """The tenant's languages, its own first."""
    tenant = http.tenant()
    return tenant.locale, *(locale for locale in tenant.locales if locale != tenant.locale)


class MacrosView(EditableModelView):
    """The list by audience, and the form of one."""

    policy = Permission.SLA_READ
    routes = frozenset(
        {"index_view", "create_view", "edit_view", "duplicate_view", "switch_view", "versions_view", "restore_view"}
    )
    record = "macro"
    columns = (("name", lazy_gettext("Macro")),)
    column_searchable_list = ("name",)
    list_template = "admin/desk/macros.html"
    create_template = edit_template = "admin/desk/macro_form.html"
    helpers = {
        "changes_of": change_texts,
        "may_edit": lambda macro: may_edit(macro, http.actor()),
        "may_make": lambda: http.actor().may(Permission.SLA_CONFIGURE) or http.actor().may(Permission.DESK_REPLY),
        "audience": lambda: request.args.get("audience"),
    }
    page_size = 50

    def __init__(self) -> None:
        super().__init__(Macro, lazy_gettext("Macros"), "macros", "desk/macros")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[Macro]:
        """Macros of one audience."""
        audience = CUSTOMER if request.args.get("audience") == CUSTOMER else STAFF
        return list_macros(
            http.session(), actor=http.actor(), audience=audience, search=search, limit=limit, offset=offset
        )

    def find_one(self, record_id: UUID) -> Macro:
        """A macro that the reader may change."""
        macro = get_macro(http.session(), record_id, actor=http.actor())
        if not may_edit(macro, http.actor()):
            require(http.actor(), Permission.SLA_CONFIGURE)
        return macro

    def create_form(self, obj: Any = None) -> Form:
        """A new macro."""
        return build_form(None)  # type: ignore[no-any-return]

    def edit_form(self, obj: Macro | None = None) -> Form:
        """The stored macro, or what was typed over it."""
        return build_form(obj)  # type: ignore[no-any-return]

    def prepare(self, form: Any) -> bool:
        """Show the texts on a ticket; only Save saves."""
        return request.form.get("do", "save") == "save"

    def save(self, form: Any, record: Macro | None) -> Macro:
        """Have the service store it."""
        return save_macro(
            http.session(),
            record.id if record else None,
            form=form.read(record),
            locales=tenant_locales(),
            actor=http.actor(),
            now=http.now(),
        )

    def choices(self) -> dict[str, Any]:
        """Options of the form, the places a text can have, and the texts on a ticket where one was named."""
        unchanged = ("", gettext("As it is"))
        given = request.form.get("audience") or request.args.get("audience")
        allowed = FOR_CUSTOMERS if given == CUSTOMER else PLACEHOLDERS
        people = [(str(id_), name) for id_, name in list_assignable(http.session())]
        locale = current_locale()
        return {
            "statuses": [unchanged, *all_options()],
            "priorities": [unchanged, *((key, gettext(label)) for key, label in PRIORITY.items())],
            "assignees": [unchanged, (ME, gettext("Whoever uses it")), (NOBODY, gettext("Nobody")), *people],
            "all_categories": [
                (row.key, row.name_in(locale)) for row in list_categories(http.session(), include_inactive=True)
            ],
            "places": [(name, gettext(label)) for name, label in PLACEHOLDERS.items() if name in allowed],
            "may_share": http.actor().may(Permission.SLA_CONFIGURE),
            "may_own": http.actor().may(Permission.DESK_REPLY),
            **self._preview(),
        }

    def _preview(self) -> dict[str, Any]:
        """The texts as they are typed, on the ticket whose number was given."""
        number = request.form.get("preview_number", "").strip()[:20]
        if request.form.get("do") != "preview" or not http.actor().may(Permission.DESK_READ):
            return {"preview_number": number, "preview": None}
        try:
            ticket_id = find_by_number(http.session(), number, actor=http.actor())
        except NotFound as error:
            return {"preview_number": number, "preview": [], "missing": error_text(error.code, {}, gettext)}
        values, _ = ticket_values(http.session(), ticket_id, actor=http.actor(), portal_name=http.tenant().name)
        texts = [(locale, request.form.get(f"text_{locale}", "")) for locale in tenant_locales()]
        shown = [(locale, fill(text, values)) for locale, text in texts if text.strip()]
        return {"preview_number": number, "preview": shown}

    @route("/duplicate/", methods=("POST",))
    def duplicate_view(self) -> ResponseReturnValue:
        """Make a copy, and go on with it."""
        copy = duplicate_macro(http.session(), _wanted(), actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("Copied"), "ok")
        return http.see_other("macros.edit_view", id=copy.id)

    @route("/switch/", methods=("POST",))
    def switch_view(self) -> ResponseReturnValue:
        """Offer it, or offer it no more."""
        active = request.form.get("active") == "1"
        macro = switch_macro(http.session(), _wanted(), active=active, actor=http.actor(), now=http.now())
        http.commit()
        return http.see_other("macros.index_view", audience=macro.audience)

    @route("/versions/")
    def versions_view(self) -> ResponseReturnValue:
        """Earlier states."""
        macro = self.get_one(request.args.get("id"))
        return self.render(
            "admin/desk/macro_versions.html", model=macro, versions=list_versions(http.session(), "macro", macro.id)
        )

    @route("/restore/", methods=("POST",))
    def restore_view(self) -> ResponseReturnValue:
        """Save an earlier state as the newest."""
        macro = self.get_one(request.form.get("id"))
        given = request.form.get("version", "")
        if not (given.isascii() and given.isdigit()):
            raise NotFound("version")
        try:
            restore_macro(
                http.session(),
                macro.id,
                version=int(given[:9]),
                locales=tenant_locales(),
                actor=http.actor(),
                now=http.now(),
            )
        except Invalid as error:
            http.session().rollback()
            flash(" ".join(error_text(item.code, dict(item.params), gettext) for item in error.errors), "err")
            return http.see_other("macros.versions_view", id=macro.id)
        http.commit()
        flash(gettext("Saved"), "ok")
        return http.see_other("macros.edit_view", id=macro.id)


def _wanted() -> UUID:
    found = valid_uuid(request.form.get("id"))
    if found is None:
        raise NotFound("macro")
    return found
