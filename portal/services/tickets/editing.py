"""Changing the words of a message that was sent (TKT-12).

Only the author may, only of a public message, and only within the tenant's window: until somebody of the other side
has answered or, where the tenant sets minutes, for so long. The message says that it was edited and when; the audit
trail keeps what it said before, and staff can read that at the ticket.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, NotFound
from portal.events import publish
from portal.events.tickets import TicketMessageEdited
from portal.lib.text import excerpt, render_markdown
from portal.models import FINAL, AuditEntry, SenderType, Ticket, TicketMessage
from portal.models.session import TenantSession
from portal.services.tenants.directory import load_ticket_policy
from portal.services.tenants.ticket_policy import TicketPolicy
from portal.services.tickets.queries import get_ticket, list_messages, lock_ticket
from portal.services.tickets.timeline import Line, lines_beside
from portal.services.tickets.validation import one_text


@dataclass(frozen=True)
class EarlierText:
    """What a message said until `replaced_at`."""

    text: str
    replaced_at: datetime


def edit_message(
    session: TenantSession, ticket_id: UUID, message_id: UUID, *, message: str, actor: Actor, now: datetime
) -> TicketMessage:
    """Replace the words of an own public message; the same words again change nothing.

    Raises NotFound, Invalid (`message`), Forbidden (`not_the_author`) and Conflict (`ticket_closed`,
    `message_answered`, `edit_too_late`).
    """
    ticket = lock_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_REPLY if actor.is_staff else Permission.TICKETS_REPLY)
    messages = list_messages(session, ticket_id, actor=actor)
    entry = _find(messages, message_id)
    if entry.sender_id != actor.user_id:
        raise Forbidden("not_the_author")
    text = one_text("message", message)
    if code := edit_refusal(ticket, entry, messages, load_ticket_policy(session), now=now):
        raise Conflict(code, number=ticket.ticket_number)
    if text != entry.message:
        return _replace(session, ticket, entry, messages, text, actor=actor, now=now)
    return entry


def edit_refusal(
    ticket: Ticket, entry: TicketMessage, messages: Sequence[TicketMessage], policy: TicketPolicy, *, now: datetime
) -> str | None:
    """Why a message cannot be edited by its author (any more); None where it can."""
    if ticket.status in FINAL:
        return "ticket_closed"
    if policy.edit_window is not None:
        return None if now - entry.created_at < policy.edit_window else "edit_too_late"
    public = [other for other in messages if not other.is_internal]
    later = public[public.index(entry) + 1 :]
    return "message_answered" if any(other.sender_type is not entry.sender_type for other in later) else None


def list_editable(
    ticket: Ticket, messages: Sequence[TicketMessage], policy: TicketPolicy, *, actor: Actor, now: datetime
) -> set[UUID]:
    """Which of the messages the reader may still edit; newest first, so that a long conversation costs nothing."""
    found: set[UUID] = set()
    for entry in reversed(messages):
        if entry.is_internal or entry.sender_id != actor.user_id:
            if policy.edit_window is None and not entry.is_internal and _other_side(entry, actor):
                break
            continue
        if edit_refusal(ticket, entry, (entry,), policy, now=now):
            break
        found.add(entry.id)
    return found


def _other_side(entry: TicketMessage, actor: Actor) -> bool:
    return (entry.sender_type is SenderType.CUSTOMER) is actor.is_staff


def list_earlier_texts(session: TenantSession, ticket_id: UUID, message_id: UUID, *, actor: Actor) -> list[EarlierText]:
    """What a message said before, oldest first; for staff. Raises NotFound and Forbidden."""
    get_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_READ)
    rows = session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.record_id == ticket_id,
            AuditEntry.action == TicketMessageEdited.kind,
            AuditEntry.before["message_id"].astext == str(message_id),
        )
        .order_by(AuditEntry.seq)
    )
    return [EarlierText(row.before["message"], row.at) for row in rows]


def _find(messages: Sequence[TicketMessage], message_id: UUID) -> TicketMessage:
    found = next((entry for entry in messages if entry.id == message_id and not entry.is_internal), None)
    if found is None:
        raise NotFound("message")
    return found


def _replace(
    session: TenantSession,
    ticket: Ticket,
    entry: TicketMessage,
    messages: Sequence[TicketMessage],
    text: str,
    *,
    actor: Actor,
    now: datetime,
) -> TicketMessage:
    before, edited = entry.message, session.scalars(select(TicketMessage).where(TicketMessage.id == entry.id)).one()
    edited.message, edited.message_html, edited.edited_at = text, render_markdown(text), now
    if [other for other in messages if not other.is_internal][-1] is entry:
        ticket.last_message = excerpt(text)
    ticket.updated_at = now
    publish(
        session,
        TicketMessageEdited.about(ticket, message_id=entry.id),
        actor=actor,
        now=now,
        # The one text of people that the trail keeps: nowhere else would it be left (TKT-12).
        before={"message_id": str(entry.id), "message": before},
        beside=(lines_beside(ticket, Line("message_edited", {"message_id": str(entry.id)})),),
    )
    return edited
