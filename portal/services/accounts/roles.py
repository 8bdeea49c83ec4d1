"""Roles of the tenant's own making (ADM-02): permissions under a name, given to members of the team.

Nobody makes a role that allows what they may not do themselves, or what only customers do. A role acts at the next
request of whoever has it: the identity brings its permissions along.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select

from portal.authz import GRANTABLE, ROLE_PERMISSIONS, Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid, NotFound, invalid
from portal.events import audit
from portal.lib.text import clean_text, has_forbidden_characters
from portal.lib.wording.tickets import ROLE
from portal.models import Membership, Role, StaffRole
from portal.models.session import TenantSession

NAME_LENGTH = 60
DESCRIPTION_LENGTH = 255
# Every role has these; they are not given and not taken away.
GIVEN = ROLE_PERMISSIONS[Role.CUSTOM]
CHOICES = GRANTABLE - GIVEN


@dataclass(frozen=True)
class RoleForm:
    """A role as it is edited; `permissions` by their values."""

    name: str
    description: str = ""
    permissions: Collection[str] = ()


@dataclass(frozen=True)
class RoleUse:
    """A role of one's own, and how many people have it."""

    role: StaffRole
    people: int


def list_roles(session: TenantSession, *, actor: Actor) -> list[RoleUse]:
    """The tenant's own roles by name, with their use; by one statement. Raises Forbidden."""
    require(actor, Permission.ROLES_CONFIGURE)
    people = (
        select(func.count(Membership.user_id.distinct()))
        .where(Membership.tenant_id == StaffRole.tenant_id, Membership.staff_role_id == StaffRole.id)
        .correlate(StaffRole)
        .scalar_subquery()
    )
    rows = session.execute(select(StaffRole, people).order_by(func.lower(StaffRole.name), StaffRole.id))
    return [RoleUse(row[0], row[1]) for row in rows]


def get_role(session: TenantSession, role_id: UUID, *, actor: Actor) -> RoleUse:
    """One of them; raises Forbidden, and NotFound where the tenant has none of that id."""
    found = next((use for use in list_roles(session, actor=actor) if use.role.id == role_id), None)
    if found is None:
        raise NotFound("role")
    return found


def save_role(
    session: TenantSession, role_id: UUID | None, *, form: RoleForm, actor: Actor, now: datetime
) -> StaffRole:
    """Create (id None) or change a role. Raises Forbidden, NotFound and Invalid per field.

    What is added must be the editor's own (`more_than_own`); what somebody else has put in may stay.
    """
    require(actor, Permission.ROLES_CONFIGURE)
    role = _load(session, role_id) if role_id else None
    held = granted_by(role.permissions) if role else frozenset()
    name, description, wanted = _checked(form, held, actor)
    _require_free(session, name, role_id)
    before = _visible(role) if role else None
    if role is None:
        role = StaffRole(id=uuid4(), tenant_id=session.tenant_id, created_at=now)
        session.add(role)
    role.name, role.description, role.permissions = name, description, sorted(wanted)
    session.flush()
    after = _visible(role)
    if before is None:
        audit(session, "role.created", "role", role.id, actor=actor, now=now, after=after)
    elif before != after:
        audit(session, "role.changed", "role", role.id, actor=actor, now=now, before=before, after=after)
    return role


def delete_role(session: TenantSession, role_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Remove a role that nobody has. Raises Forbidden, NotFound, and Conflict `role_in_use`."""
    require(actor, Permission.ROLES_CONFIGURE)
    # Whoever gives the role at this moment holds a lock on its row by the foreign key.
    role = _load(session, role_id)
    if session.scalar(select(func.count()).select_from(Membership).where(Membership.staff_role_id == role_id)):
        raise Conflict("role_in_use")
    audit(session, "role.deleted", "role", role_id, actor=actor, now=now, before=_visible(role))
    session.delete(role)
    session.flush()


def granted_by(permissions: Sequence[str]) -> frozenset[Permission]:
    """What a stored role grants; a permission that this version does not know grants nothing."""
    return frozenset(Permission(name) for name in permissions if name in CHOICES)


def _load(session: TenantSession, role_id: UUID) -> StaffRole:
    role = session.scalar(select(StaffRole).where(StaffRole.id == role_id).with_for_update())
    if role is None:
        raise NotFound("role")
    return role


def _checked(form: RoleForm, held: frozenset[Permission], actor: Actor) -> tuple[str, str, frozenset[Permission]]:
    errors: list[FieldError] = []
    name = _text("name", form.name, NAME_LENGTH, errors)
    description = _text("description", form.description, DESCRIPTION_LENGTH, errors)
    if not name and not errors:
        errors.append(FieldError("name", "required"))
    wanted = frozenset(Permission(value) for value in form.permissions if value in CHOICES)
    if set(form.permissions) - CHOICES - GIVEN:
        errors.append(FieldError("permissions", "unknown_choice"))
    elif not all(actor.may(permission) for permission in wanted - held):
        errors.append(FieldError("permissions", "more_than_own"))
    if errors:
        raise Invalid(*errors)
    return name, description, wanted


def _text(field: str, value: str, limit: int, errors: list[FieldError]) -> str:
    text = " ".join(clean_text(value).split())
    if has_forbidden_characters(value):
        errors.append(FieldError(field, "characters_forbidden"))
    elif len(text) > limit:
        errors.append(FieldError(field, "too_long", (("limit", limit),)))
    return text


def _require_free(session: TenantSession, name: str, role_id: UUID | None) -> None:
    """Two roles of one name could not be told apart, nor one that is called like a standard role."""
    standard = {value.casefold() for value in (*ROLE.values(), *(role.value for role in Role))}
    taken = session.scalar(
        select(StaffRole.id).where(func.lower(StaffRole.name) == func.lower(name), StaffRole.id != role_id)
        if role_id
        else select(StaffRole.id).where(func.lower(StaffRole.name) == func.lower(name))
    )
    if taken is not None or name.casefold() in standard:
        raise invalid("name", "name_taken")


def _visible(role: StaffRole) -> dict[str, Any]:
    return {"name": role.name, "description": role.description, "permissions": list(role.permissions)}
