"""The tenant's own people: who they are, and what each may do (ADM-02, AUTH-20)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, select

from portal.authz import Actor, Permission, require
from portal.errors import Forbidden, NotFound, invalid
from portal.events import audit
from portal.models import Membership, Person, Role, StaffRole, User, UserKind, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts.access_control import get_login
from portal.services.accounts.invitations import end_invitations
from portal.services.accounts.membership import (
    STAFF_ROLES,
    add_membership,
    load_staff_role,
    own_permissions,
    require_grantable,
    require_other_administrator,
)

TEAM_SHOWN = 500
_PLAIN = ("id", "name", "email", "phone", "title", "user_id", "status", "portal_access", "last_login_at")


@dataclass(frozen=True)
class TeamMember:
    """Somebody of the staff; `own_roles` are those of the tenant's making, as (id, name)."""

    id: UUID
    name: str
    email: str
    phone: str | None
    title: str | None
    user_id: UUID
    status: UserStatus
    portal_access: bool
    last_login_at: datetime | None
    roles: tuple[Role, ...]
    own_roles: tuple[tuple[UUID, str], ...]


def list_team(session: TenantSession, *, actor: Actor) -> Sequence[TeamMember]:
    """Everybody with a staff login, by name. One statement."""
    require(actor, Permission.STAFF_MANAGE)
    rows = session.execute(_members().order_by(Person.name, Person.id).limit(TEAM_SHOWN))
    return [_member(row) for row in rows]


def get_team_member(session: TenantSession, person_id: UUID, *, actor: Actor) -> TeamMember:
    """One of the staff; NotFound for everybody else."""
    require(actor, Permission.STAFF_MANAGE)
    row = session.execute(_members().where(Person.id == person_id)).first()
    if row is None:
        raise NotFound("person")
    return _member(row)


def list_staff_roles(session: TenantSession, *, actor: Actor) -> Sequence[StaffRole]:
    """The roles of the tenant's own making that the actor could give, by name."""
    require(actor, Permission.STAFF_MANAGE)
    rows = session.scalars(select(StaffRole).order_by(StaffRole.name))
    return [row for row in rows if _may_give(actor, (Role.CUSTOM,), own_permissions(row))]


def givable_roles(actor: Actor) -> list[Role]:
    """The built-in staff roles that the actor could give, in the order of the table."""
    return [role for role in Role if role in STAFF_ROLES - {Role.CUSTOM} and _may_give(actor, (role,), ())]


def set_team_roles(
    session: TenantSession,
    person_id: UUID,
    *,
    roles: Collection[Role],
    own_role_ids: Collection[UUID] = (),
    actor: Actor,
    now: datetime,
) -> TeamMember:
    """Give a member of the staff exactly these roles; takes effect with their next request.

    Raises NotFound, Forbidden `not_yourself` and `more_than_own` (what is given, and what is taken away), Invalid,
    Conflict `last_administrator`.
    """
    member = get_team_member(session, person_id, actor=actor)
    login = get_login(session, person_id, actor=actor)
    if login.user.id == actor.user_id:
        raise Forbidden("not_yourself")
    if not roles and not own_role_ids:
        raise invalid("roles", "roles_required")
    if not set(roles) <= STAFF_ROLES - {Role.CUSTOM}:
        raise invalid("roles", "unknown_role")
    own = [load_staff_role(session, role_id) for role_id in dict.fromkeys(own_role_ids)]
    granted = frozenset[Permission]().union(*(own_permissions(role) for role in own))
    require_grantable(actor, {*roles, *([Role.CUSTOM] if own else [])}, granted)
    if Role.TENANT_ADMIN in login.roles and Role.TENANT_ADMIN not in roles:
        require_other_administrator(session, None, besides=login.user.id)
    wanted = {(role, None) for role in roles} | {(Role.CUSTOM, role.id) for role in own}
    held = {(row.role, row.staff_role_id) for row, _ in login.memberships}
    if wanted == held:
        return member
    gone = [row.id for row, _ in login.memberships if (row.role, row.staff_role_id) not in wanted]
    session.execute(delete(Membership).where(Membership.id.in_(gone)))
    for role, own_id in sorted(wanted - held, key=str):
        add_membership(session, login.user.id, role, staff_role_id=own_id)
    if gone:
        # What was sent with rights that are gone must not bring them back.
        end_invitations(session, login.user.id, now=now)
    after = {"roles": sorted(roles), "own_roles": sorted(role.name for role in own)}
    before = {"roles": sorted(login.roles - {Role.CUSTOM}), "own_roles": [name for _, name in member.own_roles]}
    audit(session, "user.role_changed", "user", login.user.id, actor=actor, now=now, before=before, after=after)
    return get_team_member(session, person_id, actor=actor)


def _may_give(actor: Actor, roles: Collection[Role], own: Collection[Permission]) -> bool:
    try:
        require_grantable(actor, roles, own)
    except Forbidden:
        return False
    return True


def _members() -> Select[*tuple[Any, ...]]:
    held = (
        select(func.jsonb_agg(func.jsonb_build_array(Membership.role, StaffRole.id, StaffRole.name)))
        .select_from(Membership)
        .outerjoin(
            StaffRole, (StaffRole.tenant_id == Membership.tenant_id) & (StaffRole.id == Membership.staff_role_id)
        )
        .where(Membership.tenant_id == User.tenant_id, Membership.user_id == User.id)
        .correlate(User)
        .scalar_subquery()
    )
    return (
        select(
            Person.id,
            Person.name,
            Person.email,
            Person.phone,
            Person.title,
            User.id,
            User.status,
            User.portal_access,
            User.last_login_at,
            held,
        )
        .join(User, User.person_id == Person.id)
        .where(User.kind == UserKind.STAFF)
    )


def _member(row: Any) -> TeamMember:
    held = row[9] or []
    roles = sorted({Role(role) for role, own_id, _ in held if own_id is None})
    own = sorted(((UUID(own_id), name) for _, own_id, name in held if own_id is not None), key=lambda one: one[1])
    values = dict(zip(_PLAIN, row, strict=False))
    return TeamMember(**values, roles=tuple(roles), own_roles=tuple(own))
