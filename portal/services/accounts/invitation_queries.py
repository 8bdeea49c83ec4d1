"""Reads of invitations, with the state that each is in now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import aliased

from portal.authz import Actor, Permission
from portal.errors import Forbidden, NotFound
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.models import Company, Invitation, Person, Role, StaffRole, User
from portal.models.session import TenantSession


class InvitationState(StrEnum):
    """Where an invitation stands."""

    SENT = "sent"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    REVOKED = "revoked"


@dataclass(frozen=True)
class InvitationRow:
    """An invitation in a list; `role_name` is that of a role of the tenant's own making."""

    id: UUID
    company_id: UUID | None
    company_name: str | None
    user_id: UUID
    name: str
    email: str
    role: Role
    role_name: str | None
    invited_by: str | None
    state: InvitationState
    created_at: datetime
    sent_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it can be sent again and withdrawn."""
        return self.state in (InvitationState.SENT, InvitationState.EXPIRED)


def state_of(invitation: Invitation, now: datetime) -> InvitationState:
    """Where it stands: what ended it counts more than that its time is over."""
    if invitation.accepted_at is not None:
        return InvitationState.ACCEPTED
    if invitation.revoked_at is not None:
        return InvitationState.REVOKED
    return InvitationState.SENT if invitation.expires_at > now else InvitationState.EXPIRED


def list_company_invitations(
    session: TenantSession,
    company_ids: Sequence[UUID],
    *,
    actor: Actor,
    now: datetime,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[InvitationRow]:
    """Invitations into companies, the newest first: for their administrators, and staff who read customers."""
    for company_id in company_ids:
        if actor.is_customer and company_id not in actor.company_ids:
            raise NotFound("company")
        if actor.is_customer and company_id not in actor.admin_company_ids:
            raise Forbidden("not_allowed")
    if not actor.is_customer and not actor.may(Permission.CUSTOMERS_READ):
        raise Forbidden("not_allowed")
    return _page(session, Invitation.company_id.in_(company_ids), now, limit, cursor)


def list_team_invitations(
    session: TenantSession, *, actor: Actor, now: datetime, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[InvitationRow]:
    """Invitations to the team, the newest first; for who manages staff."""
    if not actor.may(Permission.STAFF_MANAGE):
        raise Forbidden("not_allowed")
    return _page(session, Invitation.company_id.is_(None), now, limit, cursor)


def list_person_invitations(
    session: TenantSession, user_id: UUID, *, actor: Actor, now: datetime
) -> Sequence[InvitationRow]:
    """Every invitation of a login, the newest first; for staff who read customers."""
    if not actor.is_staff or not actor.may(Permission.CUSTOMERS_READ):
        raise Forbidden("not_allowed")
    return _page(session, Invitation.user_id == user_id, now, 20, None).items


def get_invitation(session: TenantSession, invitation_id: UUID, *, now: datetime) -> InvitationRow:
    """One invitation that a service has just let the actor write."""
    return _row(session.execute(_columns().where(Invitation.id == invitation_id)).one(), now)


def _page(
    session: TenantSession, criterion: ColumnElement[bool], now: datetime, limit: int, cursor: str | None
) -> Page[InvitationRow]:
    after = decode_cursor(cursor)
    query = _columns().where(criterion)
    if after is not None:
        query = query.where(tuple_(Invitation.created_at, Invitation.id) < (after.moment(), after.id))
    query = query.order_by(Invitation.created_at.desc(), Invitation.id.desc()).limit(limit + 1)
    rows = [_row(row, now) for row in session.execute(query)]
    return paginate(rows, limit, after, lambda row: (row.created_at, row.id))


def _columns() -> Select[*tuple[Any, ...]]:
    sender, sending = aliased(User), aliased(Person)
    return (
        select(Invitation, Company.name, StaffRole.name, sending.name)
        .outerjoin(Company, Company.id == Invitation.company_id)
        .outerjoin(StaffRole, StaffRole.id == Invitation.staff_role_id)
        .outerjoin(sender, sender.id == Invitation.invited_by)
        .outerjoin(sending, sending.id == sender.person_id)
    )


def _row(found: Any, now: datetime) -> InvitationRow:
    invitation, company_name, role_name, inviter = found
    return InvitationRow(
        id=invitation.id,
        company_id=invitation.company_id,
        company_name=company_name,
        user_id=invitation.user_id,
        name=invitation.name,
        email=invitation.email,
        role=invitation.role,
        role_name=role_name,
        invited_by=inviter,
        state=state_of(invitation, now),
        created_at=invitation.created_at,
        sent_at=invitation.sent_at,
        expires_at=invitation.expires_at,
        accepted_at=invitation.accepted_at,
        revoked_at=invitation.revoked_at,
    )
