"""What stayed in the trash for its whole time goes for good; only the audit trail still knows of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select, update

from portal.authz import Actor, system_actor
from portal.events import Event, publish
from portal.events.files import AttachmentRemoved
from portal.events.relations import TicketPurged
from portal.models import (
    Attachment,
    Draft,
    InboundMail,
    MailMessage,
    NextStep,
    Notification,
    Presence,
    SideConversation,
    SideMessage,
    Ticket,
    TicketEvent,
    TicketFollower,
    TicketLink,
    TicketMessage,
    TimeEntry,
)
from portal.models.session import TenantSession
from portal.services.files.uploading import drop_file
from portal.services.tickets.trash import KEPT_FOR

# What belongs to a ticket alone.
_OWNED = (TicketEvent, TicketFollower, TimeEntry, Presence)
_UNSEEN = {"synchronize_session": False}


def purge_ticket(session: TenantSession, ticket_id: UUID, *, cycle: int, now: datetime) -> bool:
    """Delete a ticket whose time in the trash is over; returns whether it did.

    `cycle` is that of its clock when it was trashed: a ticket that was restored since, and perhaps trashed
    again, is left alone. Safe to repeat.
    """
    ticket = session.scalar(
        select(Ticket)
        .where(Ticket.id == ticket_id, Ticket.trashed_at <= now - KEPT_FOR, Ticket.clock_cycle == cycle)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if ticket is None:
        return False
    actor = system_actor(session.tenant_id)
    events: list[Event] = [TicketPurged.about(ticket), *_drop_files(session, ticket, now=now)]
    _forget_mails(session, ticket.id)
    _forget_relations(session, ticket.id)
    for kind in _OWNED:
        session.execute(delete(kind).where(kind.ticket_id == ticket.id), execution_options=_UNSEEN)
    session.execute(delete(NextStep).where(NextStep.record_id == ticket.id), execution_options=_UNSEEN)
    session.execute(delete(TicketMessage).where(TicketMessage.ticket_id == ticket.id), execution_options=_UNSEEN)
    _publish(session, events, ticket, actor=actor, now=now)
    session.delete(ticket)
    session.flush()
    return True


def _publish(session: TenantSession, events: list[Event], ticket: Ticket, *, actor: Actor, now: datetime) -> None:
    publish(session, *events, actor=actor, now=now, before={"number": ticket.ticket_number})


def _drop_files(session: TenantSession, ticket: Ticket, *, now: datetime) -> list[Event]:
    """Mark the files as gone and let go of the ticket; their bytes follow by the events."""
    files = session.scalars(select(Attachment).where(Attachment.ticket_id == ticket.id).with_for_update()).all()
    events: list[Event] = []
    for file in files:
        if file.removed_at is None:
            drop_file(session, file, now=now)
            events.append(AttachmentRemoved(file.id))
        file.ticket_id = file.message_id = file.side_message_id = None
    session.flush()
    return events


def _forget_mails(session: TenantSession, ticket_id: UUID) -> None:
    """That a mail came in stays known, so that it is not taken twice; what it said goes."""
    session.execute(
        update(InboundMail)
        .where(InboundMail.ticket_id == ticket_id)
        .values(ticket_id=None, message_id=None, text="", subject="", details={}),
        execution_options=_UNSEEN,
    )
    session.execute(delete(MailMessage).where(_about(ticket_id)), execution_options=_UNSEEN)
    session.execute(
        delete(Draft).where(Draft.place.in_((f"reply:{ticket_id}", f"note:{ticket_id}"))), execution_options=_UNSEEN
    )
    session.execute(
        delete(Notification).where(Notification.record_type == "ticket", Notification.record_id == ticket_id),
        execution_options=_UNSEEN,
    )


def _about(ticket_id: UUID) -> ColumnElement[bool]:
    """Mails that went out about a ticket or in one of its side conversations, by their Message-IDs."""
    side = func.concat("<side-", SideConversation.id, ".%")
    beside = select(SideConversation.id).where(
        SideConversation.ticket_id == ticket_id, MailMessage.message_id.like(side)
    )
    return or_(MailMessage.message_id.like(f"<ticket-{ticket_id}%"), beside.correlate(MailMessage).exists())


def _forget_relations(session: TenantSession, ticket_id: UUID) -> None:
    sides = select(SideConversation.id).where(SideConversation.ticket_id == ticket_id)
    session.execute(delete(SideMessage).where(SideMessage.conversation_id.in_(sides)), execution_options=_UNSEEN)
    session.execute(delete(SideConversation).where(SideConversation.ticket_id == ticket_id), execution_options=_UNSEEN)
    session.execute(
        delete(TicketLink).where(or_(TicketLink.ticket_id == ticket_id, TicketLink.other_id == ticket_id)),
        execution_options=_UNSEEN,
    )
    # Tickets that were merged into it stay closed, and lead nowhere.
    session.execute(
        update(Ticket).where(Ticket.merged_into_id == ticket_id).values(merged_into_id=None), execution_options=_UNSEEN
    )
