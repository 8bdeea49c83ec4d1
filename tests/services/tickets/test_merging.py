"""Two tickets become one: what moves, who follows, what is refused, and many at the same moment."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import (
    Attachment,
    AuditEntry,
    FileState,
    LinkKind,
    NextStep,
    TicketFollower,
    TicketLink,
    TicketStatus,
)
from portal.services.tickets.conversation import add_note, reply_as_customer, reply_as_staff
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.lifecycle import close_ticket, rate_ticket, reopen_ticket
from portal.services.tickets.merging import final_ticket_id, merge_tickets
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.queries import list_messages
from tests.together import at_once, codes_of

TWICE = "Also from home."


@pytest.fixture
def two(session, open_ticket, actor_of, now):
    """An older ticket of bob's with an answer and a note, and a newer one of alice's."""
    source = open_ticket(subject="VPN again", description="Same as before.", at=now)
    reply_as_customer(session, source.id, message=TWICE, actor=actor_of("bob"), now=now + timedelta(minutes=2))
    add_note(session, source.id, message="Hush.", actor=actor_of("sam"), now=now + timedelta(minutes=3))
    target = open_ticket("alice", at=now + timedelta(minutes=1))
    return source, target


def attach(session, world, ticket_id, message_id=None, *, internal=False):
    row = Attachment(
        id=uuid4(),
        uploaded_by=world.people["bob"].user_id,
        ticket_id=ticket_id,
        message_id=message_id,
        filename="trace.txt",
        content_type="text/plain",
        size=5,
        sha256=b"0" * 32,
        storage_key=uuid4().hex,
        state=FileState.CLEAN,
        is_internal=internal,
    )
    session.add(row)
    session.flush()
    return row


def test_the_conversation_goes_on_in_the_other_ticket(session, two, actor_of, world, now):
    source, target = two
    spoken = list_messages(session, source.id, actor=actor_of("bob"))[0]
    mine, loose = attach(session, world, source.id, spoken.id), attach(session, world, source.id)
    hidden = attach(session, world, source.id, internal=True)
    merge_tickets(session, source.id, into_id=target.id, actor=actor_of("sam"), now=now + timedelta(hours=1))
    session.expire_all()
    found = get_ticket_detail(session, target.id, actor=actor_of("alice"))
    assert [entry.message for entry in found.messages] == ["Same as before.", TWICE]
    assert [entry.sender_name for entry in found.messages] == ["Bob Keller"] * 2
    assert [entry.created_at for entry in found.messages] == [now, now + timedelta(minutes=2)]
    assert found.files_of(found.messages[0].id)[0].id == loose.id
    assert found.files_of(found.messages[1].id)[0].id == mine.id
    assert found.messages[0].attachments[0]["id"] == str(loose.id)
    assert session.get(Attachment, hidden.id).ticket_id == source.id
    assert found.ticket.last_message == TWICE
    assert "Hush." not in [
        entry.message for entry in get_ticket_detail(session, target.id, actor=actor_of("sam")).messages
    ]


def test_both_timelines_audit_and_link_say_it(session, two, actor_of, now):
    source, target = two
    merge_tickets(session, source.id, into_id=target.id, actor=actor_of("sam"), now=now)
    ends = {}
    for ticket, kind in ((source, "merged_into"), (target, "merged_here")):
        events = get_ticket_detail(session, ticket.id, actor=actor_of("alice")).events
        ends[kind] = [event for event in events if event.kind == kind]
    assert [event.params["number"] for event in ends["merged_into"]] == [target.ticket_number]
    assert [event.params["number"] for event in ends["merged_here"]] == [source.ticket_number]
    copies = [str(entry.id) for entry in list_messages(session, target.id, actor=actor_of("alice"))]
    assert sorted(ends["merged_here"][0].params["messages"]) == sorted(copies)
    link = session.scalars(select(TicketLink).where(TicketLink.ticket_id == source.id)).one()
    assert (link.other_id, link.kind) == (target.id, LinkKind.MERGED_INTO)
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.record_id.in_([source.id, target.id]))).all()
    assert {"ticket.merged", "ticket.absorbed"} <= set(actions)


@pytest.mark.parametrize("status", [None, TicketStatus.WAITING_CUSTOMER])
def test_the_merged_one_is_over_for_good(session, two, actor_of, now, status):
    source, target = two
    if status:
        reply_as_staff(session, source.id, message="?", status=status, actor=actor_of("sam"), now=now)
    merge_tickets(session, source.id, into_id=target.id, actor=actor_of("sam"), now=now + timedelta(seconds=10))
    assert (source.status, source.merged_into_id, source.sla_due_at) == (TicketStatus.CLOSED, target.id, None)
    assert all(pause[1] for pause in source.clock_pauses)
    assert session.scalars(select(NextStep).where(NextStep.record_id == source.id)).all() == []
    bob = actor_of("bob")
    with pytest.raises(Conflict, match="ticket_merged"):
        reopen_ticket(session, source.id, actor=bob, now=now)
    with pytest.raises(Conflict, match="ticket_merged"):
        update_ticket(
            session, source.id, changes=TicketChanges(status=TicketStatus.OPEN), actor=actor_of("sam"), now=now
        )
    with pytest.raises(Conflict, match="ticket_merged"):
        rate_ticket(session, source.id, rating=5, actor=bob, now=now)
    with pytest.raises(Conflict, match="ticket_closed"):
        reply_as_customer(session, source.id, message="x", actor=bob, now=now)


def test_who_followed_follows_the_other_one(session, two, actor_of, world, now):
    source, target = two
    sam, bob, alice = (world.people[name].user_id for name in ("sam", "bob", "alice"))
    for user in (sam, alice):
        session.add(TicketFollower(ticket_id=source.id, user_id=user, created_at=now))
    session.add(TicketFollower(ticket_id=target.id, user_id=sam, created_at=now))
    session.flush()
    merge_tickets(session, source.id, into_id=target.id, actor=actor_of("sam"), now=now)
    followers = session.scalars(select(TicketFollower.user_id).where(TicketFollower.ticket_id == target.id)).all()
    # Alice asked the other one herself.
    assert set(followers) == {sam, bob}


def test_mail_finds_the_end_of_the_chain(session, open_ticket, actor_of, now):
    first, second, third = (open_ticket() for _ in range(3))
    assert final_ticket_id(session, first.id) == first.id
    for source, target in ((first, second), (second, third)):
        merge_tickets(session, source.id, into_id=target.id, actor=actor_of("sam"), now=now)
    assert {final_ticket_id(session, one.id) for one in (first, second, third)} == {third.id}


def test_what_cannot_be_merged(session, open_ticket, actor_of, now):
    sam, one, two, closed = actor_of("sam"), open_ticket(), open_ticket(), open_ticket()
    close_ticket(session, closed.id, actor=actor_of("bob"), now=now)
    with pytest.raises(Invalid) as itself:
        merge_tickets(session, one.id, into_id=one.id, actor=sam, now=now)
    with pytest.raises(Invalid) as elsewhere:
        merge_tickets(session, one.id, into_id=open_ticket("charlie").id, actor=sam, now=now)
    assert [error.value.errors[0].code for error in (itself, elsewhere)] == ["merge_into_itself", "merge_other_company"]
    with pytest.raises(Conflict, match="merge_target_closed"):
        merge_tickets(session, one.id, into_id=closed.id, actor=sam, now=now)
    merge_tickets(session, one.id, into_id=two.id, actor=sam, now=now)
    with pytest.raises(Conflict, match="already_merged"):
        merge_tickets(session, one.id, into_id=two.id, actor=sam, now=now)
    with pytest.raises(Conflict, match="merge_target_merged"):
        merge_tickets(session, two.id, into_id=one.id, actor=sam, now=now)


def test_outsiders_merge_nothing(session, two, actor_of, now):
    source, target = two
    for who, refusal in (("charlie", NotFound), ("bob", NotFound), ("alice", Forbidden), ("bill", Forbidden)):
        with pytest.raises(refusal):
            merge_tickets(session, source.id, into_id=target.id, actor=actor_of(who), now=now)
    with pytest.raises(NotFound):
        merge_tickets(session, source.id, into_id=uuid4(), actor=actor_of("sam"), now=now)


def test_into_each_other_at_the_same_moment(sessions, world, actor_of, now):
    with sessions.begin(world.demo) as session:
        bob = actor_of("bob")
        ids = [create_ticket(session, NewTicket("Race", "x", "drill"), actor=bob, now=now).id for _ in range(2)]

    def merge(index):
        source, target = ids if index % 2 else ids[::-1]
        with sessions.begin(world.demo) as session:
            merge_tickets(session, source, into_id=target, actor=actor_of("sam"), now=now)

    found = codes_of(at_once(30, merge))
    assert found.count("ok") == 1
    assert set(found) == {"ok", "already_merged", "merge_target_merged"}
    with sessions.begin(world.demo) as session:
        assert sum(len(list_messages(session, id_, actor=actor_of("sam"))) for id_ in ids) == 1
