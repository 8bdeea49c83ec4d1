"""Views of the queue as the team keeps them: list, form, copies, order, versions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.tickets.address import QueueAddress
from portal.admin.tickets.view_forms import FormErrors, form_choices, form_values, read_form
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import format_count, gettext
from portal.errors import Conflict, Invalid, NotFound
from portal.lib.wording.errors import error_text
from portal.services.tickets.condition_fields import ANSWERS, FIELDS
from portal.services.tickets.queries import list_categories
from portal.services.tickets.saved_counting import count_saved_views
from portal.services.tickets.saved_views import (
    NAME_LENGTH,
    SavedView,
    delete_view,
    duplicate_view,
    get_saved_view,
    list_saved_views,
    list_view_versions,
    move_view,
    restore_view,
    save_view,
)


class SavedViewsView(ServiceView):
    """Own views for everybody of the desk; shared ones for those who may (the services refuse the rest)."""

    policy = Permission.DESK_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """Shared views and one's own, each in its order."""
        groups = [(True, gettext("Shared by the team")), (False, gettext("Your own"))]
        views = _counted()
        shown = [(label, shared, [view for view in views if view["shared"] is shared]) for shared, label in groups]
        return self.render("admin/tickets/views.html", groups=shown)

    @route("/side")
    def side(self) -> ResponseReturnValue:
        """The views beside the queue, which asks for them once it is there."""
        address = QueueAddress.read(request.args)
        place = replace(address, cursor="", select=False).query()
        return self.render("admin/tickets/_side_views.html", views=_counted(), current=address.saved_id, place=place)

    @route("/new", methods=("GET", "POST"))
    def create(self) -> ResponseReturnValue:
        """A new view, beginning with the filters of the address it was asked for from."""
        return self._edit(None)

    @route("/<uuid:view_id>", methods=("GET", "POST"))
    def edit(self, view_id: UUID) -> ResponseReturnValue:
        """The form of a view."""
        return self._edit(get_saved_view(http.session(), view_id, actor=http.actor()))

    @route("/<uuid:view_id>/duplicate", methods=("POST",))
    def duplicate(self, view_id: UUID) -> ResponseReturnValue:
        """A copy of one's own, open in its form."""
        session, actor = http.session(), http.actor()
        seen = get_saved_view(session, view_id, actor=actor)
        name = gettext("Copy of %(name)s", name=seen.name)[:NAME_LENGTH]
        try:
            copy = duplicate_view(session, view_id, name=name, actor=actor, now=http.now())
        except Invalid as error:
            return self._refused(error)
        http.commit()
        return redirect(http.address_of("desk_views.edit", view_id=copy.id), code=303)

    @route("/<uuid:view_id>/delete", methods=("POST",))
    def delete(self, view_id: UUID) -> ResponseReturnValue:
        """Remove it."""
        delete_view(http.session(), view_id, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("View deleted"), "ok")
        return http.see_other("desk_views.index")

    @route("/move", methods=("POST",))
    def move(self) -> ResponseReturnValue:
        """Put it one place up or down among its like."""
        view_id = request.form.get("id", type=UUID)
        if view_id is None:
            raise NotFound("view")
        up = request.form.get("direction") == "up"
        move_view(http.session(), view_id, up=up, actor=http.actor(), now=http.now())
        http.commit()
        return http.see_other("desk_views.index")

    @route("/<uuid:view_id>/restore", methods=("POST",))
    def restore(self, view_id: UUID) -> ResponseReturnValue:
        """Make an earlier version the newest one."""
        version = request.form.get("version", 0, type=int)
        try:
            restore_view(http.session(), view_id, version=version, actor=http.actor(), now=http.now())
        except Invalid as error:
            return self._refused(error)
        http.commit()
        flash(gettext("Saved"), "ok")
        return redirect(http.address_of("desk_views.edit", view_id=view_id), code=303)

    def _edit(self, view: SavedView | None) -> ResponseReturnValue:
        errors, status = FormErrors(), 200
        if request.method == "POST":
            try:
                form = read_form(request.form)
                saved = save_view(
                    http.session(), view.id if view else None, form=form, actor=http.actor(), now=http.now()
                )
            except Invalid as error:
                errors, status = FormErrors.of(error), 422
            except Conflict as error:
                errors, status = FormErrors({"": [error_text(error.code, error.params, gettext)]}), 409
            else:
                http.commit()
                flash(gettext("Saved"), "ok")
                return redirect(http.address_of("desk.index", view=str(saved.id)), code=303)
            http.session().rollback()
        return self.render("admin/tickets/view_form.html", **self._context(view, errors)), status

    def _context(self, view: SavedView | None, errors: FormErrors) -> dict[str, Any]:
        may_share = http.actor().may(Permission.DESK_VIEWS)
        versions: Sequence[Any] = ()
        if view is not None:
            versions = list_view_versions(http.session(), view.id, actor=http.actor())
        return {
            "view": view,
            "values": form_values(view, request.form if request.method == "POST" else None, request.args),
            "choices": form_choices(),
            "condition_fields": ", ".join((*FIELDS, *_answers())),
            "errors": errors,
            "may_share": may_share,
            "may_save": may_share or view is None or not view.shared,
            "versions": versions,
        }

    def _refused(self, error: Invalid) -> ResponseReturnValue:
        http.session().rollback()
        for item in error.errors:
            flash(error_text(item.code, dict(item.params), gettext), "err")
        return http.see_other("desk_views.index")


def _counted() -> list[dict[str, Any]]:
    session, actor = http.session(), http.actor()
    views = list_saved_views(session, actor=actor)
    counts = count_saved_views(session, views, actor=actor, now=http.now())
    may_share = actor.may(Permission.DESK_VIEWS)
    return [
        {
            "id": view.id,
            "name": view.name,
            "shared": view.shared,
            "may_change": may_share or not view.shared,
            "count": format_count(counts[view.id]) if counts[view.id] else "",
        }
        for view in views
    ]


def _answers() -> list[str]:
    """How conditions name the answers to what the tenant's categories ask, each key once."""
    rows = list_categories(http.session(), include_inactive=True)
    keys = dict.fromkeys(str(field["key"]) for row in rows for field in row.fields)
    return [f"{ANSWERS}.{key}" for key in keys] or [f'{ANSWERS}["…"]']
