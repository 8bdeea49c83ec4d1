"""Answers and internal notes, and what an answer does to status and clock."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from portal.authz import Actor, Permission, require
from portal.errors import Conflict
from portal.events import Beside, Event, publish
from portal.events.tickets import TicketMentioned, TicketNoteAdded, TicketReplied
from portal.lib.text import excerpt, render_markdown
from portal.models import FINAL, SenderType, Ticket, TicketMessage, TicketStatus
from portal.models.session import TenantSession
from portal.services.tickets.attaching import MESSAGE, Taken, files_beside, snapshot_json, take_files
from portal.services.tickets.clock import set_clock, steps_of
from portal.services.tickets.drafts import sent_draft_beside
from portal.services.tickets.lifecycle import move_to
from portal.services.tickets.mentions import add_followers, find_mentioned
from portal.services.tickets.own_status import Target, find_target
from portal.services.tickets.policies import PolicyTerms, lock_with_policies
from portal.services.tickets.queries import lock_ticket
from portal.services.tickets.storing import ticket_beside
from portal.services.tickets.timeline import Line, lines_beside
from portal.services.tickets.validation import one_text


def reply_as_customer(
    session: TenantSession,
    ticket_id: UUID,
    *,
    message: str,
    actor: Actor,
    now: datetime,
    message_id: UUID | None = None,
    attachment_ids: Sequence[UUID] = (),
) -> TicketMessage:
    """Add the customer's answer; a ticket that waited for it (or was resolved) is taken up again.

    Raises NotFound, Invalid (`message`, `attachment_ids`) and Conflict (`ticket_closed`).
    """
    ticket, policies = lock_with_policies(session, ticket_id, actor=actor)
    require(actor, Permission.TICKETS_REPLY)
    _refuse_final(ticket)
    entry = _write(ticket, message, SenderType.CUSTOMER, message_id, actor=actor, now=now)
    taken = _take(session, entry, attachment_ids, actor=actor)
    target = Target(ticket.status, ticket.custom_status)
    if ticket.status in (TicketStatus.WAITING_CUSTOMER, TicketStatus.RESOLVED):
        target = Target(TicketStatus.IN_PROGRESS if ticket.assigned_to else TicketStatus.OPEN)
    _finish(session, ticket, policies, entry, target, taken, actor=actor, now=now)
    return entry


def reply_as_staff(
    session: TenantSession,
    ticket_id: UUID,
    *,
    message: str,
    actor: Actor,
    now: datetime,
    status: TicketStatus | None = None,
    custom_status: str | None = None,
    message_id: UUID | None = None,
    attachment_ids: Sequence[UUID] = (),
    file_purpose: str = MESSAGE,
) -> TicketMessage:
    """Add a public answer, which keeps the promise of a first one; `status` is what the ticket is after it.

    Without `status` an open ticket becomes in progress, and an unassigned one the answering agent's. The files may
    be the solution, or a recording, which waits for the customer's consent (TKT-16).
    Raises NotFound, Invalid (`message`, `attachment_ids`, `custom_status`) and Conflict (`ticket_closed`,
    `move_not_allowed`).
    """
    ticket, policies = lock_with_policies(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_REPLY)
    _refuse_final(ticket)
    entry = _write(ticket, message, SenderType.AGENT, message_id, actor=actor, now=now)
    taken = _take(session, entry, attachment_ids, actor=actor, purpose=file_purpose)
    if ticket.first_response_at is None:
        ticket.first_response_at = now
    lines: tuple[Line, ...] = ()
    if ticket.assigned_to is None:
        ticket.assigned_to = actor.user_id
        lines = (Line("assigned", {"to": str(actor.user_id), "to_name": actor.name}),)
    if status is None and custom_status is None and ticket.status is TicketStatus.OPEN:
        status = TicketStatus.IN_PROGRESS
    target = find_target(session, ticket, status=status, own=custom_status)
    _finish(session, ticket, policies, entry, target, taken, lines, actor=actor, now=now)
    return entry


def add_note(
    session: TenantSession,
    ticket_id: UUID,
    *,
    message: str,
    actor: Actor,
    now: datetime,
    attachment_ids: Sequence[UUID] = (),
) -> TicketMessage:
    """Add an internal note; it tells no customer and does not move the clock. Raises NotFound and Invalid.

    Its files are internal, too. Whom of the team it mentions is told and follows the ticket from then on.
    """
    ticket = lock_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_NOTE)
    entry = _message(ticket, message, SenderType.AGENT, uuid4(), actor=actor, now=now, internal=True)
    taken = _take(session, entry, attachment_ids, actor=actor)
    line = Line("note_added", {"message_id": str(entry.id)}, staff_only=True)
    events: list[Event] = [TicketNoteAdded.about(ticket, message_id=entry.id)]
    if people := tuple(member.id for member in find_mentioned(session, entry.message, actor=actor)):
        add_followers(session, ticket.id, people, actor=actor)
        events.append(TicketMentioned.about(ticket, message_id=entry.id, notify_user_ids=people))
    publish(
        session,
        *events,
        actor=actor,
        now=now,
        beside=(
            _message_beside(entry, taken),
            lines_beside(ticket, line),
            *files_beside(taken, ticket_id=ticket.id, message_id=entry.id, internal=True),
            sent_draft_beside("note", ticket.id),
        ),
    )
    return entry


def _refuse_final(ticket: Ticket) -> None:
    if ticket.status in FINAL:
        raise Conflict("ticket_closed", number=ticket.ticket_number)


def _message(
    ticket: Ticket,
    message: str,
    sender: SenderType,
    message_id: UUID,
    *,
    actor: Actor,
    now: datetime,
    internal: bool = False,
) -> TicketMessage:
    text = one_text("message", message)
    return TicketMessage(
        id=message_id,
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        sender_type=sender,
        sender_id=actor.user_id,
        sender_name=actor.name,
        message=text,
        message_html=render_markdown(text),
        attachments=[],
        is_internal=internal,
        created_at=now,
    )


def _write(
    ticket: Ticket, message: str, sender: SenderType, message_id: UUID | None, *, actor: Actor, now: datetime
) -> TicketMessage:
    # A form brings its own id: sent twice, the second INSERT meets the first one's key.
    entry = _message(ticket, message, sender, message_id or uuid4(), actor=actor, now=now)
    ticket.last_message = excerpt(entry.message)
    ticket.updated_at = now
    return entry


def _take(
    session: TenantSession, entry: TicketMessage, ids: Sequence[UUID], *, actor: Actor, purpose: str = MESSAGE
) -> Taken:
    taken = take_files(session, ids, ticket_id=entry.ticket_id, message_id=entry.id, actor=actor, purpose=purpose)
    entry.attachments = taken.snapshot()
    return taken


_MESSAGE = """
    message AS (
        INSERT INTO portal_ticket_messages (id, tenant_id, ticket_id, sender_type, sender_id, sender_name, message,
                                            message_html, attachments, is_internal, created_at)
        VALUES (:message_id, :tenant_id, :message_of, :sender_type, :actor_id, :actor_name, :message, :message_html,
                cast(:attachments AS jsonb), :is_internal, :at)
    )
"""


def _message_beside(entry: TicketMessage, taken: Taken) -> Beside:
    return Beside(
        _MESSAGE,
        {
            "message_id": entry.id,
            "message_of": entry.ticket_id,
            "sender_type": entry.sender_type.value,
            "message": entry.message,
            "message_html": entry.message_html,
            "attachments": snapshot_json(taken),
            "is_internal": entry.is_internal,
        },
    )


def _finish(
    session: TenantSession,
    ticket: Ticket,
    policies: Sequence[PolicyTerms],
    entry: TicketMessage,
    target: Target,
    taken: Taken,
    lines: tuple[Line, ...] = (),
    *,
    actor: Actor,
    now: datetime,
) -> None:
    sender = entry.sender_type.value
    events: list[Event] = [TicketReplied.about(ticket, message_id=entry.id, sender=sender)]
    lines = (Line("replied", {"message_id": str(entry.id), "sender": sender}), *taken.lines(), *lines)
    if target.differs(ticket):
        moved, line = move_to(ticket, target.status, now=now, own=target.own)
        events.append(moved)
        lines = (*lines, line)
    reading = set_clock(ticket, now=now, policies=policies, spoke=entry.sender_type)
    rows = (
        _message_beside(entry, taken),
        lines_beside(ticket, *lines),
        steps_of(ticket, reading),
        ticket_beside(ticket),
        *files_beside(taken, ticket_id=ticket.id, message_id=entry.id),
        sent_draft_beside("reply", ticket.id),
    )
    publish(session, *events, actor=actor, now=now, beside=rows)
