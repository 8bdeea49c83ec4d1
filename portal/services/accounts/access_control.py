"""What staff do to a login: suspend and let in again, unlock, end sessions, set the role in a company (ADM-05).

Customers' logins need `access:manage`; those of the team `staff:manage`, and no more rights than the actor has.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, NotFound, invalid
from portal.events import audit
from portal.models import Membership, Person, Role, StaffRole, User, UserKind, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts import lockout
from portal.services.accounts.invitations import end_invitations
from portal.services.accounts.membership import (
    CUSTOMER_ROLES,
    own_permissions,
    require_grantable,
    require_other_administrator,
)
from portal.services.accounts.sessions import end_sessions
from portal.services.accounts.shut_out import shut_out

SETTABLE = frozenset({UserStatus.ACTIVE, UserStatus.SUSPENDED, UserStatus.LOCKED})


@dataclass(frozen=True)
class Login:
    """The login of a person, with what it is."""

    person: Person
    user: User
    memberships: tuple[tuple[Membership, StaffRole | None], ...]

    @property
    def roles(self) -> frozenset[Role]:
        """Every role, wherever it is held."""
        return frozenset(membership.role for membership, _ in self.memberships)


def get_login(session: TenantSession, person_id: UUID, *, actor: Actor) -> Login:
    """The login of a person that the actor may manage.

    Raises NotFound `person`, Conflict `no_login`, Forbidden (`more_than_own` for staff with more rights).
    """
    row = session.execute(
        select(Person, User).outerjoin(User, User.person_id == Person.id).where(Person.id == person_id)
    ).first()
    if row is None:
        raise NotFound("person")
    person, user = row
    if user is None:
        require(actor, Permission.ACCESS_MANAGE)
        raise Conflict("no_login")
    require(actor, Permission.STAFF_MANAGE if user.kind is UserKind.STAFF else Permission.ACCESS_MANAGE)
    held = session.execute(
        select(Membership, StaffRole)
        .outerjoin(StaffRole, StaffRole.id == Membership.staff_role_id)
        .where(Membership.user_id == user.id)
    )
    login = Login(person, user, tuple((membership, role) for membership, role in held))
    if user.kind is UserKind.STAFF:
        own = frozenset[Permission]().union(*(own_permissions(role) for _, role in login.memberships))
        require_grantable(actor, login.roles, own)
    return login


def set_status(
    session: TenantSession, person_id: UUID, status: UserStatus, *, actor: Actor, now: datetime
) -> UserStatus:
    """Suspend, lock or let in again; any state but active ends all access at once. Returns the state of before.

    Raises as `get_login`, Forbidden `not_yourself`, Conflict `status_not_possible` (a login that was never opened)
    and `last_administrator` (of the tenant).
    """
    login = get_login(session, person_id, actor=actor)
    user = login.user
    if user.id == actor.user_id:
        raise Forbidden("not_yourself")
    before, had_access = user.status, user.portal_access
    if status not in SETTABLE or before is UserStatus.PENDING:
        raise Conflict("status_not_possible")
    if status is UserStatus.ACTIVE:
        # Letting somebody in undoes both ways of keeping them out.
        user.portal_access = True
    else:
        if Role.TENANT_ADMIN in login.roles:
            require_other_administrator(session, None, besides=user.id)
        shut_out(session, user.id, now=now)
    user.status = status
    if (before, had_access) != (status, user.portal_access):
        audit(
            session,
            "user.status_changed",
            "user",
            user.id,
            actor=actor,
            now=now,
            before={"status": before, "portal_access": had_access},
            after={"status": status, "portal_access": user.portal_access},
        )
    return before


def unlock_login(session: TenantSession, person_id: UUID, *, actor: Actor, now: datetime) -> int:
    """Lift the locks that failed sign-ins left; returns how many there were."""
    login = get_login(session, person_id, actor=actor)
    lifted = lockout.unlock(session, login.user.id)
    if lifted:
        audit(session, "user.unlocked", "user", login.user.id, actor=actor, now=now, after={"locks": lifted})
    return lifted


def end_login_sessions(session: TenantSession, person_id: UUID, *, actor: Actor, now: datetime) -> int:
    """Sign a login out everywhere, programs included; returns how many sessions that were."""
    login = get_login(session, person_id, actor=actor)
    ended = end_sessions(session, login.user.id, now=now)
    audit(session, "user.sessions_ended", "user", login.user.id, actor=actor, now=now, after={"sessions": ended})
    return ended


def set_company_role(
    session: TenantSession, person_id: UUID, company_id: UUID, role: Role | None, *, actor: Actor, now: datetime
) -> None:
    """Change what a login is in one of its companies; None takes it out. Raises as `get_login`, NotFound, Invalid."""
    login = get_login(session, person_id, actor=actor)
    held = next((row for row, _ in login.memberships if row.company_id == company_id), None)
    if held is None:
        raise NotFound("company")
    if role is not None and role not in CUSTOMER_ROLES:
        raise invalid("role", "unknown_role")
    if role is held.role:
        return
    before = {"role": held.role, "company_id": company_id}
    mine = (Membership.user_id == login.user.id, Membership.company_id == company_id)
    if role is None:
        session.execute(delete(Membership).where(*mine))
        action, after = "user.left_company", {}
    else:
        session.execute(update(Membership).where(*mine).values(role=role))
        action, after = "user.role_changed", {"role": role, "company_id": company_id}
    if role is not Role.CUSTOMER_ADMIN:
        end_invitations(session, login.user.id, now=now, company_id=company_id)
    audit(session, action, "user", login.user.id, actor=actor, now=now, before=before, after=after)
