"""Tickets with their events, and what people are told of them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.models import MailMessage, Notification, OutboxEvent, Ticket, User
from portal.services.notifications.fan_out import fan_out
from portal.services.tickets.opening import NewTicket, create_ticket
from tests.world import World

BASE_URL = "http://127.0.0.1:8000"


class Told:
    """Fans an event out and says who was told how."""

    def __init__(self, session: Any, world: World, now: datetime) -> None:
        self.session, self.world, self.now = session, world, now
        self.names = {person.user_id: name for name, person in world.people.items()}

    def last(self, record_id: UUID, kind: str) -> OutboxEvent:
        """The newest event of a kind on a record."""
        query = select(OutboxEvent).where(OutboxEvent.record_id == record_id, OutboxEvent.kind == kind)
        found = self.session.scalars(query.order_by(OutboxEvent.seq.desc())).first()
        assert found is not None, kind
        return found

    def of(self, record: Ticket, kind: str) -> tuple[dict[str, str], dict[str, str]]:
        """({who: kind of notice}, {who: template of mail}) of the newest such event."""
        event = self.last(record.id, kind)
        fan_out(self.session, event.id, base_url=BASE_URL, now=self.now)
        bells = self.session.scalars(select(Notification).where(Notification.event_id == event.id))
        mails = self.mails(event)
        return (
            {self.names[bell.user_id]: bell.kind for bell in bells},
            {self.names[mail.user_id]: mail.template for mail in mails},
        )

    def mails(self, event: OutboxEvent) -> list[MailMessage]:
        """Mails of an event."""
        return list(self.session.scalars(select(MailMessage).where(MailMessage.event_id == event.id)))

    def all_mails(self, record: Ticket) -> list[MailMessage]:
        """Every mail that the record's events bring about."""
        events = self.session.scalars(select(OutboxEvent).where(OutboxEvent.record_id == record.id)).all()
        for event in events:
            fan_out(self.session, event.id, base_url=BASE_URL, now=self.now)
        return [mail for event in events for mail in self.mails(event)]

    def mail_to(self, record: Ticket, kind: str, name: str) -> MailMessage:
        """The mail that a person got of the newest such event."""
        event = self.last(record.id, kind)
        fan_out(self.session, event.id, base_url=BASE_URL, now=self.now)
        return next(mail for mail in self.mails(event) if self.names[mail.user_id] == name)

    def user(self, name: str) -> User:
        """A person's login, to change it."""
        return self.session.get(User, self.world.people[name].user_id)


@pytest.fixture
def told(session: Any, world: World, now: datetime) -> Told:
    """Who was told what."""
    return Told(session, world, now)


@pytest.fixture
def open_ticket(session: Any, actor_of: Any, now: datetime) -> Callable[..., Ticket]:
    """Open a ticket as somebody (bob unless said)."""

    def make(who: str = "bob", *, category: str = "drill", subject: str = "VPN drops", **fields: Any) -> Ticket:
        request = NewTicket(subject, fields.pop("description", "Since Monday."), category, **fields)
        return create_ticket(session, request, actor=actor_of(who), now=now)

    return make
