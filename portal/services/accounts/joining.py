"""Following an invitation: what it offers, and how it is taken, once.

Somebody without a login here sets name and password, which activates the pending login and proves the address. A
login that is active already takes the offer while signed in; the link alone is not enough for that.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from portal.authz import Actor
from portal.errors import Conflict, Forbidden
from portal.events import audit
from portal.models import (
    Company,
    Invitation,
    LinkPurpose,
    OneTimeLink,
    Person,
    StaffRole,
    User,
    UserKind,
    UserStatus,
)
from portal.models.session import TenantSession
from portal.services.accounts.membership import add_membership
from portal.services.accounts.one_time import consume_link, peek_link, revoke_links
from portal.services.accounts.password_rules import check_password, split_words
from portal.services.accounts.passwords import Passwords
from portal.services.accounts.person_fields import FieldCheck
from portal.services.accounts.sessions import Origin, load_identity


@dataclass(frozen=True)
class Offer:
    """An invitation as its reader sees it; `new_login` says that a password is still to be set."""

    invitation: Invitation
    company_name: str | None
    role_name: str | None
    inviter: str | None
    new_login: bool


@dataclass(frozen=True)
class NewAccess:
    """What somebody new gives: the name to go by, and a password."""

    name: str
    password: str


def load_offer(session: TenantSession, token: str, kind: UserKind, *, now: datetime) -> Offer:
    """What a link offers at the door of `kind`, without using it up.

    Raises Conflict `link_expired` for everything that does not work (any more), or works at the other door.
    """
    return _offer_of(session, peek_link(session, token, LinkPurpose.INVITATION, now=now), kind, now)


def join(
    session: TenantSession,
    token: str,
    form: NewAccess,
    kind: UserKind,
    *,
    tenant_name: str,
    passwords: Passwords,
    origin: Origin,
    now: datetime,
) -> User:
    """Take an offer as somebody new: the pending login becomes active. Of racing calls one wins.

    Raises Invalid, and Conflict `link_expired` or `sign_in_to_accept` (the login is active already).
    """
    offer = load_offer(session, token, kind, now=now)
    if not offer.new_login:
        raise Conflict("sign_in_to_accept")
    check = FieldCheck()
    name = check.name(form.name)
    check.done()
    email = offer.invitation.email
    check_password(form.password, own_words=split_words(name, email, tenant_name, offer.company_name))
    invitation = _take(session, token, kind, now)
    values = {
        "status": UserStatus.ACTIVE,
        "password_hash": passwords.hash(form.password),
        "password_changed_at": now,
    }
    user: User | None = session.scalar(
        update(User)
        .where(User.id == invitation.user_id, User.status == UserStatus.PENDING)
        .values(**values)
        .returning(User)
    )
    if user is None:
        raise Conflict("sign_in_to_accept")
    session.execute(update(Person).where(Person.id == user.person_id).values(name=name, email_verified_at=now))
    _belong(session, invitation)
    # A link to another company stays; what else was on its way to this address is worth nothing now.
    revoke_links(session, LinkPurpose.RESET_PASSWORD, LinkPurpose.VERIFY_EMAIL, user_id=user.id, now=now)
    _note(session, invitation, load_identity(session, user, origin).actor, now)
    return user


def accept_offer(session: TenantSession, token: str, kind: UserKind, *, actor: Actor, now: datetime) -> Invitation:
    """Take an offer with the login that is signed in; it must be the one that was invited.

    Raises Conflict `link_expired`, Forbidden `other_login`.
    """
    offer = load_offer(session, token, kind, now=now)
    if offer.invitation.user_id != actor.user_id:
        raise Forbidden("other_login")
    invitation = _take(session, token, kind, now)
    _belong(session, invitation)
    _note(session, invitation, actor, now)
    return invitation


def _take(session: TenantSession, token: str, kind: UserKind, now: datetime) -> Invitation:
    """Use link and invitation up, both by a conditional update."""
    link = consume_link(session, token, LinkPurpose.INVITATION, now=now)
    taken: Invitation | None = session.scalar(
        update(Invitation)
        .where(
            Invitation.id == _invitation_id(link),
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > now,
        )
        .values(accepted_at=now)
        .returning(Invitation)
    )
    if taken is None or (taken.company_id is None) != (kind is UserKind.STAFF):
        raise Conflict("link_expired")
    return taken


def _belong(session: TenantSession, invitation: Invitation) -> None:
    add_membership(
        session,
        invitation.user_id,
        invitation.role,
        company_id=invitation.company_id,
        staff_role_id=invitation.staff_role_id,
    )


def _note(session: TenantSession, invitation: Invitation, actor: Actor, now: datetime) -> None:
    after = {"company_id": invitation.company_id, "role": invitation.role}
    audit(session, "invitation.accepted", "invitation", invitation.id, actor=actor, now=now, after=after)


def _invitation_id(link: OneTimeLink) -> UUID:
    return UUID(str(link.payload["invitation_id"]))


def _offer_of(session: TenantSession, link: OneTimeLink, kind: UserKind, now: datetime) -> Offer:
    sender, sending = aliased(User), aliased(Person)
    row = session.execute(
        select(Invitation, Company.name, StaffRole.name, sending.name, User.status)
        .join(User, User.id == Invitation.user_id)
        .outerjoin(Company, Company.id == Invitation.company_id)
        .outerjoin(StaffRole, StaffRole.id == Invitation.staff_role_id)
        .outerjoin(sender, sender.id == Invitation.invited_by)
        .outerjoin(sending, sending.id == sender.person_id)
        .where(
            Invitation.id == _invitation_id(link),
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > now,
            User.kind == kind,
        )
    ).first()
    if row is None or (row[0].company_id is None) != (kind is UserKind.STAFF):
        raise Conflict("link_expired")
    return Offer(row[0], row[1], row[2], row[3], row[4] is UserStatus.PENDING)
