"""The form of a macro: a text per language, and what it changes."""

from typing import Any

from flask import request
from flask_babel import lazy_gettext
from wtforms import BooleanField, Form, SelectMultipleField, StringField, TextAreaField

from portal.admin.tickets.own_choices import OWN, read_status
from portal.authz import Permission
from portal.blueprints import http
from portal.models import Macro
from portal.services.tickets.macro_form import CUSTOMER, STAFF, MacroForm


class MacroBase(Form):
    """What every macro has; texts are added per language."""

    name = StringField(lazy_gettext("Name"))
    audience = StringField(default=STAFF)
    shared = BooleanField(lazy_gettext("Shared"))
    status = StringField(lazy_gettext("Status"))
    priority = StringField(lazy_gettext("Priority"))
    assignee = StringField(lazy_gettext("Assignee"))
    add_tags = StringField(lazy_gettext("Add tags"))
    categories = SelectMultipleField(lazy_gettext("Categories"), validate_choice=False)
    active = BooleanField(lazy_gettext("In use"), default=True)
    version = StringField()

    def read(self, macro: Macro | None) -> MacroForm:
        """What the service takes; raises Invalid (`status`)."""
        status, own = read_status(self.status.data)
        given = (self.version.data or "").strip()
        return MacroForm(
            name=self.name.data or "",
            texts={locale: self[f"text_{locale}"].data or "" for locale in http.tenant().locales},
            actions={
                "status": status.value if status else None,
                "custom_status": own,
                "priority": self.priority.data,
                "assignee": self.assignee.data,
                "add_tags": [tag.strip() for tag in (self.add_tags.data or "").split(",") if tag.strip()],
            },
            categories=tuple(self.categories.data or ()),
            audience=macro.audience if macro else self.audience.data or STAFF,
            shared=macro.owner_id is None if macro else self._is_shared(),
            active=bool(self.active.data),
            version=int(given) if macro and given.isascii() and given.isdigit() else None,
        )

    def _is_shared(self) -> bool:
        # Who may not share makes macros of their own, who does not answer shares; those for customers are nobody's.
        actor = http.actor()
        if not actor.may(Permission.SLA_CONFIGURE):
            return False
        return bool(self.shared.data) or self.audience.data == CUSTOMER or not actor.may(Permission.DESK_REPLY)


def build_form(macro: Macro | None) -> Any:
    """The form of a macro, or of a new one; filled with what was sent where something was."""
    fields: dict[str, Any] = {
        f"text_{locale}": TextAreaField(default=macro.texts.get(locale, "") if macro else "")
        for locale in http.tenant().locales
    }
    kind = type("MacroEditForm", (MacroBase,), fields)
    if request.method == "POST":
        return kind(request.form)
    if macro is None:
        audience = CUSTOMER if request.args.get("audience") == CUSTOMER else STAFF
        return kind(data={"audience": audience, "shared": True, "active": True})
    actions = macro.actions
    own = actions.get("custom_status")
    return kind(
        data={
            "name": macro.name,
            "audience": macro.audience,
            "shared": macro.owner_id is None,
            "status": f"{OWN}{own}" if own else actions.get("status", ""),
            "priority": actions.get("priority", ""),
            "assignee": actions.get("assignee", ""),
            "add_tags": ", ".join(actions.get("add_tags", ())),
            "categories": macro.categories,
            "active": macro.active,
            "version": str(macro.version),
        }
        | {f"text_{locale}": macro.texts.get(locale, "") for locale in http.tenant().locales}
    )
