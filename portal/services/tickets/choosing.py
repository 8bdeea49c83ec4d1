"""Ids of a list's tickets: all of a view for a change at once, and the neighbour of one within it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from portal.authz import Actor
from portal.lib.paging import Cursor
from portal.models import Ticket
from portal.models.session import TenantSession
from portal.services.tickets.listing import TicketFilter, filter_conditions, find_words
from portal.services.tickets.ordering import is_one_of, key_of, seek
from portal.services.tickets.queries import get_ticket, visible_to
from portal.services.tickets.searching import Found


def list_ticket_ids(
    session: TenantSession, wanted: TicketFilter, *, actor: Actor, now: datetime, most: int
) -> Sequence[UUID]:
    """Ids of the list from its beginning on, in its order, at most so many; the filter's paging does not count."""
    found = find_words(session, wanted, actor)
    query = _ids(wanted, found, actor, now)
    if query is None:
        return ()
    behind = found.similar if found else ()
    return session.scalars(seek(query, wanted.sort, wanted.descending, None, behind).limit(most)).all()


def find_neighbour(
    session: TenantSession, ticket_id: UUID, wanted: TicketFilter, *, back: bool, actor: Actor, now: datetime
) -> UUID | None:
    """The ticket that follows (or precedes) this one in the list; None at its end. Raises NotFound.

    The ticket itself need not be in the list any more: what counts is where it would stand.
    """
    ticket = get_ticket(session, ticket_id, actor=actor)
    value, id_ = key_of(ticket, wanted.sort)
    cursor = Cursor(value.isoformat() if isinstance(value, datetime) else value, id_, backwards=back)
    found = find_words(session, wanted, actor)
    query = _ids(replace(wanted, cursor=None), found, actor, now)
    if query is None:
        return None
    behind = found.similar if found else ()
    next_id: UUID | None = session.scalar(seek(query, wanted.sort, wanted.descending, cursor, behind).limit(1))
    return next_id


def _ids(wanted: TicketFilter, found: Found | None, actor: Actor, now: datetime) -> Select[Any] | None:
    """The list's tickets by id alone; None where its words are found nowhere."""
    if found is not None and not found:
        return None
    query = select(Ticket.id).where(visible_to(actor), *filter_conditions(wanted, actor, now))
    if found is not None:
        query = query.where(is_one_of(found.ids))
    return query
