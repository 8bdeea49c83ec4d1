"""A new ticket that goes on from one that is over for good."""

from datetime import datetime
from uuid import UUID

from portal.authz import Actor, Permission, require
from portal.errors import Conflict
from portal.events import publish
from portal.events.relations import TicketFollowedUp
from portal.models import LinkKind, Ticket, TicketLink
from portal.models.session import TenantSession
from portal.services.tenants.directory import load_ticket_policy
from portal.services.tickets.opening import NewTicket, open_like
from portal.services.tickets.queries import lock_ticket
from portal.services.tickets.reopening import may_follow_up
from portal.services.tickets.timeline import Line, add_line


def open_follow_up(
    session: TenantSession, ticket_id: UUID, request: NewTicket, *, actor: Actor, now: datetime
) -> Ticket:
    """Open the ticket that follows one which cannot be reopened (any more), for the same company.

    A customer asks it for themselves, the team for whoever asked the first one. Subject and category are those
    of the first where none is given. Raises NotFound, Invalid per field and Conflict (`ticket_merged`,
    `follow_up_too_early`).
    """
    ticket = lock_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.TICKETS_CREATE if actor.is_customer else Permission.DESK_UPDATE)
    if ticket.merged_into_id is not None:
        raise Conflict("ticket_merged", number=ticket.ticket_number)
    if not may_follow_up(ticket, load_ticket_policy(session), now):
        raise Conflict("follow_up_too_early", number=ticket.ticket_number)
    requester = actor.user_id if actor.is_customer and actor.user_id else ticket.requester_id
    origin = Line("follows_up", {"number": ticket.ticket_number, "ticket_id": str(ticket.id)})
    made = open_like(
        session,
        _filled(request, ticket),
        other=ticket,
        requester_id=requester,
        lines=(origin,),
        actor=actor,
        now=now,
    )
    session.add(TicketLink(ticket_id=made.id, other_id=ticket.id, kind=LinkKind.FOLLOWS_UP, created_by=actor.user_id))
    add_line(session, ticket, "followed_up", actor=actor, now=now, number=made.ticket_number, ticket_id=str(made.id))
    publish(session, TicketFollowedUp.about(ticket, new_id=made.id), actor=actor, now=now, after={"new": made.id})
    return made


def _filled(request: NewTicket, ticket: Ticket) -> NewTicket:
    return NewTicket(
        request.subject or ticket.subject,
        request.description,
        request.category or ticket.category,
        request.priority,
        source=request.source,
        id=request.id,
        attachment_ids=request.attachment_ids,
    )
