"""The states of a ticket: the one place that changes `status`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid
from portal.events import publish
from portal.events.tickets import TicketRated, TicketStatusChanged
from portal.models import ACTIVE, FINAL, MOVES, SenderType, Ticket, TicketStatus
from portal.models.session import TenantSession
from portal.services.tickets.clock import ASSIGNMENT, set_clock, steps_of
from portal.services.tickets.policies import PolicyTerms, lock_for_reopening, lock_with_policies
from portal.services.tickets.queries import lock_ticket
from portal.services.tickets.reopening import require_reopenable
from portal.services.tickets.standing import require_deciding
from portal.services.tickets.storing import ticket_beside
from portal.services.tickets.timeline import Line, lines_beside
from portal.services.tickets.validation import COMMENT_LENGTH, one_text


def move_to(
    ticket: Ticket, target: TicketStatus, *, now: datetime, own: str | None = None, **params: str
) -> tuple[TicketStatusChanged, Line]:
    """Change the status of a locked ticket; the caller sets the clock, publishes the event and writes the line.

    `own` is a status of the tenant's own that counts as `target`; without it the ticket has none afterwards.
    Raises Conflict `move_not_allowed` for a move that is not in the table, `ticket_merged` for one that went on
    in another ticket.
    """
    before = ticket.status
    if ticket.merged_into_id is not None:
        raise Conflict("ticket_merged", number=ticket.ticket_number)
    renamed = target is before and own != ticket.custom_status
    if target not in MOVES[before] and not renamed:
        raise Conflict("move_not_allowed", **{"from": before.value, "to": target.value})
    names = {"from_own": ticket.custom_status, "to_own": own}
    ticket.custom_status = own
    ticket.updated_at = now
    if not renamed:
        _enter(ticket, target, now)
    change: dict[str, Any] = {"from": before.value, "to": target.value, **params}
    change |= {name: key for name, key in names.items() if key}
    moved = TicketStatusChanged.about(ticket, from_status=before.value, to_status=target.value, to_own=own)
    return moved, Line("status_changed", change)


def _enter(ticket: Ticket, target: TicketStatus, now: datetime) -> None:
    before, ticket.status = ticket.status, target
    ticket.resolved_at = _resolved_at(ticket, target, now)
    ticket.closed_at = now if target in FINAL else None
    if before is TicketStatus.RESOLVED and target in ACTIVE:
        # Taken up again: if who had it is away, the rules find somebody else.
        ticket.clock_fired = [key for key in ticket.clock_fired if key != ASSIGNMENT]
    if before in FINAL:
        # A closed ticket that opens again makes a new promise; its old clock has run out.
        ticket.clock_cycle += 1
        ticket.clock_started_at = now
        ticket.clock_fired = []
        ticket.clock_pauses = []
        ticket.first_response_at = None
        ticket.escalation_level = 0
        ticket.customer_waits_since = None
        ticket.team_spoke_at = None
        ticket.rounds_missed = 0
        ticket.sla_policy_version = None


def _resolved_at(ticket: Ticket, target: TicketStatus, now: datetime) -> datetime | None:
    if target in ACTIVE:
        return None
    return ticket.resolved_at or (now if target is not TicketStatus.CANCELLED else None)


def _apply(
    session: TenantSession,
    ticket: Ticket,
    policies: Sequence[PolicyTerms],
    target: TicketStatus,
    *,
    actor: Actor,
    now: datetime,
    **params: str,
) -> Ticket:
    before = ticket.status.value
    moved, line = move_to(ticket, target, now=now, **params)
    # A customer who takes a ticket up again asks for something.
    spoke = SenderType.CUSTOMER if actor.is_customer and target is TicketStatus.OPEN else None
    reading = set_clock(ticket, now=now, policies=policies, spoke=spoke)
    publish(
        session,
        moved,
        actor=actor,
        now=now,
        before={"status": before},
        after={"status": target.value},
        beside=(lines_beside(ticket, line), steps_of(ticket, reading), ticket_beside(ticket)),
    )
    return ticket


def close_ticket(session: TenantSession, ticket_id: UUID, *, actor: Actor, now: datetime) -> Ticket:
    """Close an own ticket; Conflict `already_closed` when it is closed or cancelled."""
    ticket, policies = lock_with_policies(session, ticket_id, actor=actor)
    require(actor, Permission.TICKETS_CLOSE)
    require_deciding(ticket, actor)
    if ticket.status in FINAL:
        raise Conflict("already_closed", number=ticket.ticket_number)
    return _apply(session, ticket, policies, TicketStatus.CLOSED, actor=actor, now=now)


def reopen_ticket(session: TenantSession, ticket_id: UUID, *, actor: Actor, now: datetime) -> Ticket:
    """Take a resolved or closed ticket up again.

    Raises Conflict: `not_closed`, `ticket_merged`, and `reopen_too_late` after the tenant's time for it.
    """
    ticket, policies, policy = lock_for_reopening(session, ticket_id, actor=actor)
    require(actor, Permission.TICKETS_CLOSE)
    require_deciding(ticket, actor)
    if ticket.status not in (TicketStatus.RESOLVED, TicketStatus.CLOSED):
        raise Conflict("not_closed", number=ticket.ticket_number)
    require_reopenable(ticket, policy, now=now)
    return _apply(session, ticket, policies, TicketStatus.OPEN, actor=actor, now=now)


def cancel_ticket(session: TenantSession, ticket_id: UUID, *, reason: str, actor: Actor, now: datetime) -> Ticket:
    """Withdraw an own active ticket with a reason; Conflict `not_active` otherwise."""
    ticket, policies = lock_with_policies(session, ticket_id, actor=actor)
    require(actor, Permission.TICKETS_CLOSE)
    require_deciding(ticket, actor)
    text = one_text("reason", reason, limit=COMMENT_LENGTH)
    if not ticket.is_active():
        raise Conflict("not_active", number=ticket.ticket_number)
    return _apply(session, ticket, policies, TicketStatus.CANCELLED, actor=actor, now=now, reason=text)


def rate_ticket(
    session: TenantSession, ticket_id: UUID, *, rating: int, comment: str = "", actor: Actor, now: datetime
) -> Ticket:
    """Rate a resolved or closed ticket once, 1 to 5; Conflict `already_rated` or `not_resolved`."""
    ticket = lock_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.TICKETS_RATE)
    require_deciding(ticket, actor)
    if not 1 <= rating <= 5:
        raise Invalid(FieldError("rating", "out_of_range", (("low", 1), ("high", 5))))
    text = one_text("comment", comment, limit=COMMENT_LENGTH, required=False)
    if ticket.status not in (TicketStatus.RESOLVED, TicketStatus.CLOSED):
        raise Conflict("not_resolved", number=ticket.ticket_number)
    if ticket.merged_into_id is not None:
        raise Conflict("ticket_merged", number=ticket.ticket_number)
    if ticket.satisfaction_rating is not None:
        raise Conflict("already_rated", number=ticket.ticket_number)
    ticket.satisfaction_rating = rating
    ticket.satisfaction_comment = text or None
    ticket.updated_at = now
    publish(
        session,
        TicketRated.about(ticket, rating=rating),
        actor=actor,
        now=now,
        after={"rating": rating},
        beside=(lines_beside(ticket, Line("rated", {"rating": rating})),),
    )
    return ticket
