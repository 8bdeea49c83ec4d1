"""Answers and internal notes, and what an answer does to status and clock."""

from datetime import datetime
from uuid import UUID, uuid4

from portal.authz import Actor, Permission, require
from portal.errors import Conflict
from portal.events import publish
from portal.events.tickets import TicketNoteAdded, TicketReplied, TicketStatusChanged
from portal.lib.text import excerpt, render_markdown
from portal.models import FINAL, SenderType, Ticket, TicketMessage, TicketStatus
from portal.models.session import TenantSession
from portal.services.tickets.clock import refresh_clock
from portal.services.tickets.lifecycle import move_to
from portal.services.tickets.policies import PolicyRow, lock_with_policies
from portal.services.tickets.queries import lock_ticket
from portal.services.tickets.timeline import add_line
from portal.services.tickets.validation import one_text


def reply_as_customer(
    session: TenantSession,
    ticket_id: UUID,
    *,
    message: str,
    actor: Actor,
    now: datetime,
    message_id: UUID | None = None,
) -> TicketMessage:
    """Add the customer's answer; a ticket that waited for it (or was resolved) is taken up again.

    Raises NotFound, Invalid (`message`) and Conflict (`ticket_closed`).
    """
    ticket, policies = lock_with_policies(session, ticket_id, actor=actor)
    require(actor, Permission.TICKETS_REPLY)
    _refuse_final(ticket)
    entry = _add_message(session, ticket, message, SenderType.CUSTOMER, message_id, actor=actor, now=now)
    moved = None
    if ticket.status in (TicketStatus.WAITING_CUSTOMER, TicketStatus.RESOLVED):
        target = TicketStatus.IN_PROGRESS if ticket.assigned_to else TicketStatus.OPEN
        moved = move_to(session, ticket, target, actor=actor, now=now)
    _finish(session, ticket, policies, entry, moved, actor=actor, now=now)
    return entry


def reply_as_staff(
    session: TenantSession,
    ticket_id: UUID,
    *,
    message: str,
    actor: Actor,
    now: datetime,
    status: TicketStatus | None = None,
    message_id: UUID | None = None,
) -> TicketMessage:
    """Add a public answer, which keeps the promise of a first one; `status` is what the ticket is after it.

    Without `status` an open ticket becomes in progress, and an unassigned one the answering agent's.
    Raises NotFound, Invalid (`message`) and Conflict (`ticket_closed`, `move_not_allowed`).
    """
    ticket, policies = lock_with_policies(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_REPLY)
    _refuse_final(ticket)
    entry = _add_message(session, ticket, message, SenderType.AGENT, message_id, actor=actor, now=now)
    if ticket.first_response_at is None:
        ticket.first_response_at = now
    if ticket.assigned_to is None:
        ticket.assigned_to = actor.user_id
        add_line(session, ticket, "assigned", actor=actor, now=now, to=str(actor.user_id), to_name=actor.name)
    target = status or (TicketStatus.IN_PROGRESS if ticket.status is TicketStatus.OPEN else ticket.status)
    moved = move_to(session, ticket, target, actor=actor, now=now) if target is not ticket.status else None
    _finish(session, ticket, policies, entry, moved, actor=actor, now=now)
    return entry


def add_note(session: TenantSession, ticket_id: UUID, *, message: str, actor: Actor, now: datetime) -> TicketMessage:
    """Add an internal note; it tells no customer and does not move the clock. Raises NotFound and Invalid."""
    ticket = lock_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_NOTE)
    text = one_text("message", message)
    entry = TicketMessage(
        id=uuid4(),
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        sender_type=SenderType.AGENT,
        sender_id=actor.user_id,
        sender_name=actor.name,
        message=text,
        message_html=render_markdown(text),
        is_internal=True,
        created_at=now,
    )
    session.add(entry)
    add_line(session, ticket, "note_added", actor=actor, now=now, staff_only=True, message_id=str(entry.id))
    publish(session, TicketNoteAdded.about(ticket, message_id=entry.id), actor=actor, now=now)
    return entry


def _refuse_final(ticket: Ticket) -> None:
    if ticket.status in FINAL:
        raise Conflict("ticket_closed", number=ticket.ticket_number)


def _add_message(
    session: TenantSession,
    ticket: Ticket,
    message: str,
    sender: SenderType,
    message_id: UUID | None,
    *,
    actor: Actor,
    now: datetime,
) -> TicketMessage:
    text = one_text("message", message)
    entry = TicketMessage(
        # A form brings its own id: sent twice, the second INSERT meets the first one's key.
        id=message_id or uuid4(),
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        sender_type=sender,
        sender_id=actor.user_id,
        sender_name=actor.name,
        message=text,
        message_html=render_markdown(text),
        attachments=[],
        is_internal=False,
        created_at=now,
    )
    session.add(entry)
    add_line(session, ticket, "replied", actor=actor, now=now, message_id=str(entry.id), sender=sender.value)
    ticket.last_message = excerpt(text)
    ticket.updated_at = now
    return entry


def _finish(
    session: TenantSession,
    ticket: Ticket,
    policies: list[PolicyRow],
    entry: TicketMessage,
    moved: TicketStatusChanged | None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    refresh_clock(session, ticket, now=now, policies=policies)
    replied = TicketReplied.about(ticket, message_id=entry.id, sender=entry.sender_type.value)
    publish(session, *([replied, moved] if moved else [replied]), actor=actor, now=now)
