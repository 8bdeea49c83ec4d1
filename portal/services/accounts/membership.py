"""Who belongs where, and what nobody gets around: an administrator is left, nobody grants more than they have."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select

from portal.authz import GRANTABLE, ROLE_PERMISSIONS, Actor, Permission
from portal.errors import Conflict, Forbidden, invalid
from portal.models import Membership, Role, StaffRole, User, UserStatus
from portal.models.session import TenantSession

CUSTOMER_ROLES = frozenset({Role.CUSTOMER, Role.CUSTOMER_ADMIN})
STAFF_ROLES = frozenset(Role) - CUSTOMER_ROLES


def add_membership(
    session: TenantSession,
    user_id: UUID,
    role: Role,
    *,
    company_id: UUID | None = None,
    staff_role_id: UUID | None = None,
) -> None:
    """Make a login what it is not yet; a customer has one role in a company."""
    there = select(Membership).where(Membership.user_id == user_id, Membership.company_id == company_id)
    if company_id is None:
        there = there.where(Membership.role == role, Membership.staff_role_id == staff_role_id)
    found = session.scalar(there)
    if found is not None:
        found.role = role
        return
    session.add(
        Membership(
            tenant_id=session.tenant_id,
            user_id=user_id,
            company_id=company_id,
            role=role,
            staff_role_id=staff_role_id,
        )
    )
    session.flush()


def lock_administration(session: TenantSession, scope: UUID) -> None:
    """Let changes of the administrators of a company (or of the tenant's team) wait for each other.

    Two that take each other's rights away at the same moment would each see the other one left.
    """
    session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(scope.bytes[:8], "big", signed=True))))


def require_other_administrator(session: TenantSession, company_id: UUID | None, *, besides: UUID) -> None:
    """Raise Conflict `last_administrator` unless somebody else administers the company (None: the tenant)."""
    lock_administration(session, company_id or session.tenant_id)
    role = Role.CUSTOMER_ADMIN if company_id else Role.TENANT_ADMIN
    other = session.scalar(
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.company_id == company_id,
            Membership.role == role,
            User.id != besides,
            User.status == UserStatus.ACTIVE,
            User.portal_access,
        )
        .limit(1)
    )
    if other is None:
        raise Conflict("last_administrator")


def require_grantable(actor: Actor, roles: Collection[Role], own: Collection[Permission] = ()) -> None:
    """Raise Forbidden `more_than_own` unless the actor has everything these staff roles allow.

    `own` are the permissions of roles of the tenant's making. The tenant's administrators may give any role.
    """
    if actor.is_system or Role.TENANT_ADMIN in actor.roles:
        return
    wanted = frozenset(own).union(*(ROLE_PERMISSIONS[role] for role in roles))
    if Role.TENANT_ADMIN in roles or not wanted <= actor.permissions:
        raise Forbidden("more_than_own")


def load_staff_role(session: TenantSession, staff_role_id: UUID) -> StaffRole:
    """A role of the tenant's own making; Invalid about `role` where there is none of that id."""
    found = session.scalar(select(StaffRole).where(StaffRole.id == staff_role_id))
    if found is None:
        raise invalid("role", "unknown_role")
    return found


def own_permissions(role: StaffRole | None) -> frozenset[Permission]:
    """What such a role grants; a permission that this version does not know grants nothing."""
    return frozenset(Permission(name) for name in (role.permissions if role else ()) if name in GRANTABLE)
