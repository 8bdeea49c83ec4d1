"""Time that the team spends on tickets; customers neither see nor hear of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid, NotFound
from portal.events import publish
from portal.events.tickets import TicketTimeChanged
from portal.models import Person, TimeEntry, User
from portal.models.session import TenantSession
from portal.services.tickets.queries import get_ticket, lock_ticket
from portal.services.tickets.timeline import add_line
from portal.services.tickets.validation import checked_text

MOST_MINUTES = 1_440
NOTE_LENGTH = 255


@dataclass(frozen=True)
class TimeRow:
    """An entry with the name of whose it is."""

    entry: TimeEntry
    name: str


def add_time(
    session: TenantSession,
    ticket_id: UUID,
    *,
    minutes: int,
    actor: Actor,
    now: datetime,
    note: str = "",
    billable: bool = True,
    spent_at: datetime | None = None,
    entry_id: UUID | None = None,
) -> TimeEntry:
    """Write down minutes (1 to 1,440) of the actor's; raises NotFound, Forbidden and Invalid.

    A form brings the entry's id, so that one sent twice is refused by the key of the first.
    """
    ticket = lock_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_UPDATE)
    errors: list[FieldError] = []
    if not 1 <= minutes <= MOST_MINUTES:
        errors.append(FieldError("minutes", "out_of_range", (("low", 1), ("high", MOST_MINUTES))))
    text = checked_text("note", note, limit=NOTE_LENGTH, errors=errors, required=False)
    if spent_at is not None and spent_at > now:
        errors.append(FieldError("spent_at", "in_the_future"))
    if errors:
        raise Invalid(*errors)
    entry = TimeEntry(
        id=entry_id or uuid4(),
        tenant_id=session.tenant_id,
        ticket_id=ticket_id,
        user_id=actor.user_id,
        minutes=minutes,
        note=" ".join(text.split()),
        billable=billable,
        spent_at=spent_at or now,
        created_at=now,
    )
    session.add(entry)
    ticket.minutes_spent += minutes
    add_line(session, ticket, "time_added", actor=actor, now=now, staff_only=True, minutes=minutes)
    event = TicketTimeChanged.about(ticket, minutes=minutes)
    publish(session, event, actor=actor, now=now, after={"minutes": minutes, "billable": billable})
    return entry


def remove_time(session: TenantSession, ticket_id: UUID, entry_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Take back an entry of one's own; somebody else's is not found. Raises NotFound and Forbidden."""
    ticket = lock_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_UPDATE)
    mine = (TimeEntry.id == entry_id, TimeEntry.ticket_id == ticket_id, TimeEntry.user_id == actor.user_id)
    entry = session.scalar(select(TimeEntry).where(*mine))
    if entry is None:
        raise NotFound("time_entry")
    session.delete(entry)
    ticket.minutes_spent -= entry.minutes
    add_line(session, ticket, "time_removed", actor=actor, now=now, staff_only=True, minutes=entry.minutes)
    event = TicketTimeChanged.about(ticket, minutes=-entry.minutes)
    publish(session, event, actor=actor, now=now, before={"minutes": entry.minutes, "billable": entry.billable})


def list_time(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> Sequence[TimeRow]:
    """Every entry of a ticket, the newest first. Raises NotFound and Forbidden."""
    get_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_READ)
    rows = session.execute(
        select(TimeEntry, Person.name)
        .join(User, User.id == TimeEntry.user_id)
        .join(Person, Person.id == User.person_id)
        .where(TimeEntry.ticket_id == ticket_id)
        .order_by(TimeEntry.spent_at.desc(), TimeEntry.id)
    )
    return [TimeRow(entry, name) for entry, name in rows]
