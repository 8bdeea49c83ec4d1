"""A customer asks for a ticket to be taken further up, with a reason (H2.11).

The request climbs the ladder of the ticket's promise: it goes to whom the next rung names, at once. The ladder itself
stays as it is, since a missed promise is another matter than an asked-for escalation. Until somebody has answered,
asking again changes nothing and is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict
from portal.events import Event, publish
from portal.events.tickets import TicketAssigned, TicketEscalated, TicketEscalationRequested
from portal.lib.sla_clock import Reading
from portal.models import Role, SenderType, Ticket, TicketEvent, TicketMessage
from portal.models.session import TenantSession
from portal.services.tickets.clock import set_clock, steps_of
from portal.services.tickets.escalation import people_in_role
from portal.services.tickets.policies import lock_with_policies
from portal.services.tickets.standing import require_deciding
from portal.services.tickets.storing import ticket_beside
from portal.services.tickets.timeline import Line, lines_beside
from portal.services.tickets.validation import COMMENT_LENGTH, one_text

REQUESTED = "escalation_requested"
# The metric of an escalation that no clock caused.
BY_REQUEST = "requested"


@dataclass(frozen=True)
class _Rung:
    """Who is told and, perhaps, who gets the ticket."""

    position: int
    role: Role
    assign_role: Role | None = None


def request_escalation(session: TenantSession, ticket_id: UUID, *, reason: str, actor: Actor, now: datetime) -> Ticket:
    """Hand an own active ticket up now; its next rung decides to whom.

    Raises NotFound, Invalid (`reason`) and Conflict (`not_active`, `already_escalated`).
    """
    ticket, policies = lock_with_policies(session, ticket_id, actor=actor)
    require(actor, Permission.TICKETS_REPLY)
    require_deciding(ticket, actor)
    text = one_text("reason", reason, limit=COMMENT_LENGTH)
    if not ticket.is_active():
        raise Conflict("not_active", number=ticket.ticket_number)
    if _is_unanswered(session, ticket):
        raise Conflict("already_escalated", number=ticket.ticket_number)
    rung = _next_rung(ticket, set_clock(ticket, now=now, policies=policies))
    events, lines = _hand_up(session, ticket, rung, text)
    ticket.escalation_level = max(ticket.escalation_level, rung.position)
    ticket.updated_at = now
    reading = set_clock(ticket, now=now, policies=policies)
    publish(
        session,
        *events,
        actor=actor,
        now=now,
        after={"role": rung.role.value, "level": rung.position},
        beside=(lines_beside(ticket, *lines), steps_of(ticket, reading), ticket_beside(ticket)),
    )
    return ticket


def is_waiting(events: Sequence[TicketEvent], messages: Sequence[TicketMessage]) -> bool:
    """Whether a request for escalation stands without an answer, by the timeline and the public conversation."""
    asked = [event.at for event in events if event.kind == REQUESTED]
    if not asked:
        return False
    return not any(
        entry.created_at > asked[-1] and entry.sender_type is SenderType.AGENT and not entry.is_internal
        for entry in messages
    )


def _is_unanswered(session: TenantSession, ticket: Ticket) -> bool:
    asked_at = (
        select(func.max(TicketEvent.at))
        .where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == REQUESTED)
        .scalar_subquery()
    )
    answered = exists().where(
        TicketMessage.ticket_id == ticket.id,
        TicketMessage.sender_type == SenderType.AGENT,
        TicketMessage.is_internal.is_(False),
        TicketMessage.created_at > asked_at,
    )
    return bool(session.scalar(select(asked_at.is_not(None) & ~answered)))


def _next_rung(ticket: Ticket, reading: Reading | None) -> _Rung:
    """The rung after the one that was reached; beyond the ladder, or without one, the team lead and then the head."""
    coming = [step.level for step in (reading.steps if reading else ()) if step.level is not None]
    for level in coming:
        if level.position > ticket.escalation_level:
            assign = Role(level.assign_role) if level.assign_role else None
            return _Rung(level.position, Role(level.notify_role), assign)
    role = Role.MANAGER if ticket.escalation_level == 0 else Role.TENANT_ADMIN
    return _Rung(ticket.escalation_level + 1, role)


def _hand_up(session: TenantSession, ticket: Ticket, rung: _Rung, reason: str) -> tuple[list[Event], list[Line]]:
    told = people_in_role(session, rung.role) or people_in_role(session, Role.TENANT_ADMIN)
    # Whoever works on it keeps it and is told: no customer's wish takes a ticket away from somebody.
    vacant = rung.assign_role is not None and ticket.assigned_to is None
    chosen = people_in_role(session, rung.assign_role) if rung.assign_role and vacant else ()
    assignee = chosen[0] if chosen else None
    about = {"metric": BY_REQUEST, "level": rung.position, "role": rung.role.value}
    events: list[Event] = [
        TicketEscalationRequested.about(ticket),
        TicketEscalated.about(ticket, step=REQUESTED, notify_user_ids=tuple(user_id for user_id, _ in told), **about),
    ]
    lines = [
        Line(REQUESTED, {"reason": reason}),
        Line("escalated", {**about, "to_name": assignee[1] if assignee else None}),
    ]
    if assignee:
        events.append(TicketAssigned.about(ticket, from_user=None, to_user=assignee[0]))
        ticket.assigned_to = assignee[0]
        lines.append(Line("assigned", {"to": str(assignee[0]), "to_name": assignee[1]}))
    return events, lines
