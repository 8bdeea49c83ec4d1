"""Side conversations leave by mail with a way back, and answers come in; merges tell the requester."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.authz import system_actor
from portal.errors import Conflict, Invalid, NotFound
from portal.lib.mail_tokens import Thread, read_thread, tokens_of_addresses, tokens_of_references
from portal.models import MailMessage, Notification, OutboxEvent, SideMessage, Tenant, TicketEvent
from portal.services.notifications.fan_out import fan_out
from portal.services.notifications.mailing import send_mail
from portal.services.notifications.message_ids import side_of, ticket_of
from portal.services.tenants.directory import load_profile
from portal.services.tickets.merging import merge_tickets
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.side_conversations import (
    SideLetter,
    close_side_conversation,
    get_side_thread,
    list_side_threads,
    open_side_conversation,
    take_side_answer,
    write_side_message,
)
from portal.services.tickets.trash import trash_ticket
from portal.workflows.relay import STAFF_ONLY
from tests.outbox import outlets_to
from tests.services.notifications.conftest import BASE_URL
from tests.services.notifications.test_sending import Post


@pytest.fixture
def ticket(session, actor_of, now):
    return create_ticket(session, NewTicket("Line down", "Since nine.", "drill"), actor=actor_of("bob"), now=now)


@pytest.fixture
def tenant(session, world):
    return load_profile(session, session.get(Tenant, world.demo))


@pytest.fixture
def begun(session, ticket, tenant, actor_of, now):
    letter = SideLetter(" NOC@isp.example ", "Circuit 7\n", "Is it **cut**?")
    return open_side_conversation(session, ticket.id, letter, tenant=tenant, actor=actor_of("sam"), now=now)


def test_the_mail_carries_its_way_back(sessions, world, actor_of, now):
    with sessions.begin(world.demo) as session:
        made = create_ticket(session, NewTicket("Line", "x", "drill"), actor=actor_of("bob"), now=now)
        tenant = load_profile(session, session.get(Tenant, world.demo))
        letter = SideLetter("noc@isp.example", "Circuit 7", "Is it cut?")
        side = open_side_conversation(session, made.id, letter, tenant=tenant, actor=actor_of("sam"), now=now)
        mail = session.scalars(select(MailMessage).where(MailMessage.recipient == "noc@isp.example")).all()[-1]
        event = session.scalars(select(OutboxEvent).where(OutboxEvent.record_id == mail.id)).one()
        assert fan_out(session, event.id, base_url=BASE_URL, now=now) == [mail.id]
    post, outlets = Post(), None
    outlets = outlets_to(post)
    assert send_mail(sessions, world.demo, mail.id, outlets=outlets)
    assert not send_mail(sessions, world.demo, mail.id, outlets=outlets)
    (sent,) = post.taken
    tokens = [*tokens_of_addresses([sent.reply_to]), *tokens_of_references(sent.references)]
    assert len(tokens) == 2
    for token in tokens:
        assert read_thread(outlets.vault, world.demo, token) == Thread(side_conversation_id=side.id)
        assert read_thread(outlets.vault, world.nova, token) is None
    assert (side_of(sent.message_id), ticket_of(sent.message_id)) == (side.id, None)
    assert "Is it cut?" in sent.text
    assert "Bob" not in sent.text + sent.html


def test_what_is_typed_is_text_in_both_parts(session, begun):
    mail = session.scalars(select(MailMessage).where(MailMessage.message_id.startswith(f"<side-{begun.id}"))).one()
    assert (mail.recipient, mail.subject) == ("noc@isp.example", "Circuit 7")
    assert "Is it **cut**?" in mail.text
    assert "Sam Okafor" in mail.html


def test_answers_come_in_and_open_what_was_closed(session, ticket, begun, actor_of, world, now):
    close_side_conversation(session, begun.id, actor=actor_of("sam"), now=now)
    later = now + timedelta(hours=1)
    system = system_actor(world.demo)
    entry = take_side_answer(
        session, begun.id, sender="NOC\n" + "x" * 200, body="By a digger.", actor=system, now=later
    )
    assert len(entry.sender_name) == 100
    thread = get_side_thread(session, begun.id, actor=actor_of("mia"))
    assert [(one.inbound, one.body) for one in thread.messages] == [(False, "Is it **cut**?"), (True, "By a digger.")]
    assert thread.conversation.closed_at is None
    kinds = session.scalars(select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id)).all()
    assert {"side_opened", "side_closed", "side_answered"} <= set(kinds)
    with pytest.raises(Invalid):
        take_side_answer(session, begun.id, sender="NOC", body=" ", actor=system, now=later)
    with pytest.raises(NotFound):
        take_side_answer(session, uuid4(), sender="NOC", body="x", actor=system, now=later)


def test_customers_know_of_none_of_it(session, ticket, begun, tenant, actor_of, world, now):
    for who in ("bob", "alice", "charlie"):
        customer = actor_of(who)
        for act in (
            lambda a: list_side_threads(session, ticket.id, actor=a),
            lambda a: get_side_thread(session, begun.id, actor=a),
            lambda a: write_side_message(session, begun.id, body="x", tenant=tenant, actor=a, now=now),
            lambda a: close_side_conversation(session, begun.id, actor=a, now=now),
        ):
            with pytest.raises(NotFound):
                act(customer)
    events = session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id)).all()
    assert all(event.staff_only for event in events if event.kind.startswith("side_"))
    told = session.scalars(select(OutboxEvent).where(OutboxEvent.record_id == ticket.id)).all()
    side = [event for event in told if event.kind.startswith("ticket.side")]
    assert side
    assert {event.kind for event in side} <= STAFF_ONLY
    for event in side:
        assert fan_out(session, event.id, base_url=BASE_URL, now=now) == []


def test_in_the_trash_nothing_comes_in(session, ticket, begun, tenant, actor_of, world, now):
    trash_ticket(session, ticket.id, reason="Spam", actor=actor_of("sam"), now=now)
    with pytest.raises(NotFound):
        take_side_answer(session, begun.id, sender="NOC", body="x", actor=system_actor(world.demo), now=now)
    with pytest.raises(NotFound):
        write_side_message(session, begun.id, body="x", tenant=tenant, actor=actor_of("sam"), now=now)
    assert session.scalars(select(SideMessage).where(SideMessage.conversation_id == begun.id)).all()


def test_closed_is_closed(session, begun, tenant, actor_of, now):
    close_side_conversation(session, begun.id, actor=actor_of("sam"), now=now)
    with pytest.raises(Conflict, match="side_closed"):
        write_side_message(session, begun.id, body="x", tenant=tenant, actor=actor_of("sam"), now=now)


def test_the_requester_hears_of_a_merge_once(session, ticket, actor_of, world, now):
    other = create_ticket(session, NewTicket("Line", "x", "drill"), actor=actor_of("alice"), now=now)
    merge_tickets(session, ticket.id, into_id=other.id, actor=actor_of("sam"), now=now + timedelta(minutes=1))
    events = session.scalars(
        select(OutboxEvent).where(OutboxEvent.record_id.in_([ticket.id, other.id]), OutboxEvent.occurred_at > now)
    ).all()
    for event in events:
        fan_out(session, event.id, base_url=BASE_URL, now=now)
    told = session.scalars(select(Notification).where(Notification.record_id.in_([ticket.id, other.id]))).all()
    assert [(one.kind, one.user_id) for one in told] == [("ticket_merged", world.people["bob"].user_id)]
    mails = session.scalars(select(MailMessage).where(MailMessage.template == "ticket_merged")).all()
    assert [mail.recipient for mail in mails] == ["bob@acme.example"]
