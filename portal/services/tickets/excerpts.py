"""What was said in tickets that a search found: the texts in which its words stand, to be cut round them."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, any_, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from portal.authz import Actor
from portal.lib.text import search_query
from portal.models import Ticket, TicketMessage
from portal.models.session import TenantSession, prepare
from portal.services.tickets.queries import Sight, sight_of, values_of, visible_by

# Long enough for what people write; a text that says its word later than that is found, but not cut.
LONGEST = 20_000


def read_matching_texts(
    session: TenantSession, ticket_ids: Sequence[UUID], words: str, *, actor: Actor
) -> dict[UUID, tuple[str, ...]]:
    """By ticket its newest message that holds every word, and its description; internal notes for staff only.

    One statement; a ticket that the actor may not see is left out.
    """
    query = search_query(words)
    if query is None or not ticket_ids:
        return {}
    values = {**values_of(actor), "tickets": list(ticket_ids), "query": query}
    rows = session.run(_texts(sight_of(actor), actor.is_staff), values)
    return {ticket_id: tuple(text for text in texts if text) for ticket_id, *texts in rows}


@cache
def _texts(sight: Sight, staff: bool) -> Select[Any]:
    # The column belongs to SQL alone (models/tickets.py).
    wanted = func.to_tsquery(literal_column("'simple'"), func.portal_fold(bindparam("query", type_=Text)))
    holds = literal_column("portal_ticket_messages.search").op("@@", is_comparison=True)(wanted)
    message = select(func.left(TicketMessage.message, LONGEST)).where(
        TicketMessage.ticket_id == Ticket.id, TicketMessage.tenant_id == Ticket.tenant_id, holds
    )
    if not staff:
        message = message.where(TicketMessage.is_internal.is_(False))
    newest = message.order_by(TicketMessage.created_at.desc(), TicketMessage.id.desc()).limit(1)
    return prepare(
        select(Ticket.id, newest.correlate(Ticket).scalar_subquery(), func.left(Ticket.description, LONGEST)).where(
            Ticket.id == any_(bindparam("tickets", type_=ARRAY(Uuid()))), visible_by(sight)
        )
    )
