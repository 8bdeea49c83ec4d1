"""Categories: what customers choose from when they ask, and what each asks them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import Form

from portal.admin.base import route
from portal.admin.desk.history import Facts, KeptModelView, named_facts, shown_name, state_text
from portal.admin.sla.category_forms import build_form
from portal.admin.sla.forms import valid_uuid
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.chrome import native_name
from portal.blueprints.localisation import current_locale, gettext
from portal.errors import Invalid, NotFound
from portal.lib.wording.tickets import FIELD_KINDS
from portal.models import TicketCategory
from portal.services.tickets.categories import RECORD, get_category, move_category, restore_category, save_category
from portal.services.tickets.category_fields import MOST_FIELDS
from portal.services.tickets.queries import list_categories


class CategoriesView(KeptModelView):
    """The list in the order customers see, and the form of one."""

    policy = Permission.SLA_READ
    write_policy = Permission.SLA_CONFIGURE
    routes = frozenset({"index_view", "create_view", "edit_view", "move_view", "versions_view", "restore_view"})
    record = kept_as = RECORD
    columns = (("key", lazy_gettext("Category")),)
    list_template = "admin/sla/categories.html"
    create_template = edit_template = "admin/sla/category_form.html"

    def __init__(self) -> None:
        super().__init__(TicketCategory, lazy_gettext("Categories"), "ticket_categories", "sla/categories")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[TicketCategory]:
        """Every category in the tenant's order."""
        return list_categories(http.session(), include_inactive=True)[offset : offset + limit]

    def find_one(self, record_id: UUID) -> TicketCategory:
        """A category."""
        return get_category(http.session(), record_id)

    def create_form(self, obj: Any = None) -> Form:
        """A new category."""
        return build_form(None)  # type: ignore[no-any-return]

    def edit_form(self, obj: TicketCategory | None = None) -> Form:
        """The stored category, or what was typed over it."""
        return build_form(obj)  # type: ignore[no-any-return]

    def prepare(self, form: Any) -> bool:
        """Add a question, take one away or move it; only Save saves."""
        wish = request.form.get("do", "save")
        if wish != "save":
            form.change(wish)
        return wish == "save"

    def choices(self) -> dict[str, Any]:
        """Kinds of questions, and the languages to ask them in, the tenant's own first."""
        tenant = http.tenant()
        return {
            "kinds": [(kind, gettext(label)) for kind, label in FIELD_KINDS.items()],
            "most_fields": MOST_FIELDS,
            "languages": [(code, native_name(code)) for code in sorted(tenant.locales, key=tenant.locale.__ne__)],
        }

    def save(self, form: Any, record: TicketCategory | None) -> TicketCategory:
        """Have the service store it."""
        try:
            return save_category(
                http.session(), record.id if record else None, form=form.read(record), **_whose_words(), **_who()
            )
        except Invalid as error:
            raise form.show(error) from error

    def name_of(self, record: TicketCategory) -> str:
        """The name in the reader's language."""
        return record.name_in(current_locale(), http.tenant().locale)

    def facts_of(self, form: Mapping[str, Any]) -> Facts:
        """Its names, whether it can be chosen, and each question."""
        facts = [*named_facts(gettext("Name"), form["names"]), (gettext("State"), state_text(form["active"]))]
        for number, field in enumerate(form["fields"], start=1):
            label = gettext("Question %(number)s", number=number)
            facts += [(label, _question_text(field)), *named_facts(label, field["names"])]
        return facts

    def restore(self, record_id: UUID, version: int) -> TicketCategory:
        """Name it and have it ask as it did."""
        return restore_category(http.session(), record_id, version, **_whose_words(), **_who())

    @route("/move/", methods=("POST",))
    def move_view(self) -> ResponseReturnValue:
        """Move a category up or down."""
        wanted = valid_uuid(request.form.get("id"))
        if wanted is None:
            raise NotFound(self.record)
        up = request.form.get("direction") == "up"
        move_category(http.session(), wanted, up=up, actor=http.actor(), now=http.now())
        http.commit()
        return http.see_other("ticket_categories.index_view")


def _who() -> dict[str, Any]:
    return {"actor": http.actor(), "now": http.now()}


def _whose_words() -> dict[str, Any]:
    return {"locales": http.tenant().locales, "main_locale": http.tenant().locale}


def _question_text(field: Mapping[str, Any]) -> str:
    parts = [gettext(FIELD_KINDS[field["kind"]])]
    if field["required"]:
        parts.append(gettext("required"))
    if field["options"]:
        parts.append(", ".join(shown_name(option["names"], option["key"]) for option in field["options"]))
    return " · ".join(parts)
