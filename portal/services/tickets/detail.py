"""One ticket with everything its page shows, in a fixed number of statements."""

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam

from portal.authz import Actor
from portal.errors import NotFound
from portal.models import NextStep, Ticket, TicketEvent, TicketMessage
from portal.models.session import TenantSession, prepare
from portal.services.tickets.queries import (
    Sight,
    list_events,
    list_messages,
    list_next_steps,
    sight_of,
    values_of,
    visible_by,
)
from portal.services.tickets.rows import TicketRow, build_row, select_rows


@dataclass(frozen=True)
class TicketDetail:
    """A ticket's row, conversation, timeline and coming steps, as far as the reader may see them."""

    row: TicketRow
    messages: list[TicketMessage]
    events: list[TicketEvent]

    @property
    def ticket(self) -> Ticket:
        """The ticket's own row."""
        return self.row.ticket

    @property
    def steps(self) -> list[NextStep]:
        """What happens next, soonest first."""
        return self.row.steps


@cache
def _ticket(sight: Sight) -> Select[Any]:
    return prepare(select_rows().where(Ticket.id == bindparam("ticket"), visible_by(sight)))


def get_ticket_detail(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> TicketDetail:
    """The ticket's page; NotFound where it does not exist for this actor. Four statements."""
    found = session.run(_ticket(sight_of(actor)), {**values_of(actor), "ticket": ticket_id}).first()
    if found is None:
        raise NotFound("ticket")
    row = build_row(found)
    row.steps.extend(list_next_steps(session, [ticket_id], actor=actor).get(ticket_id, ()))
    return TicketDetail(
        row,
        list_messages(session, ticket_id, actor=actor),
        list_events(session, ticket_id, actor=actor),
    )
