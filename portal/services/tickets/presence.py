"""Who of the team looks at a ticket or answers it right now; told to every open page of it, in all processes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor, Permission, require
from portal.integrations.realtime import CHANNEL, LiveEntry, pack
from portal.models import Person, Presence, User
from portal.models.session import TenantSession
from portal.services.tickets.queries import get_ticket

Activity = Literal["viewing", "replying"]
# Pages say so every 25 seconds; whoever missed two of them is gone.
FRESH = timedelta(seconds=60)
_NOTIFY = text("SELECT pg_notify(:channel, :payload)")


@dataclass(frozen=True)
class Colleague:
    """Somebody else at the ticket."""

    user_id: UUID
    name: str
    activity: str


def note_presence(session: TenantSession, ticket_id: UUID, *, activity: Activity, actor: Actor, now: datetime) -> None:
    """Note that the actor is at the ticket; others are told only of what is new. Raises NotFound and Forbidden."""
    _admit(session, ticket_id, actor)
    mine = (Presence.ticket_id == ticket_id, Presence.user_id == actor.user_id)
    before = session.execute(select(Presence.activity, Presence.at).where(*mine)).one_or_none()
    row = {"ticket_id": ticket_id, "user_id": actor.user_id, "activity": activity, "at": now}
    session.execute(
        insert(Presence)
        .values(tenant_id=session.tenant_id, **row)
        .on_conflict_do_update(index_elements=["ticket_id", "user_id"], set_={"activity": activity, "at": now})
    )
    if before is None:
        old = (Presence.user_id == actor.user_id, Presence.at < now - FRESH)
        session.execute(delete(Presence).where(*old), execution_options={"synchronize_session": False})
    if before is None or before.activity != activity or before.at < now - FRESH:
        _tell(session, ticket_id)


def leave_ticket(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> None:
    """The actor's page is gone; again changes nothing. Raises NotFound and Forbidden."""
    _admit(session, ticket_id, actor)
    mine = (Presence.ticket_id == ticket_id, Presence.user_id == actor.user_id)
    gone = session.scalars(delete(Presence).where(*mine).returning(Presence.user_id)).all()
    if gone:
        _tell(session, ticket_id)


def list_present(session: TenantSession, ticket_id: UUID, *, actor: Actor, now: datetime) -> list[Colleague]:
    """Who else is at the ticket, those who answer first. Raises NotFound and Forbidden."""
    _admit(session, ticket_id, actor)
    rows = session.execute(
        select(Presence.user_id, Person.name, Presence.activity)
        .join(User, User.id == Presence.user_id)
        .join(Person, Person.id == User.person_id)
        .where(Presence.ticket_id == ticket_id, Presence.user_id != actor.user_id, Presence.at >= now - FRESH)
        .order_by(Presence.activity, Person.name)
    )
    return [Colleague(user_id, name, activity) for user_id, name, activity in rows]


def _admit(session: TenantSession, ticket_id: UUID, actor: Actor) -> None:
    require(actor, Permission.DESK_READ)
    get_ticket(session, ticket_id, actor=actor)


def _tell(session: TenantSession, ticket_id: UUID) -> None:
    entry = LiveEntry(session.tenant_id, "presence.changed", "presence", ticket_id, staff_only=True)
    for payload in pack([entry]):
        session.connection().execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})
