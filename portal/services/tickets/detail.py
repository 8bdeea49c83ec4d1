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
from portal.services.tickets.files import TicketFile, files_column, read_files
from portal.services.tickets.queries import (
    Sight,
    list_events,
    list_messages,
    sight_of,
    values_of,
    visible_by,
)
from portal.services.tickets.rows import ComingStep, TicketRow, build_row, read_steps, select_rows, steps_column


@dataclass(frozen=True)
class TicketDetail:
    """A ticket's row, conversation, timeline, coming steps and files, as far as the reader may see them."""

    row: TicketRow
    messages: list[TicketMessage]
    events: list[TicketEvent]
    files: list[TicketFile]

    @property
    def ticket(self) -> Ticket:
        """The ticket's own row."""
        return self.row.ticket

    @property
    def steps(self) -> list[NextStep | ComingStep]:
        """What happens next, soonest first."""
        return self.row.steps

    def files_of(self, message_id: UUID | None) -> list[TicketFile]:
        """The files of a message; of the ticket itself without one."""
        return [file for file in self.files if file.message_id == message_id]


@cache
def _ticket(sight: Sight) -> Select[Any]:
    staff = sight == "all"
    beside = (files_column(staff=staff), steps_column(staff=staff))
    return prepare(select_rows().add_columns(*beside).where(Ticket.id == bindparam("ticket"), visible_by(sight)))


def get_ticket_detail(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> TicketDetail:
    """The ticket's page; NotFound where it does not exist for this actor. Three statements."""
    found = session.run(_ticket(sight_of(actor)), {**values_of(actor), "ticket": ticket_id}).first()
    if found is None:
        raise NotFound("ticket")
    *columns, files, steps = found
    row = build_row(columns)
    row.steps.extend(read_steps(steps))
    return TicketDetail(
        row,
        list_messages(session, ticket_id, actor=actor),
        list_events(session, ticket_id, actor=actor),
        read_files(files),
    )
