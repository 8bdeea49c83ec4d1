"""A letterbox: mails go in, and one sees what became of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.lib.mail_tokens import reply_address, sign_thread, thread_reference
from portal.lib.vault import Vault
from portal.models import InboundMail, MailIntake, Ticket, TicketEvent, TicketMessage
from portal.services.files.uploading import FilePlace
from portal.services.mail_in.intake import default_intake
from portal.services.mail_in.taking import MailTools, Taken, take_mail
from portal.services.tickets.opening import NewTicket, create_ticket
from tests.keeping import place_in
from tests.letters import HELP

SECRET = "a secret for the tests, long enough to be one"


@dataclass
class Mailbox:
    """The tenant's own, within one transaction."""

    session: Any
    tools: MailTools
    actor_of: Callable[[str], Any]
    now: datetime

    def take(self, message: EmailMessage | bytes, *, to: str = HELP) -> Taken:
        """Deliver a message."""
        raw = message if isinstance(message, bytes) else message.as_bytes()
        return take_mail(self.session, raw, recipient=to, tools=self.tools, now=self.now)

    def ticket(self, who: str = "bob", subject: str = "Printer") -> Ticket:
        """A ticket that somebody has opened."""
        return create_ticket(
            self.session, NewTicket(subject, "It is out.", "drill"), actor=self.actor_of(who), now=self.now
        )

    def token(self, ticket_id: UUID, side: UUID | None = None) -> str:
        """The token that mails about the ticket carry."""
        return sign_thread(self.tools.vault, self.session.tenant_id, ticket_id, side)

    def reply_to(self, ticket_id: UUID, side: UUID | None = None) -> str:
        """The address that answers go to."""
        return reply_address(HELP, self.token(ticket_id, side))

    def reference(self, ticket_id: UUID) -> str:
        """What stands in References."""
        return thread_reference(self.token(ticket_id), "demo.example")

    def rules(self, **rules: Any) -> MailIntake:
        """Change the tenant's rules."""
        intake = default_intake(self.session.tenant_id)
        for name, value in rules.items():
            setattr(intake, name, value)
        self.session.add(intake)
        self.session.flush()
        return intake

    def row(self, taken: Taken) -> InboundMail:
        """What is noted of a mail."""
        self.session.expire_all()
        return self.session.scalars(select(InboundMail).where(InboundMail.id == taken.mail_id)).one()

    def messages(self, ticket_id: UUID) -> list[TicketMessage]:
        """What was said in a ticket."""
        self.session.expire_all()
        rows = select(TicketMessage).where(TicketMessage.ticket_id == ticket_id)
        return list(self.session.scalars(rows.order_by(TicketMessage.created_at, TicketMessage.id)))

    def lines(self, ticket_id: UUID, kind: str) -> list[TicketEvent]:
        """Lines of a kind in a ticket's timeline."""
        query = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id, TicketEvent.kind == kind)
        return list(self.session.scalars(query))

    def get(self, ticket_id: UUID | None) -> Ticket:
        """A ticket as it is now."""
        self.session.expire_all()
        return self.session.scalars(select(Ticket).where(Ticket.id == ticket_id)).one()


@pytest.fixture
def place(settings: Any) -> FilePlace:
    """Where files of the tests lie; no scanner."""
    return place_in(settings)


@pytest.fixture
def tools(place: FilePlace) -> MailTools:
    """The vault and the shelf."""
    return MailTools(Vault([SECRET]), place)


@pytest.fixture
def box(session: Any, tools: MailTools, actor_of: Any, now: datetime) -> Mailbox:
    """The letterbox of tenant `demo`."""
    return Mailbox(session, tools, actor_of, now)
