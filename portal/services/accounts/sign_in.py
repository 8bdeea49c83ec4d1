"""Signing in, step by step, the same for both doors and for programs.

First proof (password, passkey, identity provider) → where a second factor is owed, a challenge that opens nothing
→ the session. Every reason to refuse the first proof gives the same answer after the same work (AUTH-09).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import exists, or_, select

from portal.authz import visitor
from portal.errors import Unauthenticated
from portal.events import publish, tell
from portal.events.access import DeviceAdded, PasswordResetOwed
from portal.lib.tokens import new_token, token_hash
from portal.models import Passkey, SignInChallenge, TotpFactor, User, UserKind
from portal.models.session import TenantSession
from portal.services.accounts.devices import recognise_device
from portal.services.accounts.expiry import forget_expired
from portal.services.accounts.identity import Identity, find_login
from portal.services.accounts.lockout import count_failure, forgive, refuse_locked, subject_of
from portal.services.accounts.passwords import Passwords
from portal.services.accounts.sessions import Origin, Via, start_session
from portal.services.accounts.sso.logout import refuse_signed_out
from portal.services.accounts.sso.recognition import refuse_other_ways

SSO = "sso"
CHALLENGE_LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class Attempt:
    """Somebody at a door: `door` is portal, admin or api; `device` what the device cookie holds."""

    identifier: str
    password: str
    door: str
    kind: UserKind | None
    origin: Origin
    device: str | None = None


@dataclass(frozen=True)
class FactorOwed:
    """The first proof holds; `challenge` is what the second has to come with. It opens nothing by itself."""

    challenge: str
    user_id: UUID
    expires_at: datetime


@dataclass(frozen=True)
class PasswordOwed:
    """The password is right but has to be replaced first: a link for that is mailed, and nothing is opened."""

    user_id: UUID


@dataclass(frozen=True)
class SignedInNow:
    """A session has begun: tokens for the session cookie and, on a new device, what the device cookie has to hold."""

    token: str
    identity: Identity
    device: str | None


def prove_password(session: TenantSession, attempt: Attempt, *, passwords: Passwords, now: datetime) -> User | None:
    """The login that identifier and password prove, or None: the failure is counted, which the caller commits.

    Raises Unauthenticated `sign_in_locked` (with `retry_after` in seconds) after too many failures from here,
    for people who exist and who do not; `sso_required` after a right password where another way is prescribed.
    """
    user = find_login(session, attempt.identifier, attempt.kind)
    subject = subject_of(attempt.identifier, user)
    refuse_locked(session, subject, attempt.origin, user=user, device=attempt.device, now=now)
    right = passwords.matches(attempt.password, user.password_hash if user else None)
    if user is None or not right or not user.may_sign_in():
        count_failure(session, subject, attempt.origin, user=user, device=attempt.device, now=now)
        return None
    refuse_other_ways(session, user)
    if not has_second_factor(session, user.id):
        # Where a second factor is owed, only that forgives: else a known password would buy endless wrong codes.
        forgive(session, subject, attempt.origin, user=user, device=attempt.device, now=now)
    if user.password_hash and passwords.needs_rehash(user.password_hash):
        user.password_hash = passwords.hash(attempt.password)
    return user


def ask_for_new_password(session: TenantSession, user: User, *, origin: Origin, now: datetime) -> PasswordOwed | None:
    """After a right password: have a link mailed where that password has to be replaced, else None."""
    if not user.must_reset_password:
        return None
    actor = visitor(session.tenant_id, ip=origin.ip, request_id=origin.request_id)
    publish(session, PasswordResetOwed(user.id), actor=actor, now=now)
    return PasswordOwed(user.id)


def has_second_factor(session: TenantSession, user_id: UUID) -> bool:
    """Whether a confirmed authenticator or a passkey exists."""
    return bool(
        session.scalar(
            select(
                or_(
                    exists().where(TotpFactor.user_id == user_id, TotpFactor.confirmed_at.is_not(None)),
                    exists().where(Passkey.user_id == user_id),
                )
            )
            .select_from(User)
            .where(User.id == user_id)
        )
    )


def continue_sign_in(
    session: TenantSession,
    user: User,
    *,
    door: str,
    method: str,
    origin: Origin,
    device: str | None,
    now: datetime,
    via: Via | None = None,
) -> FactorOwed | PasswordOwed | SignedInNow:
    """After the first proof at a browser's door: a challenge where a second factor is owed, else the session.

    By password only where that does not have to be replaced first; `via` is the identity provider that proved it.
    """
    owed = ask_for_new_password(session, user, origin=origin, now=now) if method == "password" else None
    if owed is not None:
        return owed
    if has_second_factor(session, user.id):
        return open_challenge(session, user, door=door, method=method, now=now, via=via)
    return finish_sign_in(
        session, user, door=door, method=method, factor=False, origin=origin, device=device, now=now, via=via
    )


def open_challenge(
    session: TenantSession, user: User, *, door: str, method: str, now: datetime, via: Via | None = None
) -> FactorOwed:
    """Note that somebody owes the second factor, for ten minutes."""
    forget_expired(session, SignInChallenge, now=now)
    token = new_token()
    challenge = SignInChallenge(
        token_hash=token_hash(token),
        id=uuid4(),
        tenant_id=session.tenant_id,
        user_id=user.id,
        door=door,
        method=method,
        attempts=0,
        provider_id=via.provider_id if via else None,
        provider_sid=via.sid if via else None,
        created_at=now,
        expires_at=now + CHALLENGE_LIFE,
    )
    session.add(challenge)
    return FactorOwed(token, user.id, challenge.expires_at)


def finish_sign_in(
    session: TenantSession,
    user: User,
    *,
    door: str,
    method: str,
    factor: bool,
    origin: Origin,
    device: str | None,
    now: datetime,
    via: Via | None = None,
) -> SignedInNow:
    """Start the session of a login that was proved in full, and know its device the next time."""
    if not user.may_sign_in():
        raise Unauthenticated("wrong_credentials")
    if method != SSO:
        refuse_other_ways(session, user)
    refuse_signed_out(session, via)
    known = recognise_device(session, user, shown=device, origin=origin, now=now)
    token, identity = start_session(
        session, user, door=door, method=method, factor=factor, device_id=known.id, origin=origin, now=now, via=via
    )
    if known.unusual:
        tell(session, DeviceAdded(known.id), actor=identity.actor, now=now)
    return SignedInNow(token, identity, known.new_cookie)
