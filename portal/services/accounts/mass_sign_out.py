"""Everybody has to sign in again: customers, the team or both, at one word of an administrator (ASVS 7.4.5)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, update

from portal.authz import Actor, Permission, require
from portal.errors import invalid
from portal.events import publish
from portal.events.access import AllSessionsEnded
from portal.models import AuthSession, SignInChallenge, TokenFamily, User, UserKind
from portal.models.session import TenantSession

UNCHECKED = {"synchronize_session": False}


class Whose(StrEnum):
    """Whose sessions end."""

    CUSTOMERS = "customers"
    TEAM = "team"
    EVERYBODY = "everybody"

    @property
    def kinds(self) -> frozenset[UserKind]:
        """The logins that are meant."""
        return _KINDS[self]


_KINDS = {
    Whose.CUSTOMERS: frozenset({UserKind.CUSTOMER}),
    Whose.TEAM: frozenset({UserKind.STAFF}),
    Whose.EVERYBODY: frozenset(UserKind),
}


def chosen_whose(text: str | None) -> Whose:
    """Whose sessions were chosen; Invalid about `whose` for anything else."""
    if text not in set(Whose):
        raise invalid("whose", "unknown_choice")
    return Whose(text)


def end_all_sessions(session: TenantSession, whose: Whose, *, keep: UUID | None, actor: Actor, now: datetime) -> int:
    """End every browser's session and every program's sign-in of these people; returns how many there were.

    `keep` is what asks: a session, or a family of tokens. Sign-ins that are half done end, too; API keys, which
    only read, stay. Sockets close as soon as the web processes hear of it. Raises Forbidden.
    """
    require(actor, Permission.SIGN_IN_CONFIGURE)
    meant = select(User.id).where(User.kind.in_(whose.kinds))
    # First: second steps that are being answered are waited for, and what they begin ends with the rest.
    half_done = update(SignInChallenge).where(SignInChallenge.user_id.in_(meant), SignInChallenge.used_at.is_(None))
    session.execute(half_done.values(used_at=now), execution_options=UNCHECKED)
    ended = 0
    for model in (AuthSession, TokenFamily):
        living = update(model).where(model.user_id.in_(meant), model.revoked_at.is_(None))
        if model is AuthSession:
            living = living.where(AuthSession.expires_at > now)
        if keep is not None:
            living = living.where(model.id != keep)
        gone = session.execute(living.values(revoked_at=now).returning(model.id), execution_options=UNCHECKED)
        ended += len(gone.all())
    after = {"whose": whose, "sessions": ended}
    publish(session, AllSessionsEnded(session.tenant_id), actor=actor, now=now, after=after)
    return ended
