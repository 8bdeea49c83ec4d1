"""Mails that came back: which of ours it was, whom it did not reach, and what is known of that address."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import system_actor
from portal.events import audit, publish
from portal.events.mail import AddressBounced, TicketMailBounced
from portal.lib.mail_origin import BouncedRecipient, BounceReport
from portal.models import BouncedAddress, MailMessage, Ticket
from portal.models.session import TenantSession
from portal.services.notifications.message_ids import ticket_of
from portal.services.tickets.timeline import Line, lines_beside


def note_bounces(session: TenantSession, report: BounceReport, *, now: datetime) -> tuple[str, UUID | None]:
    """Keep what a report says of our mail; gives the reason and the ticket the mail was about.

    Only a report that encloses the Message-ID of a mail of ours, and is about the address that mail went to, is
    believed: anybody can write a report about anybody else.
    """
    mail = session.scalar(select(MailMessage).where(MailMessage.message_id == report.message_id))
    about = [one for one in report.recipients if mail is not None and one.address == mail.recipient.lower()]
    if mail is None or not about:
        return "bounce_of_nothing", None
    worst = max(about, key=lambda one: one.hard)
    ticket_id = ticket_of(mail.message_id)
    ticket = session.get(Ticket, ticket_id) if ticket_id else None
    bounced_id = _count(session, worst, now=now)
    actor = system_actor(session.tenant_id)
    if ticket is None:
        publish(session, AddressBounced(bounced_id, hard=worst.hard), actor=actor, now=now)
    else:
        kind = "mail_bounced" if worst.hard else "mail_delayed"
        line = Line(kind, {"address": worst.address}, staff_only=True)
        event = TicketMailBounced.about(ticket, hard=worst.hard)
        publish(session, event, actor=actor, now=now, beside=(lines_beside(ticket, line),))
    return "bounce_hard" if worst.hard else "bounce_soft", ticket.id if ticket else None


def forget_bounces(session: TenantSession, address: str, *, now: datetime) -> None:
    """Somebody wrote from an address: it lives, and mails go there again."""
    gone = session.scalars(
        delete(BouncedAddress).where(BouncedAddress.address == address).returning(BouncedAddress.id)
    ).all()
    for bounced_id in gone:
        actor = system_actor(session.tenant_id)
        audit(session, "bounced_address.cleared", "bounced_address", bounced_id, actor=actor, now=now)


def _count(session: TenantSession, recipient: BouncedRecipient, *, now: datetime) -> UUID:
    statement = insert(BouncedAddress).values(
        id=uuid4(),
        tenant_id=session.tenant_id,
        address=recipient.address,
        reason=recipient.status,
        hard=recipient.hard,
        count=1,
        last_at=now,
    )
    counted = statement.on_conflict_do_update(
        index_elements=["tenant_id", "address"],
        set_={
            "count": BouncedAddress.count + 1,
            "hard": BouncedAddress.hard | statement.excluded.hard,
            "reason": statement.excluded.reason,
            "last_at": now,
        },
    )
    return session.execute(counted.returning(BouncedAddress.id)).scalar_one()
