"""What a mail becomes: a new ticket, an answer, a message of a side conversation; its files by the same rules."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update

from portal.authz import Actor, system_actor
from portal.errors import Conflict, Invalid
from portal.lib.letters import translator
from portal.lib.mail_bodies import MailFile, answer_of, files_of, text_of
from portal.lib.mail_parsing import ReceivedMail
from portal.lib.wording.mail import NO_SUBJECT, NO_TEXT
from portal.models import (
    LinkKind,
    SideConversation,
    Tenant,
    Ticket,
    TicketCategory,
    TicketLink,
    TicketMessage,
)
from portal.models.session import TenantSession
from portal.services.files.uploading import FilePlace, Upload, keep_file
from portal.services.tenants.file_policy import FILES_A_MESSAGE
from portal.services.tickets.conversation import reply_as_customer, reply_as_staff
from portal.services.tickets.merging import final_ticket_id
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.queries import get_ticket
from portal.services.tickets.side_conversations import take_side_answer
from portal.services.tickets.timeline import add_line
from portal.services.tickets.validation import TEXT_LENGTH

SOURCE = "email"
REFUSED_NAMED = 20


@dataclass(frozen=True)
class Written:
    """What a mail became."""

    outcome: str
    reason: str = ""
    ticket_id: UUID | None = None
    message_id: UUID | None = None
    refused: tuple[dict[str, str], ...] = ()


def open_ticket(
    session: TenantSession,
    mail: ReceivedMail,
    *,
    category: str,
    place: FilePlace,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> Written:
    """A new ticket of the actor. Raises Invalid and Forbidden."""
    files, refused = _keep_files(session, files_of(mail), place=place, actor=actor, now=now)
    request = NewTicket(
        subject=mail.subject or _words(session, NO_SUBJECT),
        description=_shortened(text_of(mail)) or _words(session, NO_TEXT),
        category=category or _first_category(session),
        source=SOURCE,
        attachment_ids=files,
    )
    ticket = create_ticket(session, request, actor=actor, now=now)
    _name_refused(session, ticket, refused, actor=actor, now=now)
    return Written("opened", reason, ticket.id, refused=refused)


def append_answer(
    session: TenantSession,
    ticket_id: UUID,
    mail: ReceivedMail,
    *,
    category: str,
    place: FilePlace,
    actor: Actor,
    now: datetime,
) -> Written:
    """An answer in the name of the actor, who has to see the ticket; to a closed one it is a new ticket that follows.

    Raises NotFound, Invalid and Forbidden.
    """
    # What answers a merged ticket goes on where its conversation does.
    ticket_id = final_ticket_id(session, ticket_id)
    ticket = get_ticket(session, ticket_id, actor=actor)
    if ticket.closed_at is not None:
        return _follow_up(session, ticket, mail, category=category, place=place, actor=actor, now=now)
    files, refused = _keep_files(session, files_of(mail), place=place, actor=actor, now=now)
    text = _shortened(answer_of(text_of(mail))) or _words(session, NO_TEXT)
    write = reply_as_staff if actor.is_staff else reply_as_customer
    entry = write(session, ticket_id, message=text, actor=actor, now=now, attachment_ids=files)
    session.execute(update(TicketMessage).where(TicketMessage.id == entry.id).values(source=SOURCE))
    _name_refused(session, ticket, refused, actor=actor, now=now)
    return Written("appended", "", ticket_id, entry.id, refused)


def append_side(
    session: TenantSession,
    conversation: SideConversation,
    mail: ReceivedMail,
    *,
    sender: str,
    place: FilePlace,
    now: datetime,
) -> Written:
    """What somebody outside answers in a side conversation, with its files. Raises NotFound and Invalid."""
    actor = system_actor(session.tenant_id)
    files, refused = _keep_files(session, files_of(mail), place=place, actor=actor, now=now)
    take_side_answer(
        session,
        conversation.id,
        sender=mail.sender_name or sender,
        body=_shortened(answer_of(text_of(mail))) or _words(session, NO_TEXT),
        actor=actor,
        now=now,
        attachment_ids=files,
    )
    if refused:
        ticket = get_ticket(session, conversation.ticket_id, actor=actor)
        _name_refused(session, ticket, refused, actor=actor, now=now, staff_only=True)
    return Written("side", "", conversation.ticket_id, refused=refused)


def _follow_up(session: TenantSession, closed: Ticket, mail: ReceivedMail, *, actor: Actor, **rest: Any) -> Written:
    if actor.is_staff:
        raise Conflict("ticket_closed", number=closed.ticket_number)
    written = open_ticket(session, mail, actor=actor, reason="follows_up", **rest)
    session.add(
        TicketLink(
            id=uuid4(),
            tenant_id=session.tenant_id,
            ticket_id=written.ticket_id,
            other_id=closed.id,
            kind=LinkKind.FOLLOWS_UP,
            created_by=actor.user_id,
        )
    )
    return written


def _keep_files(
    session: TenantSession, files: Sequence[MailFile], *, place: FilePlace, actor: Actor, now: datetime
) -> tuple[tuple[UUID, ...], tuple[dict[str, str], ...]]:
    """The files that were taken, and those that were not, each with the code of the reason."""
    kept: list[UUID] = []
    refused: list[dict[str, str]] = []
    for file in files:
        code = "files_too_many"
        if len(kept) < FILES_A_MESSAGE:
            try:
                upload = Upload(file.name, io.BytesIO(file.content))
                kept.append(keep_file(session, upload, place=place, actor=actor, now=now).id)
                continue
            except Invalid as error:
                code = error.errors[0].code
        refused.append({"name": file.name[:200], "code": code})
    return tuple(kept), tuple(refused[:REFUSED_NAMED])


def _name_refused(
    session: TenantSession,
    ticket: Ticket,
    refused: Sequence[dict[str, str]],
    *,
    actor: Actor,
    now: datetime,
    staff_only: bool = False,
) -> None:
    for one in refused:
        named = {"filename": one["name"], "code": one["code"]}
        add_line(session, ticket, "mail_file_refused", actor=actor, now=now, staff_only=staff_only, **named)


def _first_category(session: TenantSession) -> str:
    query = select(TicketCategory.key).where(TicketCategory.active)
    return session.scalar(query.order_by(TicketCategory.position, TicketCategory.key).limit(1)) or ""


def _shortened(text: str) -> str:
    return text if len(text) <= TEXT_LENGTH else text[: TEXT_LENGTH - 1].rstrip() + "…"


def _words(session: TenantSession, message: str) -> str:
    locale = session.scalar(select(Tenant.locale).where(Tenant.id == session.tenant_id)) or "en"
    return translator(locale)(message)
