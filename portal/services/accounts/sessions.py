"""Browser sessions: a random token in the cookie, its hash and its life in a row."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, Select, bindparam, update

from portal.authz import Actor
from portal.events import audit
from portal.lib.tokens import new_token, token_hash
from portal.models import AuthSession, SignInChallenge, TokenFamily, User, UserKind, UserStatus
from portal.models.session import TenantSession, prepare
from portal.services.accounts.chrome import chrome_columns
from portal.services.accounts.factor_policy import set_factor_due
from portal.services.accounts.identity import Identity, build_identity, select_identity

IDLE = timedelta(minutes=30)
LIFETIME = {UserKind.CUSTOMER: timedelta(hours=12), UserKind.STAFF: timedelta(hours=8)}
DOORS = {"portal": UserKind.CUSTOMER, "admin": UserKind.STAFF}
TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Origin:
    """Where a request came from."""

    ip: str
    user_agent: str
    request_id: str = ""


@dataclass(frozen=True)
class Via:
    """The identity provider that somebody came through, and its own name for its session with them, if it has one."""

    provider_id: UUID
    sid: str | None


@dataclass(frozen=True)
class HeldSession:
    """The session a request came with, as it stood when the request began."""

    id: UUID
    token_hash: bytes
    method: str
    proved_at: datetime | None
    factor_at: datetime | None
    last_seen_at: datetime


# Parallel to the fields of HeldSession; columns, not the entity, since every request reads them.
_HELD = (
    AuthSession.id.label("session_id"),
    AuthSession.token_hash,
    AuthSession.method,
    AuthSession.proved_at,
    AuthSession.factor_at,
    AuthSession.last_seen_at,
)


def held_session(row: Row[Any]) -> HeldSession:
    """The session in a row of `find_signed_in`."""
    return HeldSession(row.session_id, row.token_hash, row.method, row.proved_at, row.factor_at, row.last_seen_at)


def start_session(
    session: TenantSession,
    user: User,
    *,
    door: str,
    method: str,
    factor: bool,
    device_id: UUID | None,
    origin: Origin,
    now: datetime,
    via: Via | None = None,
) -> tuple[str, Identity]:
    """Start a session for a login that was proved in full; returns the token for the cookie.

    `method` says how (password, passkey, sso, link), `factor` whether a second factor was given now, `via` through
    which identity provider.
    """
    identity = load_identity(session, user, origin)
    token = new_token()
    session.add(
        AuthSession(
            token_hash=token_hash(token),
            id=uuid4(),
            tenant_id=session.tenant_id,
            user_id=user.id,
            door=door,
            ip=origin.ip,
            user_agent=origin.user_agent[:255],
            method=method,
            device_id=device_id,
            provider_id=via.provider_id if via else None,
            provider_sid=via.sid if via else None,
            proved_at=now,
            factor_at=now if factor else None,
            created_at=now,
            last_seen_at=now,
            expires_at=now + LIFETIME[user.kind],
        )
    )
    set_factor_due(session, user, now=now)
    user.previous_login_at, user.last_login_at = user.last_login_at, now
    after = {"door": door, "method": method}
    audit(session, "user.signed_in", "user", user.id, actor=identity.actor, now=now, after=after)
    return token, identity


def load_identity(session: TenantSession, user: User, origin: Origin) -> Identity:
    """The identity of a login that was just proved."""
    row = session.execute(select_identity().where(User.id == user.id)).one()
    return build_identity(row, ip=origin.ip, request_id=origin.request_id)


@cache
def _signed_in_statement(door: str, with_counts: bool) -> Select[Any]:
    """Built once per door: every request runs it, and building cost more than running it."""
    return prepare(
        _living(*(chrome_columns(door) if with_counts else ())).where(
            AuthSession.token_hash == bindparam("token_hash"), AuthSession.door == door, User.kind == DOORS[door]
        )
    )


def _living(*extra: Any) -> Select[Any]:
    """Sessions that live at `now` (idle since `idle_since` at most), of logins that may sign in."""
    return (
        select_identity()
        .add_columns(*_HELD, *extra)
        .join(AuthSession, AuthSession.user_id == User.id)
        .where(
            AuthSession.revoked_at.is_(None),
            AuthSession.expires_at > bindparam("now"),
            AuthSession.last_seen_at > bindparam("idle_since"),
            User.status == UserStatus.ACTIVE,
            User.portal_access,
        )
    )


def find_signed_in(
    session: TenantSession, token: str, door: str, now: datetime, *, idle: timedelta = IDLE, with_counts: bool = False
) -> Row[Any] | None:
    """The live session behind a token, with its identity, of a login that may still sign in; by one statement.

    The row begins with `select_identity`'s columns and ends with the frame's counts (`with_counts`); between them
    is what `held_session` reads.
    """
    return session.read(
        _signed_in_statement(door, with_counts),
        {"token_hash": token_hash(token), "now": now, "idle_since": now - idle},
    ).first()


def find_living(
    session: TenantSession, hashes: Collection[bytes], now: datetime, *, idle: timedelta = IDLE
) -> dict[bytes, Identity]:
    """Which of these sessions (by the hash of their token) live, and whose they are; by one statement."""
    rows = session.execute(_living().where(AuthSession.token_hash.in_(hashes)), {"now": now, "idle_since": now - idle})
    return {row.token_hash: build_identity(row) for row in rows}


def touch_session(session: TenantSession, row: Row[Any], *, now: datetime) -> bool:
    """Note activity in the session of such a row, at most once a minute; whether there was something to note."""
    if now - row.last_seen_at < TOUCH_EVERY:
        return False
    session.execute(
        update(AuthSession).where(AuthSession.token_hash == row.token_hash).values(last_seen_at=now),
        execution_options={"synchronize_session": False},
    )
    return True


def sign_out(session: TenantSession, token: str, *, actor: Actor, now: datetime) -> None:
    """End one session for good: a copied cookie is worth nothing afterwards."""
    session.execute(
        update(AuthSession)
        .where(AuthSession.token_hash == token_hash(token), AuthSession.revoked_at.is_(None))
        .values(revoked_at=now),
        execution_options={"synchronize_session": False},
    )
    audit(session, "user.signed_out", "user", actor.user_id, actor=actor, now=now)


def end_sessions(
    session: TenantSession,
    user_id: UUID,
    *,
    now: datetime,
    keep: UUID | None = None,
    keep_family: UUID | None = None,
    programs: bool = True,
) -> int:
    """End every session of a login, and every sign-in of its programs, but the session `keep`; returns how many.

    `keep_family` is the program's own sign-in, where a program asks. Sign-ins that are half done end, too.
    """
    options = {"synchronize_session": False}
    # First: a second step that is being answered at this moment is waited for, and its session ends with the others.
    half_done = update(SignInChallenge).where(SignInChallenge.user_id == user_id, SignInChallenge.used_at.is_(None))
    session.execute(half_done.values(used_at=now), execution_options=options)
    living = update(AuthSession).where(AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None))
    if keep is not None:
        living = living.where(AuthSession.id != keep)
    ended = len(
        session.execute(living.values(revoked_at=now).returning(AuthSession.id), execution_options=options).all()
    )
    if programs:
        families = update(TokenFamily).where(TokenFamily.user_id == user_id, TokenFamily.revoked_at.is_(None))
        if keep_family is not None:
            families = families.where(TokenFamily.id != keep_family)
        result = session.execute(families.values(revoked_at=now).returning(TokenFamily.id), execution_options=options)
        ended += len(result.all())
    return ended
