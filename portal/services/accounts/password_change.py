"""A new password by somebody who knows the old one (H9.2)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import invalid
from portal.events import audit
from portal.lib.user_agents import describe
from portal.lib.wording import N_
from portal.models import LinkPurpose, User
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity
from portal.services.accounts.lockout import count_failure, forgive, refuse_locked, subject_of, unlock
from portal.services.accounts.messages import AccountMessage
from portal.services.accounts.one_time import revoke_links
from portal.services.accounts.own import Letterhead, Post, load_own
from portal.services.accounts.password_rules import check_password, split_words
from portal.services.accounts.passwords import Passwords
from portal.services.accounts.sessions import Origin, end_sessions


@dataclass(frozen=True)
class PasswordChange:
    """What somebody typed, and from where; `device` is what the device cookie holds."""

    current: str
    new: str
    origin: Origin
    device: str | None = None


def change_password(
    session: TenantSession,
    wanted: PasswordChange,
    *,
    identity: Identity,
    passwords: Passwords,
    letterhead: Letterhead,
    now: datetime,
    keep: UUID | None = None,
) -> bool:
    """Replace the password; every session but `keep` and every program has to sign in with the new one.

    False where the current password is wrong: that counts like a failed sign-in, which the caller commits before
    it refuses. Raises Invalid about `new_password`, and Unauthenticated `sign_in_locked` after too many failures.
    """
    actor = identity.actor
    require(actor, Permission.PROFILE_EDIT)
    # Two at once cannot both know the current password.
    own = load_own(session, actor, lock=True)
    user, subject = own.user, subject_of(own.person.email, own.user)
    refuse_locked(session, subject, wanted.origin, user=user, device=wanted.device, now=now)
    if not passwords.matches(wanted.current, user.password_hash):
        count_failure(session, subject, wanted.origin, user=user, device=wanted.device, now=now)
        return False
    forgive(session, subject, wanted.origin, user=user, device=wanted.device, now=now)
    names = (letterhead.tenant.name, *(name for _, name in identity.companies))
    _check_new(wanted, split_words(own.person.name, own.person.email, own.person.phone, *names))
    user.password_hash = passwords.hash(wanted.new)
    user.password_changed_at, user.must_reset_password = now, False
    revoke_links(session, LinkPurpose.RESET_PASSWORD, user_id=user.id, now=now)
    unlock(session, user.id)
    ended = end_sessions(session, user.id, now=now, keep=keep, keep_family=keep)
    audit(session, "user.password_changed", "user", user.id, actor=actor, now=now, after={"sessions_ended": ended})
    device = describe(wanted.origin.user_agent).text
    facts = [(N_("Device"), device)] if device else []
    Post(session, letterhead, actor, now).mail(AccountMessage("password_changed", facts=facts), own.addressee())
    return True


def has_password(session: TenantSession, *, actor: Actor) -> bool:
    """Whether the actor signs in with a password of ours at all."""
    return bool(session.scalar(select(User.password_hash.is_not(None)).where(User.id == actor.user_id)))


def _check_new(wanted: PasswordChange, own_words: tuple[str, ...]) -> None:
    if wanted.new == wanted.current:
        raise invalid("new_password", "password_unchanged")
    check_password(wanted.new, own_words, field="new_password")
