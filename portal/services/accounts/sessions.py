"""Browser sessions: a random token in the cookie, its hash and its life in a row."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, Select, bindparam, update

from portal.authz import Actor
from portal.errors import Unauthenticated
from portal.events import audit
from portal.lib.tokens import new_token, token_hash
from portal.models import AuthSession, User, UserKind, UserStatus
from portal.models.session import TenantSession, prepare
from portal.services.accounts.chrome import chrome_columns
from portal.services.accounts.identity import Identity, build_identity, find_login, select_identity
from portal.services.accounts.passwords import Passwords

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
class SignedIn:
    """A session in use."""

    session: AuthSession
    identity: Identity


def sign_in(
    session: TenantSession,
    *,
    identifier: str,
    password: str,
    door: str,
    passwords: Passwords,
    origin: Origin,
    now: datetime,
) -> tuple[str, Identity]:
    """Check the password at a door and start a session; returns the token for the cookie.

    Every reason to refuse gives the same Unauthenticated `wrong_credentials`, after the same work.
    """
    user = authenticate(session, identifier=identifier, password=password, kind=DOORS[door], passwords=passwords)
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
            created_at=now,
            last_seen_at=now,
            expires_at=now + LIFETIME[user.kind],
        )
    )
    user.previous_login_at, user.last_login_at = user.last_login_at, now
    audit(session, "user.signed_in", "user", user.id, actor=identity.actor, now=now, after={"door": door})
    return token, identity


def authenticate(
    session: TenantSession, *, identifier: str, password: str, kind: UserKind | None, passwords: Passwords
) -> User:
    """The login that identifier and password prove; raises Unauthenticated `wrong_credentials`."""
    user = find_login(session, identifier, kind)
    if not passwords.matches(password, user.password_hash if user else None) or user is None:
        raise Unauthenticated("wrong_credentials")
    if not user.may_sign_in():
        raise Unauthenticated("wrong_credentials")
    if user.password_hash and passwords.needs_rehash(user.password_hash):
        user.password_hash = passwords.hash(password)
    return user


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
        .add_columns(AuthSession.token_hash, AuthSession.last_seen_at, *extra)
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
    session: TenantSession, token: str, door: str, now: datetime, *, with_counts: bool = False
) -> Row[Any] | None:
    """The live session behind a token, with its identity, of a login that may still sign in; by one statement.

    The row begins with `select_identity`'s columns and ends with the frame's counts (`with_counts`); between them
    are the session's `token_hash` and `last_seen_at`.
    """
    return session.read(
        _signed_in_statement(door, with_counts),
        {"token_hash": token_hash(token), "now": now, "idle_since": now - IDLE},
    ).first()


def find_living(session: TenantSession, hashes: Collection[bytes], now: datetime) -> dict[bytes, Identity]:
    """Which of these sessions (by the hash of their token) live, and whose they are; by one statement."""
    rows = session.execute(_living().where(AuthSession.token_hash.in_(hashes)), {"now": now, "idle_since": now - IDLE})
    return {row.token_hash: build_identity(row) for row in rows}


def touch_session(session: TenantSession, row: Row[Any], *, now: datetime) -> bool:
    """Note activity, at most once a minute, in the session of such a row; returns whether there was any to note."""
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
