"""The worker's part of a test: events around getting in are answered, mails leave, links are taken out of them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.integrations.mail import OutgoingMail
from portal.lib.clock import utcnow
from portal.lib.vault import Vault
from portal.models import MailMessage, MailState, OutboxEvent
from portal.models.session import TenantSession, TenantSessions
from portal.services.accounts.letters import answer_event
from portal.services.notifications.mailing import Outlets, send_mail
from tests.outbox import Texts

BASE_URL = "http://127.0.0.1:8000"
KINDS = ("access.requested", "device.added", "user.password_reset_owed")
_LINK = re.compile(r"https?://\S+?(/(?:portal|admin)/\S+)")


@dataclass
class Post:
    """Takes mails and keeps them, newest last."""

    mails: list[OutgoingMail] = field(default_factory=list)

    def send(self, mail: OutgoingMail) -> None:
        """Keep it."""
        self.mails.append(mail)

    def to(self, address: str) -> list[OutgoingMail]:
        """What an address got."""
        return [mail for mail in self.mails if mail.recipient == address]

    def last(self, address: str) -> OutgoingMail:
        """The newest mail to an address."""
        found = self.to(address)
        assert found, f"no mail to {address}"
        return found[-1]


def path_in(mail: OutgoingMail) -> str:
    """The path of the link in a mail, the same in both parts."""
    found = _LINK.search(mail.text)
    assert found, mail.text
    assert found[1] in mail.html
    return found[1]


def token_in(mail: OutgoingMail) -> str:
    """The one-time secret in a mail."""
    return path_in(mail).rpartition("/")[2]


def answer(session: TenantSession, event: OutboxEvent, vault: Vault, now: datetime) -> bool:
    """What the worker does with an event."""
    return answer_event(session, event.id, vault=vault, base_url=BASE_URL, now=now)


class Worker:
    """Answers what has happened since it was made, in real transactions."""

    def __init__(self, sessions: TenantSessions, vault: Vault, tenant_id: UUID) -> None:
        self.sessions, self.vault, self.tenant_id, self.post = sessions, vault, tenant_id, Post()
        self._seen: set[UUID] = {event.id for event in self._events()}
        self._sent: set[UUID] = set(self._queued())

    def work(self, *, now: Callable[[], datetime] = utcnow) -> Post:
        """Answer new events and send what was queued; twice each, as a worker that died would."""
        for event in self._events():
            if event.id not in self._seen:
                self._seen.add(event.id)
                for _ in range(2):
                    with self.sessions.begin(self.tenant_id) as session:
                        answer(session, event, self.vault, now())
        outlets = Outlets(self.post, Texts(), self.vault)
        for mail_id in self._queued():
            if mail_id not in self._sent:
                self._sent.add(mail_id)
                send_mail(self.sessions, self.tenant_id, mail_id, outlets=outlets)
        return self.post

    def _events(self) -> list[OutboxEvent]:
        with self.sessions.begin(self.tenant_id) as session:
            return list(
                session.scalars(select(OutboxEvent).where(OutboxEvent.kind.in_(KINDS)).order_by(OutboxEvent.seq))
            )

    def _queued(self) -> list[UUID]:
        with self.sessions.begin(self.tenant_id) as session:
            query = select(MailMessage.id).where(MailMessage.state == MailState.QUEUED).order_by(MailMessage.created_at)
            return list(session.scalars(query))


def texts(mail: Any) -> str:
    """Everything that somebody reads of a mail."""
    return f"{mail.subject}\n{mail.text}\n{mail.html}"
