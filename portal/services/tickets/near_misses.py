"""An empty list says which of its filters hides the most."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, select

from portal.authz import Actor
from portal.models import Ticket
from portal.models.session import TenantSession
from portal.services.tickets.counting import COUNT_CAP
from portal.services.tickets.listing import TicketFilter, filter_conditions, find_words
from portal.services.tickets.queries import visible_to


@dataclass(frozen=True)
class NearMiss:
    """A filter by its name, and how many tickets (1,001 at most) appear without it."""

    name: str
    count: int


def find_near_miss(
    session: TenantSession, without: Mapping[str, TicketFilter], *, actor: Actor, now: datetime
) -> NearMiss | None:
    """The filter whose removal shows the most (the words only if nothing else helps), None where none does alone.

    `without` holds, by name, what is asked for when that one filter is dropped; `q` are the words. Two
    statements at most.
    """
    if not without:
        return None
    searched = next((wanted for wanted in without.values() if wanted.q.strip()), None)
    found = find_words(session, searched, actor) if searched else None
    columns = []
    for wanted in without.values():
        rows = select(literal(1)).select_from(Ticket).where(visible_to(actor), *filter_conditions(wanted, actor, now))
        if wanted.q.strip():
            rows = rows.where(Ticket.id.in_(found.ids if found else []))
        columns.append(select(func.count()).select_from(rows.limit(COUNT_CAP + 1).subquery()).scalar_subquery())
    counts = session.execute(select(*columns)).one()
    misses = [NearMiss(name, count) for name, count in zip(without, counts, strict=True) if count]
    # Whoever searches means the words; they go last.
    return max(misses, key=lambda miss: (miss.name != "q", miss.count), default=None)
