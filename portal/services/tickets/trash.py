"""The trash: what lies there is in no list, count, search, page or mail, until it is restored or purged.

`queries.is_kept` is part of every rule of visibility, so every lookup misses a trashed ticket without knowing of
the trash; only this module and `purging` look for one. The clock stands still by having no steps and no workflow.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, NotFound
from portal.events import publish
from portal.events.relations import TicketRestored, TicketTrashed
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.models import Company, Notification, Person, Ticket, TicketEvent, User
from portal.models.session import TenantSession
from portal.services.tickets.clock import set_clock, steps_of
from portal.services.tickets.policies import load_terms_of
from portal.services.tickets.timeline import Line, lines_beside
from portal.services.tickets.validation import one_text

REASON_LENGTH = 255
# After this time a trashed ticket is gone for good (see purging.py).
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True)
class TrashedTicket:
    """A ticket in the trash: whose it was, who put it there and why, and until when it can be restored."""

    id: UUID
    number: str
    subject: str
    company: str
    requester: str
    trashed_at: datetime
    trashed_by: str
    reason: str

    @property
    def purged_at(self) -> datetime:
        """When it is gone for good."""
        return self.trashed_at + KEPT_FOR


def trash_ticket(session: TenantSession, ticket_id: UUID, *, reason: str, actor: Actor, now: datetime) -> Ticket:
    """Put a ticket into the trash. Raises NotFound, Invalid (`reason`) and Conflict `already_trashed`."""
    ticket = _lock(session, ticket_id, actor=actor)
    text = one_text("reason", reason, limit=REASON_LENGTH)
    if ticket.trashed_at is not None:
        raise Conflict("already_trashed", number=ticket.ticket_number)
    ticket.trashed_at = now
    line = Line("trashed", {"reason": " ".join(text.split())}, staff_only=True)
    publish(
        session,
        TicketTrashed.about(ticket),
        actor=actor,
        now=now,
        after={"status": ticket.status.value},
        beside=(lines_beside(ticket, line), steps_of(ticket, None)),
    )
    # Its notices count no more; the moment tells those that come back with it.
    session.execute(_notices(ticket).where(Notification.read_at.is_(None)).values(read_at=now))
    return ticket


def restore_ticket(session: TenantSession, ticket_id: UUID, *, actor: Actor, now: datetime) -> Ticket:
    """Bring a ticket back as it was. Raises NotFound and Conflict `not_trashed`.

    The promise was made to the customer, so the time in the trash is no pause: the clock goes on from where it
    would be, and steps that came due meanwhile are carried out now. A new run of the clock does that.
    """
    ticket = _lock(session, ticket_id, actor=actor)
    if ticket.trashed_at is None:
        raise Conflict("not_trashed", number=ticket.ticket_number)
    session.execute(_notices(ticket).where(Notification.read_at == ticket.trashed_at).values(read_at=None))
    ticket.trashed_at = None
    ticket.clock_cycle += 1
    reading = set_clock(ticket, now=now, policies=load_terms_of(session, [ticket])[ticket.id])
    publish(
        session,
        TicketRestored.about(ticket),
        actor=actor,
        now=now,
        after={"status": ticket.status.value},
        beside=(lines_beside(ticket, Line("restored", staff_only=True)), steps_of(ticket, reading)),
    )
    return ticket


def list_trash(
    session: TenantSession, *, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[TrashedTicket]:
    """What lies in the trash, the newest first. Raises Forbidden, and Invalid about the cursor."""
    require(actor, Permission.DESK_TRASH)
    at = decode_cursor(cursor)
    query = _select()
    backwards = at is not None and at.backwards
    if at is not None:
        here = (Ticket.trashed_at, Ticket.id)
        query = query.where(_past(here, (at.moment(), at.id), backwards))
    order = (Ticket.trashed_at, Ticket.id) if backwards else (Ticket.trashed_at.desc(), Ticket.id.desc())
    rows = [TrashedTicket(*row) for row in session.execute(query.order_by(*order).limit(limit + 1))]
    return paginate(rows, limit, at, lambda row: (row.trashed_at, row.id))


def get_trashed(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> TrashedTicket:
    """One ticket in the trash. Raises NotFound, and Conflict `not_trashed` for one that is not there."""
    ticket = _lock(session, ticket_id, actor=actor)
    if ticket.trashed_at is None:
        raise Conflict("not_trashed", number=ticket.ticket_number)
    return TrashedTicket(*session.execute(_select().where(Ticket.id == ticket_id)).one())


def _select() -> Select[Any]:
    return (
        select(Ticket.id, Ticket.ticket_number, Ticket.subject, Company.name, Person.name, Ticket.trashed_at,
               _told("actor_name"), _told("reason"))
        .join(Company, Company.id == Ticket.customer_id)
        .join(User, User.id == Ticket.requester_id)
        .join(Person, Person.id == User.person_id)
        .where(Ticket.trashed_at.is_not(None))
    )  # fmt: skip


def _past(here: tuple[Any, Any], there: tuple[Any, Any], backwards: bool) -> Any:
    (at, id_), (moment, other) = here, there
    if backwards:
        return (at > moment) | ((at == moment) & (id_ > other))
    return (at < moment) | ((at == moment) & (id_ < other))


def _told(name: str) -> Any:
    """Who trashed the ticket the last time, or why."""
    value: Any = TicketEvent.params["reason"].astext if name == "reason" else TicketEvent.actor_name
    newest = (
        select(value)
        .where(
            TicketEvent.tenant_id == Ticket.tenant_id,
            TicketEvent.ticket_id == Ticket.id,
            TicketEvent.kind == "trashed",
        )
        .order_by(TicketEvent.at.desc())
        .limit(1)
    )
    return newest.correlate(Ticket).scalar_subquery()


def _lock(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> Ticket:
    """A ticket of the tenant, in the trash or not; for staff alone."""
    ticket = session.scalar(
        select(Ticket).where(Ticket.id == ticket_id).with_for_update().execution_options(populate_existing=True)
    )
    if ticket is None or not (actor.is_staff or actor.is_system):
        raise NotFound("ticket")
    require(actor, Permission.DESK_TRASH)
    return ticket


def _notices(ticket: Ticket) -> Any:
    return (
        update(Notification)
        .where(Notification.record_type == "ticket", Notification.record_id == ticket.id)
        .execution_options(synchronize_session=False)
    )
