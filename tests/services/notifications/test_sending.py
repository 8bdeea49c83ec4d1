from dataclasses import dataclass, field

import pytest

from portal.integrations.mail import MailRefused, MailUnavailable
from portal.lib.mail_tokens import read_thread, tokens_of_addresses, tokens_of_references
from portal.models import BouncedAddress, MailMessage, MailState, OutboxEvent
from portal.services.notifications import mailing
from portal.services.notifications.fan_out import fan_out
from portal.services.notifications.mailing import TransientMailError, send_mail
from portal.services.notifications.message_ids import ticket_of
from portal.services.tickets.opening import NewTicket, create_ticket
from tests.outbox import outlets_to
from tests.services.notifications.conftest import BASE_URL


@dataclass
class Post:
    """Takes mails, or says why not."""

    errors: list = field(default_factory=list)
    taken: list = field(default_factory=list)

    def send(self, mail):
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(mail)


@pytest.fixture
def mail_id(sessions, world, actor_of, now):
    """A queued confirmation, committed."""
    with sessions.begin(world.demo) as session:
        ticket = create_ticket(session, NewTicket("Post", "x", "drill"), actor=actor_of("bob"), now=now)
        event = session.query(OutboxEvent).where(OutboxEvent.record_id == ticket.id).one()
        waiting = fan_out(session, event.id, base_url=BASE_URL, now=now)
        mails = [session.get(MailMessage, one) for one in waiting]
        return next(mail.id for mail in mails if mail.template == "ticket_received")


def row(sessions, world, mail_id):
    with sessions.begin(world.demo) as session:
        return session.get(MailMessage, mail_id)


def test_a_mail_is_sent_once(sessions, world, mail_id):
    post = Post()
    assert send_mail(sessions, world.demo, mail_id, outlets=outlets_to(post))
    assert not send_mail(sessions, world.demo, mail_id, outlets=outlets_to(post))
    (mail,) = post.taken
    assert (mail.sender_name, mail.sender_address) == ("Kestrel IT", "help@demo.example")
    assert (mail.recipient_name, mail.recipient) == ("Bob Keller", "bob@acme.example")
    sent = row(sessions, world, mail_id)
    assert (sent.state, sent.attempts) == (MailState.SENT, 1)
    assert sent.sent_at is not None


def test_what_fails_for_now_stays_queued(sessions, world, mail_id):
    post = Post([MailUnavailable("greylisted")])
    with pytest.raises(TransientMailError):
        send_mail(sessions, world.demo, mail_id, outlets=outlets_to(post))
    waiting = row(sessions, world, mail_id)
    assert (waiting.state, waiting.attempts, waiting.last_error) == (MailState.QUEUED, 1, "greylisted")
    assert send_mail(sessions, world.demo, mail_id, outlets=outlets_to(post))
    assert row(sessions, world, mail_id).last_error is None


def test_what_is_refused_is_not_tried_again(sessions, world, mail_id):
    post = Post([MailRefused("no such person")])
    assert not send_mail(sessions, world.demo, mail_id, outlets=outlets_to(post))
    assert not send_mail(sessions, world.demo, mail_id, outlets=outlets_to(post))
    assert post.taken == []
    assert row(sessions, world, mail_id).state is MailState.FAILED


def test_it_is_given_up_in_the_end(sessions, world, mail_id, monkeypatch):
    monkeypatch.setattr(mailing, "MAX_ATTEMPTS", 3)
    post = Post([MailUnavailable("away")] * 3)
    for _ in range(2):
        with pytest.raises(TransientMailError):
            send_mail(sessions, world.demo, mail_id, outlets=outlets_to(post))
    assert not send_mail(sessions, world.demo, mail_id, outlets=outlets_to(post))
    assert row(sessions, world, mail_id).state is MailState.FAILED


def test_another_tenant_s_mail_does_not_exist(sessions, world, mail_id):
    post = Post()
    assert not send_mail(sessions, world.nova, mail_id, outlets=outlets_to(post))
    assert post.taken == []


def test_mails_of_a_ticket_carry_a_token_that_this_tenant_signed(sessions, world, mail_id):
    post = Post()
    outlets = outlets_to(post)
    send_mail(sessions, world.demo, mail_id, outlets=outlets)
    (mail,) = post.taken
    in_address, in_references = tokens_of_addresses([mail.reply_to]), tokens_of_references(mail.references)
    assert in_address == in_references
    assert read_thread(outlets.vault, world.demo, in_address[0]).ticket_id == ticket_of(mail.message_id)
    assert read_thread(outlets.vault, world.nova, in_address[0]) is None


def test_nothing_is_sent_where_mails_came_back(sessions, world, mail_id, now):
    with sessions.begin(world.demo) as session:
        bounced = BouncedAddress(address="bob@acme.example", hard=True, count=1, last_at=now)
        session.add(bounced)
    try:
        post = Post()
        assert not send_mail(sessions, world.demo, mail_id, outlets=outlets_to(post))
        assert post.taken == []
        kept = row(sessions, world, mail_id)
        assert (kept.state, kept.last_error) == (MailState.FAILED, mailing.SUPPRESSED)
    finally:
        with sessions.begin(world.demo) as session:
            session.delete(session.get(BouncedAddress, bounced.id))
