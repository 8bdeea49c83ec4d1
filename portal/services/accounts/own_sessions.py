"""Where somebody is signed in now: browsers and programs, and how to end that (H9.8)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select, update

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.events import audit
from portal.models import AuthSession, TokenFamily
from portal.models.session import TenantSession
from portal.services.accounts.api_tokens import REFRESH_LIFE
from portal.services.accounts.sessions import IDLE, end_sessions

UNCHECKED = {"synchronize_session": False}


class SessionKind(StrEnum):
    """What is signed in."""

    BROWSER = "browser"
    PROGRAM = "program"


@dataclass(frozen=True)
class OpenSession:
    """Something that is signed in; `current` is the one that asks. `door` is portal, admin or api."""

    id: UUID
    kind: SessionKind
    door: str
    method: str
    user_agent: str
    ip: str
    started_at: datetime
    last_active_at: datetime
    current: bool


def list_sessions(
    session: TenantSession, *, actor: Actor, now: datetime, current: UUID | None, idle: timedelta = IDLE
) -> list[OpenSession]:
    """Everything the actor is signed in with, this one first, then by last activity. Two statements.

    `idle` is after how long a browser's session is over by itself. `current` is the session (or the family of
    tokens) that asks.
    """
    require(actor, Permission.PROFILE_EDIT)
    browsers = select(AuthSession).where(
        AuthSession.user_id == actor.user_id,
        AuthSession.revoked_at.is_(None),
        AuthSession.expires_at > now,
        AuthSession.last_seen_at > now - idle,
    )
    programs = select(TokenFamily).where(
        TokenFamily.user_id == actor.user_id,
        TokenFamily.revoked_at.is_(None),
        func.coalesce(TokenFamily.last_used_at, TokenFamily.created_at) > now - REFRESH_LIFE,
    )
    found = [_browser(row, current) for row in session.scalars(browsers)]
    found += [_program(row, current) for row in session.scalars(programs)]
    return sorted(found, key=lambda row: (not row.current, -row.last_active_at.timestamp()))


def end_session(session: TenantSession, session_id: UUID, *, actor: Actor, now: datetime) -> None:
    """End one of the actor's own, at once. NotFound for others' and for what has ended already."""
    require(actor, Permission.PROFILE_EDIT)
    for model in (AuthSession, TokenFamily):
        ended = session.execute(
            update(model)
            .where(model.id == session_id, model.user_id == actor.user_id, model.revoked_at.is_(None))
            .values(revoked_at=now)
            .returning(model.id),
            execution_options=UNCHECKED,
        ).first()
        if ended is not None:
            kind = SessionKind.BROWSER if model is AuthSession else SessionKind.PROGRAM
            after = {"session": str(session_id), "kind": kind.value}
            audit(session, "user.session_ended", "user", actor.user_id, actor=actor, now=now, after=after)
            return
    raise NotFound("session")


def end_other_sessions(session: TenantSession, *, keep: UUID | None, actor: Actor, now: datetime) -> int:
    """End all of the actor's own but `keep` (a browser's session or a family of tokens); returns how many."""
    require(actor, Permission.PROFILE_EDIT)
    if actor.user_id is None:
        raise NotFound("user")
    ended = end_sessions(session, actor.user_id, now=now, keep=keep, keep_family=keep)
    audit(session, "user.other_sessions_ended", "user", actor.user_id, actor=actor, now=now, after={"ended": ended})
    return ended


def _browser(row: AuthSession, current: UUID | None) -> OpenSession:
    return OpenSession(
        id=row.id,
        kind=SessionKind.BROWSER,
        door=row.door,
        method=row.method,
        user_agent=row.user_agent,
        ip=row.ip,
        started_at=row.created_at,
        last_active_at=row.last_seen_at,
        current=row.id == current,
    )


def _program(row: TokenFamily, current: UUID | None) -> OpenSession:
    return OpenSession(
        id=row.id,
        kind=SessionKind.PROGRAM,
        door="api",
        method="token",
        user_agent=row.user_agent,
        ip=row.ip,
        started_at=row.created_at,
        last_active_at=row.last_used_at or row.created_at,
        current=row.id == current,
    )
