"""Mail with somebody outside about a ticket: written by the team, answered by mail, never seen by customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid, NotFound
from portal.events import publish, tell
from portal.events.messages import MessageQueued
from portal.events.relations import SideConversationClosed, SideMessageAdded
from portal.lib.colour import solid_accent
from portal.lib.email_addresses import normalise_email
from portal.lib.i18n import text_direction
from portal.lib.letters import render_mail_template, translator
from portal.models import MailMessage, MailState, SideConversation, SideMessage, Ticket
from portal.models.session import TenantSession
from portal.services.tenants.directory import TenantProfile
from portal.services.tickets.files import TicketFile
from portal.services.tickets.queries import get_ticket, lock_ticket
from portal.services.tickets.side_files import attach_to_side, files_of_mails
from portal.services.tickets.timeline import add_line
from portal.services.tickets.validation import TEXT_LENGTH, checked_text, one_text

SUBJECT_LENGTH = 200
NAME_LENGTH = 100
MOST_SHOWN = 50


@dataclass(frozen=True)
class SideThread:
    """A conversation with its mails in order of time, and the files by the mail that they belong to."""

    conversation: SideConversation
    messages: Sequence[SideMessage]
    files: Mapping[UUID, Sequence[TicketFile]]


@dataclass(frozen=True)
class SideLetter:
    """What opens a conversation: to whom, about what, and the first mail with its files."""

    recipient: str
    subject: str
    body: str
    attachment_ids: tuple[UUID, ...] = ()


def list_side_threads(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> list[SideThread]:
    """The ticket's side conversations, the newest first; NotFound for whoever is not of the team."""
    _require_team(actor)
    get_ticket(session, ticket_id, actor=actor)
    found = session.scalars(
        select(SideConversation)
        .where(SideConversation.ticket_id == ticket_id)
        .order_by(SideConversation.created_at.desc(), SideConversation.id)
        .limit(MOST_SHOWN)
    ).all()
    if not found:
        return []
    messages = session.scalars(
        select(SideMessage)
        .where(SideMessage.conversation_id.in_([one.id for one in found]))
        .order_by(SideMessage.created_at, SideMessage.id)
    ).all()
    files = files_of_mails(session, messages)
    return [SideThread(one, [entry for entry in messages if entry.conversation_id == one.id], files) for one in found]


def get_side_thread(session: TenantSession, conversation_id: UUID, *, actor: Actor) -> SideThread:
    """One conversation with its mails; NotFound for whoever is not of the team."""
    _require_team(actor)
    conversation = _find(session, conversation_id)
    get_ticket(session, conversation.ticket_id, actor=actor)
    messages = session.scalars(
        select(SideMessage)
        .where(SideMessage.conversation_id == conversation_id)
        .order_by(SideMessage.created_at, SideMessage.id)
    ).all()
    return SideThread(conversation, messages, files_of_mails(session, messages))


def open_side_conversation(
    session: TenantSession,
    ticket_id: UUID,
    letter: SideLetter,
    *,
    tenant: TenantProfile,
    actor: Actor,
    now: datetime,
    conversation_id: UUID | None = None,
) -> SideConversation:
    """Write to somebody outside about a ticket. Raises NotFound and Invalid per field (`recipient`, …).

    A mail waits until its files are checked, and does not go out when the scanner finds something.
    """
    _require_team(actor)
    ticket = lock_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_REPLY)
    recipient, subject, body = _checked(letter)
    conversation = SideConversation(
        id=conversation_id or uuid4(),
        ticket_id=ticket.id,
        subject=subject,
        recipient=recipient,
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(conversation)
    session.flush()
    add_line(session, ticket, "side_opened", actor=actor, now=now, staff_only=True, to=recipient)
    entry = _write(session, ticket, conversation, body, tenant=tenant, actor=actor, now=now)
    attach_to_side(session, letter.attachment_ids, conversation=conversation, entry=entry, actor=actor)
    return conversation


def write_side_message(
    session: TenantSession,
    conversation_id: UUID,
    *,
    body: str,
    tenant: TenantProfile,
    actor: Actor,
    now: datetime,
    attachment_ids: Sequence[UUID] = (),
) -> SideMessage:
    """Write once more. Raises NotFound, Invalid (`body`, `attachment_ids`) and Conflict `side_closed`."""
    _require_team(actor)
    conversation = _find(session, conversation_id)
    ticket = lock_ticket(session, conversation.ticket_id, actor=actor)
    require(actor, Permission.DESK_REPLY)
    text = one_text("body", body)
    session.refresh(conversation)
    if conversation.closed_at is not None:
        raise Conflict("side_closed")
    entry = _write(session, ticket, conversation, text, tenant=tenant, actor=actor, now=now)
    attach_to_side(session, attachment_ids, conversation=conversation, entry=entry, actor=actor)
    return entry


def close_side_conversation(
    session: TenantSession, conversation_id: UUID, *, actor: Actor, now: datetime
) -> SideConversation:
    """Note that nothing more is expected; an answer opens it again. Raises NotFound and Conflict `side_closed`."""
    _require_team(actor)
    conversation = _find(session, conversation_id)
    ticket = lock_ticket(session, conversation.ticket_id, actor=actor)
    require(actor, Permission.DESK_REPLY)
    session.refresh(conversation)
    if conversation.closed_at is not None:
        raise Conflict("side_closed")
    conversation.closed_at = now
    add_line(session, ticket, "side_closed", actor=actor, now=now, staff_only=True, to=conversation.recipient)
    fact = SideConversationClosed.about(ticket, conversation_id=conversation.id)
    publish(session, fact, actor=actor, now=now)
    return conversation


def take_side_answer(
    session: TenantSession,
    conversation_id: UUID,
    *,
    sender: str,
    body: str,
    actor: Actor,
    now: datetime,
    attachment_ids: Sequence[UUID] = (),
) -> SideMessage:
    """Take in what somebody outside answered; `actor` is who takes it (the system), and kept its files.

    Whether `sender` may answer is for the caller, who knows how the mail came. It stays with the ticket it was
    written about, also where that one was merged. Raises NotFound, also while the ticket lies in the trash, and
    Invalid (`body`).
    """
    conversation = _find(session, conversation_id)
    ticket = lock_ticket(session, conversation.ticket_id, actor=actor)
    session.refresh(conversation)
    conversation.closed_at = None
    entry = SideMessage(
        id=uuid4(),
        conversation_id=conversation.id,
        inbound=True,
        sender_name=" ".join(sender.split())[:NAME_LENGTH] or conversation.recipient[:NAME_LENGTH],
        body=one_text("body", body),
        created_at=now,
    )
    session.add(entry)
    attach_to_side(session, attachment_ids, conversation=conversation, entry=entry, actor=actor)
    add_line(session, ticket, "side_answered", actor=actor, now=now, staff_only=True, by=entry.sender_name)
    fact = SideMessageAdded.about(ticket, conversation_id=conversation.id, inbound=True)
    publish(session, fact, actor=actor, now=now)
    return entry


def _require_team(actor: Actor) -> None:
    # To a customer there is no such thing, whatever the id.
    if not (actor.is_staff or actor.is_system):
        raise NotFound("side_conversation")


def _find(session: TenantSession, conversation_id: UUID) -> SideConversation:
    found = session.scalar(select(SideConversation).where(SideConversation.id == conversation_id))
    if found is None:
        raise NotFound("side_conversation")
    return found


def _checked(letter: SideLetter) -> tuple[str, str, str]:
    errors: list[FieldError] = []
    recipient = normalise_email(letter.recipient) or ""
    if not recipient:
        errors.append(FieldError("recipient", "email_invalid"))
    subject = " ".join(checked_text("subject", letter.subject, limit=SUBJECT_LENGTH, errors=errors).split())
    body = checked_text("body", letter.body, limit=TEXT_LENGTH, errors=errors)
    if errors:
        raise Invalid(*errors)
    return recipient, subject, body


def _write(
    session: TenantSession,
    ticket: Ticket,
    conversation: SideConversation,
    body: str,
    *,
    tenant: TenantProfile,
    actor: Actor,
    now: datetime,
) -> SideMessage:
    entry = SideMessage(
        id=uuid4(),
        conversation_id=conversation.id,
        inbound=False,
        sender_id=actor.user_id,
        sender_name=actor.name,
        body=body,
        created_at=now,
    )
    session.add(entry)
    _queue(session, conversation, entry, tenant=tenant, actor=actor, now=now)
    fact = SideMessageAdded.about(ticket, conversation_id=conversation.id, inbound=False)
    publish(session, fact, actor=actor, now=now)
    return entry


def _queue(
    session: TenantSession,
    conversation: SideConversation,
    entry: SideMessage,
    *,
    tenant: TenantProfile,
    actor: Actor,
    now: datetime,
) -> None:
    """The mail itself, under the entry's id; its way back stands in its headers (notifications/answering.py)."""
    rendered = render_mail_template("mail/side_message.txt", _context(conversation, entry, tenant))
    mail_id, host = entry.id, tenant.support_email.rpartition("@")[2]
    session.add(
        MailMessage(
            id=mail_id,
            event_id=mail_id,
            template="side_message",
            user_id=None,
            recipient=conversation.recipient,
            locale=tenant.locale,
            message_id=f"<side-{conversation.id}.{entry.id.hex}@{host}>",
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            state=MailState.QUEUED,
            created_at=now,
        )
    )
    tell(session, MessageQueued(mail_id), actor=actor, now=now)


def _context(conversation: SideConversation, entry: SideMessage, tenant: TenantProfile) -> dict[str, Any]:
    return {
        "_": translator(tenant.locale),
        "locale": tenant.locale,
        "direction": text_direction(tenant.locale),
        "tenant": tenant,
        "mark": str(tenant.brand.get("mark_letter") or tenant.name[:1]),
        "accent": solid_accent(tenant.brand.get("accent")),
        "subject": conversation.subject,
        "sender": entry.sender_name,
        "body": entry.body,
    }
