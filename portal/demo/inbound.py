"""Mail of the demo world: tickets that came by mail, and a log with something to decide about."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from sqlalchemy import update

from portal.demo import addresses as at
from portal.demo.content import DemoTenant, demo_uuid
from portal.models import BouncedAddress, InboundMail, Ticket
from portal.models.session import TenantSession
from portal.services.mail_in.writing import SOURCE

# Tickets of the first demo tenant that were written by mail.
BY_MAIL = ("works-council-group", "wrong-order-0398", "recycling-monitors")


@dataclass(frozen=True)
class DemoMail:
    """A mail that became no ticket, or not yet."""

    key: str
    sender: str
    subject: str
    text: str
    outcome: str
    reason: str
    minutes_ago: int


MAILS = (
    DemoMail(
        "candidate", "petra.holm@holm-logistics.example", "Framework contract for our sites?",
        "Good morning,\n\nChloe Laurent of Globex gave me this address. We are looking for somebody who runs the"
        " network of three warehouses near Grenoble. Could you call me this week?\n\nPetra Holm\nHolm Logistics",
        "held", "unknown_sender", 95,
    ),
    DemoMail(
        "forged", at.ANA, "Please change our bank details",
        "Hello,\n\nour bank has changed. Please use the new account for the refund of INV-2026-0398."
        "\n\nAna",
        "held", "spoofed", 260,
    ),
    DemoMail(
        "private", "yusuf.nasser@mail.example", "Re: Door reader at the loading bay",
        "I write from home: the reader at the loading bay is dead again, the shutter stays open tonight.\n\nYusuf",
        "held", "unknown_sender", 610,
    ),
    DemoMail(
        "away", at.PAUL, "Automatic reply: Kestrel answered",
        "I am on the road until Thursday and read my mail in the evening.", "ignored", "auto_reply", 700,
    ),
    DemoMail(
        "fair", "news@network-fair.example", "Last tickets for the network fair",
        "Two days, forty talks. Register until Friday.", "ignored", "bulk", 1500,
    ),
    DemoMail(
        "returned", "mailer-daemon@mx.acme.example", "Undelivered Mail Returned to Sender",
        "j.perrin@acme.example: mailbox unavailable (550 5.1.1)", "bounce", "bounce_hard", 2900,
    ),
)  # fmt: skip


def seed_inbound(session: TenantSession, tenant: DemoTenant, *, now: datetime) -> None:
    """Write the log of the first demo tenant, and mark its tickets that came by mail."""
    if tenant.key != "demo":
        return
    demo = {ticket.key: ticket for ticket in tenant.tickets}
    for key in BY_MAIL:
        ticket_id = demo_uuid(tenant.key, "ticket", key)
        session.execute(update(Ticket).where(Ticket.id == ticket_id).values(source=SOURCE))
        asked = DemoMail(
            key, demo[key].requester, demo[key].subject, demo[key].messages[0].text, "opened", "",
            demo[key].created_minutes_ago,
        )  # fmt: skip
        _add(session, tenant, asked, now).ticket_id = ticket_id
    for mail in MAILS:
        _add(session, tenant, mail, now)
    session.add(
        BouncedAddress(
            id=demo_uuid(tenant.key, "bounced", "perrin"),
            address="j.perrin@acme.example",
            reason="5.1.1",
            hard=True,
            count=2,
            last_at=now - timedelta(minutes=2900),
        )
    )


def _add(session: TenantSession, tenant: DemoTenant, mail: DemoMail, now: datetime) -> InboundMail:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, tenant.support_email, mail.subject
    message["Message-ID"] = f"<{mail.key}@{mail.sender.rpartition('@')[2]}>"
    message.set_content(mail.text)
    row = InboundMail(
        id=demo_uuid(tenant.key, "inbound", mail.key),
        mail_key=message["Message-ID"],
        sender=mail.sender,
        recipient=tenant.support_email,
        subject=mail.subject,
        outcome=mail.outcome,
        reason=mail.reason,
        details={},
        text=mail.text,
        received_at=now - timedelta(minutes=mail.minutes_ago),
        raw=message.as_bytes() if mail.outcome == "held" else None,
    )
    session.add(row)
    return row
