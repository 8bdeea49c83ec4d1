"""Categories: what customers choose from when they ask."""

from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import Form

from portal.admin.base import route
from portal.admin.editing import EditableModelView
from portal.admin.sla.forms import category_form, valid_uuid
from portal.authz import Permission
from portal.blueprints import http
from portal.errors import NotFound
from portal.models import TicketCategory
from portal.services.tickets.categories import CategoryForm, move_category, save_category
from portal.services.tickets.queries import list_categories


class CategoriesView(EditableModelView):
    """The list in the order customers see, and the form of one."""

    policy = Permission.SLA_READ
    write_policy = Permission.SLA_CONFIGURE
    routes = frozenset({"index_view", "create_view", "edit_view", "move_view"})
    record = "category"
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
        for row in list_categories(http.session(), include_inactive=True):
            if row.id == record_id:
                return row
        raise NotFound(self.record)

    def create_form(self, obj: Any = None) -> Form:
        """A new category."""
        return self._form({}, True)

    def edit_form(self, obj: TicketCategory | None = None) -> Form:
        """The stored category, or what was typed over it."""
        return self._form(obj.names if obj else {}, obj.active if obj else True)

    def _form(self, names: dict[str, str], active: bool) -> Form:
        fields = category_form(http.tenant().locales, names, active)
        return fields(request.form if request.method == "POST" else None)

    def save(self, form: Any, record: TicketCategory | None) -> TicketCategory:
        """Have the service store it."""
        tenant = http.tenant()
        names = {locale: form[f"name_{locale}"].data or "" for locale in tenant.locales}
        return save_category(
            http.session(),
            record.id if record else None,
            form=CategoryForm(names=names, active=bool(form.active.data)),
            locales=tenant.locales,
            main_locale=tenant.locale,
            actor=http.actor(),
            now=http.now(),
        )

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
