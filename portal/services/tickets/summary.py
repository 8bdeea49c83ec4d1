"""Figures about an actor's own tickets, for the dashboard."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY

from portal.authz import Actor
from portal.models import ACTIVE, Ticket, TicketEvent, TicketStatus
from portal.models.session import TenantSession, prepare
from portal.services.tickets.counting import COUNT_CAP
from portal.services.tickets.listing import NEEDING
from portal.services.tickets.queries import Sight, sight_of, values_of, visible_by
from portal.services.tickets.rows import TicketRow, build_listed, select_list

PROMISE_WINDOW = timedelta(days=90)
_STATUSES = tuple(status for status in TicketStatus if status in ACTIVE)


@dataclass(frozen=True)
class TicketFigures:
    """Open tickets by status (each counted to 1,001 at most), and promises kept of those that came to an end."""

    by_status: dict[TicketStatus, int]
    kept: int
    promised: int

    @property
    def open(self) -> int:
        """Tickets that are neither resolved nor closed nor cancelled."""
        return sum(self.by_status.values())


@dataclass(frozen=True)
class Activity:
    """A line of a ticket's timeline with the ticket it belongs to."""

    event: TicketEvent
    ticket_id: UUID
    number: str
    subject: str


def read_figures(session: TenantSession, *, actor: Actor, now: datetime) -> TicketFigures:
    """The figures, by one statement."""
    values = {**values_of(actor), "since": now - PROMISE_WINDOW}
    row = session.read(_figures(sight_of(actor)), values).one()
    return TicketFigures(dict(zip(_STATUSES, row[:-2], strict=True)), kept=row[-2], promised=row[-1])


@cache
def _figures(sight: Sight) -> Select[Any]:
    columns: list[Any] = []
    for status in _STATUSES:
        rows = select(literal(1)).select_from(Ticket).where(visible_by(sight), Ticket.status == status)
        columns.append(select(func.count()).select_from(rows.limit(COUNT_CAP + 1).subquery()).scalar_subquery())
    ended = (
        visible_by(sight),
        Ticket.resolved_at >= bindparam("since"),
        Ticket.resolution_due_at.is_not(None),
    )
    in_time = and_(
        Ticket.resolved_at <= Ticket.resolution_due_at,
        or_(Ticket.first_response_at.is_(None), Ticket.first_response_at <= Ticket.first_response_due_at),
    )
    columns.append(select(func.count()).select_from(Ticket).where(*ended, in_time).scalar_subquery())
    columns.append(select(func.count()).select_from(Ticket).where(*ended).scalar_subquery())
    return prepare(select(*columns))


@dataclass(frozen=True)
class OwnTickets:
    """Tickets for the dashboard, the last changed first: what needs the reader, and what changed at all."""

    needing: list[TicketRow]
    recent: list[TicketRow]


def list_own_tickets(session: TenantSession, *, actor: Actor, needing: int = 10, recent: int = 5) -> OwnTickets:
    """Both lists by one statement, each to its own length."""
    values = {**values_of(actor), "needing": needing, "recent": recent}
    rows = [build_listed(row) for row in session.read(_own_tickets(sight_of(actor), actor.is_staff), values)]
    # Whatever needs the reader and is among the last changed is among the last changed of its kind, too.
    return OwnTickets([row for row in rows if row.ticket.status in NEEDING], rows[:recent])


@cache
def _own_tickets(sight: Sight, staff: bool) -> Select[Any]:
    def newest(rows: str, *conditions: ColumnElement[bool]) -> Any:
        found = select(Ticket.id).where(visible_by(sight), *conditions)
        found = found.order_by(Ticket.updated_at.desc(), Ticket.id.desc())
        return found.limit(bindparam(rows, type_=Integer())).subquery()

    wanted = (newest("needing", Ticket.status.in_(NEEDING)), newest("recent"))
    ids = union(*(select(found.c.id) for found in wanted)).scalar_subquery()
    query = select_list(staff=staff, whole=False).where(Ticket.id == any_(func.array(ids, type_=ARRAY(Uuid))))
    return prepare(query.order_by(Ticket.updated_at.desc(), Ticket.id.desc()))


def list_activities(session: TenantSession, *, actor: Actor, limit: int = 5) -> list[Activity]:
    """The newest lines over all visible tickets; only tickets changed lately can have them."""
    rows = session.run(_activities(sight_of(actor)), {**values_of(actor), "lines": limit})
    return [Activity(*row) for row in rows]


@cache
def _activities(sight: Sight) -> Select[Any]:
    tickets = (
        select(Ticket.id, Ticket.ticket_number, Ticket.subject)
        .where(visible_by(sight))
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
        .limit(25)
        .subquery()
    )
    return prepare(
        select(TicketEvent, tickets.c.id, tickets.c.ticket_number, tickets.c.subject)
        .join(tickets, tickets.c.id == TicketEvent.ticket_id)
        .where(TicketEvent.staff_only.is_(False))
        .order_by(TicketEvent.at.desc(), TicketEvent.id)
        .limit(bindparam("lines", type_=Integer()))
    )
