"""Somebody's own sign-ins of the last ninety days, those that were refused included (AUTH-19)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, String, cast, literal, null, select, tuple_, union_all

from portal.authz import Actor, Permission, require
from portal.errors import invalid
from portal.lib.paging import Cursor, Page, decode_cursor, paginate
from portal.models import AuditEntry, AuthSession, TokenFamily
from portal.models.session import TenantSession

KEPT = timedelta(days=90)
REFUSED = "user.sign_in_refused"


class SignInKind(StrEnum):
    """What a line of the history is."""

    BROWSER = "browser"
    PROGRAM = "program"
    REFUSED = "refused"


@dataclass(frozen=True)
class SignIn:
    """A sign-in, or a try that was refused; `ended_at` is when it was signed out or ended, never by itself."""

    id: UUID
    kind: SignInKind
    at: datetime
    method: str
    user_agent: str
    ip: str
    ended_at: datetime | None


def list_sign_ins(
    session: TenantSession, *, actor: Actor, now: datetime, cursor: str | None = None, limit: int = 25
) -> Page[SignIn]:
    """A page of the actor's own history, newest first, by keyset. Raises Invalid about `cursor`. One statement."""
    require(actor, Permission.PROFILE_EDIT)
    after = decode_cursor(cursor)
    lines = union_all(*_sources(session.tenant_id, actor.user_id, now - KEPT)).subquery()
    place = tuple_(lines.c.at, lines.c.id)
    backwards = after is not None and after.backwards
    query = select(lines)
    if after is not None:
        stands = tuple_(literal(_moment(after), DateTime(timezone=True)), literal(after.id, lines.c.id.type))
        query = query.where(place > stands if backwards else place < stands)
    order = (lines.c.at.asc(), lines.c.id.asc()) if backwards else (lines.c.at.desc(), lines.c.id.desc())
    rows = [_line(row) for row in session.execute(query.order_by(*order).limit(limit + 1))]
    return paginate(rows, limit, after, lambda line: (line.at, line.id))


def _moment(after: Cursor) -> datetime:
    at = after.moment()
    if at is None or at.tzinfo is None:
        raise invalid("cursor", "cursor_invalid")
    return at


def _sources(tenant_id: UUID, user_id: UUID | None, since: datetime) -> list[Any]:
    """Sessions, sign-ins of programs and refusals in the same columns, each with its tenant spelled out."""
    nothing = cast(null(), DateTime(timezone=True))
    audit, browser, program = AuditEntry, AuthSession, TokenFamily
    return [
        select(
            browser.id.label("id"),
            literal(SignInKind.BROWSER.value, String).label("kind"),
            browser.created_at.label("at"),
            browser.method.label("method"),
            browser.user_agent.label("user_agent"),
            browser.ip.label("ip"),
            browser.revoked_at.label("ended_at"),
        ).where(browser.tenant_id == tenant_id, browser.user_id == user_id, browser.created_at > since),
        select(
            program.id,
            literal(SignInKind.PROGRAM.value, String),
            program.created_at,
            literal("token", String),
            program.user_agent,
            program.ip,
            program.revoked_at,
        ).where(program.tenant_id == tenant_id, program.user_id == user_id, program.created_at > since),
        select(
            audit.id,
            literal(SignInKind.REFUSED.value, String),
            audit.at,
            literal("", String),
            literal("", String),
            audit.ip,
            nothing,
        ).where(audit.tenant_id == tenant_id, audit.record_id == user_id, audit.action == REFUSED, audit.at > since),
    ]


def _line(row: Any) -> SignIn:
    return SignIn(row.id, SignInKind(row.kind), row.at, row.method, row.user_agent, row.ip, row.ended_at)
