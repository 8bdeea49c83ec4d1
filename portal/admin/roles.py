"""Roles: who may do what as a matrix, and the forms of the tenant's own roles (ADM-02)."""

from typing import Any
from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import Form, SelectMultipleField, StringField

from portal.admin.base import route
from portal.admin.editing import EditableModelView
from portal.authz import ROLE_PERMISSIONS, Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.errors import Conflict
from portal.lib.wording.errors import error_text
from portal.lib.wording.permissions import AREAS, PERMISSIONS
from portal.lib.wording.tickets import ROLE
from portal.models import Role, StaffRole
from portal.services.accounts.roles import (
    CHOICES,
    GIVEN,
    RoleForm,
    RoleUse,
    delete_role,
    get_role,
    granted_by,
    list_roles,
    save_role,
)

CUSTOMERS = (Role.CUSTOMER, Role.CUSTOMER_ADMIN)
TEAM = (Role.AGENT, Role.MANAGER, Role.BILLING, Role.DESIGNER, Role.TENANT_ADMIN)


class RoleEditForm(Form):
    """A role of the tenant's own."""

    name = StringField(lazy_gettext("Name"))
    description = StringField(lazy_gettext("What it is for"))
    permissions = SelectMultipleField(lazy_gettext("May"), validate_choice=False)

    def read(self) -> RoleForm:
        """What the service takes."""
        return RoleForm(self.name.data or "", self.description.data or "", tuple(self.permissions.data or ()))


def matrix(columns: list[frozenset[Permission]]) -> list[dict[str, Any]]:
    """Areas with a line per permission that any column has, and a yes or no for each column."""
    areas = []
    for label, names in AREAS:
        lines = [
            {"label": gettext(PERMISSIONS[name]), "cells": [name in column for column in columns]}
            for name in names
            if any(name in column for column in columns)
        ]
        if lines:
            areas.append({"label": gettext(label), "lines": lines})
    return areas


class RolesView(EditableModelView):
    """The matrix, and the form of one role."""

    policy = Permission.ROLES_CONFIGURE
    routes = frozenset({"index_view", "create_view", "edit_view", "remove"})
    record = "role"
    columns = (("name", lazy_gettext("Role")),)
    form = RoleEditForm
    create_template = edit_template = "admin/roles/form.html"

    def __init__(self) -> None:
        super().__init__(StaffRole, lazy_gettext("Roles"), "staff_roles", "settings/roles")

    @route("/")
    def index_view(self) -> ResponseReturnValue:
        """Standard roles and own ones beside each other."""
        own = list_roles(http.session(), actor=http.actor())
        team = [ROLE_PERMISSIONS[role] for role in TEAM] + [granted_by(use.role.permissions) | GIVEN for use in own]
        return self.render(
            "admin/roles/matrix.html",
            own=own,
            team=[gettext(ROLE[role.value]) for role in TEAM],
            customers=[gettext(ROLE[role.value]) for role in CUSTOMERS],
            team_matrix=matrix(team),
            customer_matrix=matrix([ROLE_PERMISSIONS[role] for role in CUSTOMERS]),
        )

    @route("/remove", methods=("POST",))
    def remove(self) -> ResponseReturnValue:
        """Delete a role that nobody has."""
        role = self.get_one(request.form.get("id"))
        try:
            delete_role(http.session(), role.id, actor=http.actor(), now=http.now())
        except Conflict as error:
            http.session().rollback()
            flash(error_text(error.code, error.params, gettext), "err")
            return http.see_other("staff_roles.edit_view", id=role.id)
        http.commit()
        flash(gettext("Role deleted"), "ok")
        return http.see_other("staff_roles.index_view")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[RoleUse]:
        """Own roles by name."""
        return list_roles(http.session(), actor=http.actor())[offset : offset + limit]

    def find_one(self, record_id: UUID) -> StaffRole:
        """A role of the tenant's own."""
        return get_role(http.session(), record_id, actor=http.actor()).role

    def create_form(self, obj: Any = None) -> Form:
        """A new role."""
        return RoleEditForm(request.form if request.method == "POST" else None)

    def edit_form(self, obj: StaffRole | None = None) -> Form:
        """The stored role, or what was typed over it."""
        form = RoleEditForm(request.form if request.method == "POST" else None)
        if request.method != "POST" and obj is not None:
            form.name.data, form.description.data = obj.name, obj.description
            form.permissions.data = list(obj.permissions)
        return form

    def choices(self) -> dict[str, Any]:
        """The permissions by area: `given` with every role, `own` where the editor has it too."""
        actor = http.actor()
        areas = []
        for label, names in AREAS:
            lines = [
                {
                    "name": name,
                    "label": gettext(PERMISSIONS[name]),
                    "given": name in GIVEN,
                    "own": actor.may(Permission(name)),
                }
                for name in names
                if name in CHOICES | GIVEN
            ]
            if lines:
                areas.append({"label": gettext(label), "lines": lines})
        return {"areas": areas}

    def save(self, form: Any, record: StaffRole | None) -> StaffRole:
        """Have the service store it."""
        return save_role(
            http.session(), record.id if record else None, form=form.read(), actor=http.actor(), now=http.now()
        )
