"""One answer to all incidents of a problem, which solves them; each has a result of its own."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, DomainError
from portal.models import ACTIVE, LinkKind, Ticket, TicketLink, TicketStatus
from portal.models.session import TenantSession
from portal.services.tickets.conversation import reply_as_staff
from portal.services.tickets.queries import get_ticket, lock_ticket, visible_to
from portal.services.tickets.validation import one_text

# What one call answers; a second call takes the next ones.
AT_MOST = 200


@dataclass(frozen=True)
class IncidentResult:
    """What became of one incident; `code` is the refusal where it was not answered."""

    ticket_id: UUID
    number: str
    code: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was answered and solved."""
        return not self.code


def list_open_incidents(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> list[Ticket]:
    """The unsolved incidents of a problem, the oldest first. Raises NotFound."""
    get_ticket(session, ticket_id, actor=actor)
    incidents = select(TicketLink.ticket_id).where(
        TicketLink.other_id == ticket_id, TicketLink.kind == LinkKind.INCIDENT_OF
    )
    query = select(Ticket).where(Ticket.id.in_(incidents), Ticket.status.in_(ACTIVE), visible_to(actor))
    return list(session.scalars(query.order_by(Ticket.created_at, Ticket.id).limit(AT_MOST)))


def solve_incidents(
    session: TenantSession, ticket_id: UUID, *, message: str, actor: Actor, now: datetime
) -> list[IncidentResult]:
    """Send the same public answer to every open incident of the problem and solve it.

    One that refuses keeps no other one back. Raises NotFound, Invalid (`message`) and Conflict
    `no_open_incidents`, also when somebody else was faster.
    """
    incidents = list_open_incidents(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_REPLY)
    text = one_text("message", message)
    if not incidents:
        raise Conflict("no_open_incidents")
    return [_solve(session, incident, text, actor=actor, now=now) for incident in incidents]


def _solve(session: TenantSession, incident: Ticket, text: str, *, actor: Actor, now: datetime) -> IncidentResult:
    ticket_id, number = incident.id, incident.ticket_number
    try:
        with session.begin_nested():
            # Somebody else may have answered since they were listed.
            if not lock_ticket(session, ticket_id, actor=actor).is_active():
                raise Conflict("not_active", number=number)
            reply_as_staff(session, ticket_id, message=text, status=TicketStatus.RESOLVED, actor=actor, now=now)
    except DomainError as error:
        return IncidentResult(ticket_id, number, error.code)
    return IncidentResult(ticket_id, number)
