"""What a search finds: tickets that hold its words, and where those are few, tickets that come near them."""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from sqlalchemy import func, select

from portal.authz import Actor
from portal.lib.text import search_query, swapped_query, typed_words
from portal.models.session import TenantSession
from portal.services.tickets.queries import search_ids, search_scope

# Whoever finds that many has found what was meant, or has to say more.
FEW = 5
MOST_SIMILAR = 50


@dataclass(frozen=True)
class Found:
    """Ids of tickets that hold every word, and of those that are like them in number, subject or somebody's name."""

    hits: tuple[UUID, ...] = ()
    similar: tuple[UUID, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.hits or self.similar)

    @cached_property
    def ids(self) -> list[UUID]:
        """All of them, hits first."""
        return [*self.hits, *self.similar]


def find_tickets(session: TenantSession, words: str, *, actor: Actor, near: bool) -> Found | None:
    """What the words find for the actor; None where nothing is searched for.

    With `near` few hits are filled up by what is like the words; letters that changed places, of which trigrams know
    little, are looked for where there is no hit at all. All functions narrow coarsely; the page's own
    query applies `visible_to` once more.
    """
    if not words.strip():
        return None
    query = search_query(words)
    if query is None:
        return Found()
    hits = tuple(search_ids(session, query, actor=actor))
    if not near or len(hits) >= FEW:
        return Found(hits)
    slip = None if hits else swapped_query(words)
    similar = search_ids(session, slip, actor=actor, limit=MOST_SIMILAR) if slip else []
    if len(similar) < FEW:
        similar += similar_ids(session, words, actor=actor)
    known = frozenset(hits)
    return Found(hits, tuple(dict.fromkeys(ticket_id for ticket_id in similar if ticket_id not in known)))


def similar_ids(session: TenantSession, words: str, *, actor: Actor, limit: int = MOST_SIMILAR) -> list[UUID]:
    """Ids of tickets whose number, subject, company or people are like every word, the likest first.

    Words of letters may be misspelt, numbers may be a part of what they are looked for in (definer function).
    """
    typed = typed_words(words)
    if not typed:
        return []
    companies, requester = search_scope(actor)
    found = select(func.similar_tickets(typed, companies, requester, limit))
    return [row[0] for row in session.connection().execute(found)]
