"""One ticket with everything its page shows, in a fixed number of statements."""

from dataclasses import dataclass
from uuid import UUID

from portal.authz import Actor
from portal.errors import NotFound
from portal.models import NextStep, Ticket, TicketEvent, TicketMessage
from portal.models.session import TenantSession
from portal.services.tickets.listing import TicketRow, build_row, select_rows
from portal.services.tickets.queries import list_events, list_messages, list_next_steps, visible_to


@dataclass(frozen=True)
class TicketDetail:
    """A ticket's row, conversation, timeline and coming steps, as far as the reader may see them."""

    row: TicketRow
    messages: list[TicketMessage]
    events: list[TicketEvent]

    @property
    def ticket(self) -> Ticket:
        return self.row.ticket

    @property
    def steps(self) -> list[NextStep]:
        return self.row.steps


def get_ticket_detail(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> TicketDetail:
    """The ticket's page; NotFound where it does not exist for this actor. Four statements."""
    found = session.execute(select_rows().where(Ticket.id == ticket_id, visible_to(actor))).first()
    if found is None:
        raise NotFound("ticket")
    row = build_row(found)
    row.steps.extend(list_next_steps(session, [ticket_id], actor=actor).get(ticket_id, ()))
    return TicketDetail(
        row,
        list_messages(session, ticket_id, actor=actor),
        list_events(session, ticket_id, actor=actor),
    )
