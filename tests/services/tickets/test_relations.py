"""Links, incidents, splits and follow-ups: both sides know of them, and nobody learns of foreign tickets."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.integrations.storage import FileStorage
from portal.models import Attachment, FileState, StorageUse, TicketStatus
from portal.services.files.deleting import delete_stored
from portal.services.files.uploading import drop_file
from portal.services.tenants.ticket_policy import TicketPolicy, read_ticket_policy
from portal.services.tickets.conversation import add_note, reply_as_customer, reply_as_staff
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.following_up import open_follow_up
from portal.services.tickets.incidents import solve_incidents
from portal.services.tickets.lifecycle import cancel_ticket, close_ticket, reopen_ticket
from portal.services.tickets.links import Relation, add_link, list_links, remove_link
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.splitting import split_ticket
from tests.together import at_once, codes_of


@pytest.fixture
def link(session, actor_of, now):
    def make(ticket, other, relation=Relation.RELATED):
        return add_link(
            session, ticket.id, number=other.ticket_number, relation=relation, actor=actor_of("sam"), now=now
        )

    return make


def relations(session, ticket, actor):
    return [(one.relation.value, one.number) for one in list_links(session, ticket.id, actor=actor)]


@pytest.mark.parametrize(
    ("said", "mirrored"), [("related", "related"), ("problem", "incident"), ("incident", "problem")]
)
def test_both_sides_show_a_link_and_its_removal(session, open_ticket, link, actor_of, now, said, mirrored):
    one, two, sam = open_ticket(), open_ticket(), actor_of("sam")
    made = link(one, two, Relation(said))
    assert relations(session, one, sam) == [(said, two.ticket_number)]
    assert relations(session, two, sam) == [(mirrored, one.ticket_number)]
    remove_link(session, two.id, made.id, actor=sam, now=now)
    assert relations(session, one, sam) == relations(session, two, sam) == []
    kinds = [event.kind for event in get_ticket_detail(session, two.id, actor=sam).events]
    assert kinds.count("linked") == kinds.count("unlinked") == 1
    assert not {"linked", "unlinked"} & {
        e.kind for e in get_ticket_detail(session, two.id, actor=actor_of("bob")).events
    }


def test_customers_see_links_to_their_own_tickets_only(session, open_ticket, link, actor_of):
    bobs, alices, charlies = open_ticket(), open_ticket("alice"), open_ticket("charlie")
    link(bobs, alices)
    link(bobs, charlies)
    assert len(relations(session, bobs, actor_of("sam"))) == 2
    assert relations(session, bobs, actor_of("alice")) == [("related", alices.ticket_number)]
    assert relations(session, bobs, actor_of("bob")) == []
    with pytest.raises(NotFound):
        list_links(session, bobs.id, actor=actor_of("charlie"))


def test_what_cannot_be_linked(session, open_ticket, link, actor_of, now):
    one, two, three, sam = open_ticket(), open_ticket(), open_ticket(), actor_of("sam")
    for number, code in (
        (one.ticket_number, "link_to_itself"),
        ("TCK-99999", "unknown_ticket"),
        ("\x00", "unknown_ticket"),
    ):
        with pytest.raises(Invalid) as refused:
            add_link(session, one.id, number=number, relation=Relation.RELATED, actor=sam, now=now)
        assert refused.value.errors[0].code == code
    link(one, two)
    for first, second in ((one, two), (two, one)):
        with pytest.raises(Conflict, match="already_linked"):
            link(first, second)
    link(one, two, Relation.PROBLEM)
    for first, second in ((three, one), (two, three), (one, three)):
        with pytest.raises(Conflict, match="incident_chain"):
            link(first, second, Relation.PROBLEM)
    with pytest.raises(Forbidden):
        add_link(
            session, one.id, number=three.ticket_number, relation=Relation.RELATED, actor=actor_of("bill"), now=now
        )
    with pytest.raises(NotFound):
        remove_link(session, one.id, uuid4(), actor=sam, now=now)


def test_one_answer_solves_all_incidents(session, open_ticket, link, actor_of, now):
    problem, first, second, done = (open_ticket() for _ in range(4))
    for incident in (first, second, done):
        link(problem, incident, Relation.INCIDENT)
    close_ticket(session, done.id, actor=actor_of("bob"), now=now)
    found = solve_incidents(session, problem.id, message="The line is back.", actor=actor_of("sam"), now=now)
    assert {(one.ticket_id, one.ok) for one in found} == {(first.id, True), (second.id, True)}
    for incident in (first, second):
        seen = get_ticket_detail(session, incident.id, actor=actor_of("bob"))
        assert (seen.ticket.status, seen.messages[-1].message) == (TicketStatus.RESOLVED, "The line is back.")
    with pytest.raises(Conflict, match="no_open_incidents"):
        solve_incidents(session, problem.id, message="Again.", actor=actor_of("sam"), now=now)


def test_incidents_are_answered_once_by_many(sessions, world, actor_of, now):
    sam = actor_of("sam")
    with sessions.begin(world.demo) as session:
        problem, incident = (
            create_ticket(session, NewTicket("Many", "x", "drill"), actor=actor_of("bob"), now=now) for _ in range(2)
        )
        add_link(session, problem.id, number=incident.ticket_number, relation=Relation.INCIDENT, actor=sam, now=now)

    def solve(_):
        with sessions.begin(world.demo) as session:
            return solve_incidents(session, problem.id, message="Done.", actor=sam, now=now)

    at_once(10, solve)
    with sessions.begin(world.demo) as session:
        assert len(get_ticket_detail(session, incident.id, actor=sam).messages) == 1


@pytest.fixture
def talk(session, open_ticket, actor_of, now):
    """A ticket of bob's in which alice asked something else."""
    ticket = open_ticket(category="general")
    said = [
        reply_as_customer(session, ticket.id, message="And the printer?", actor=actor_of("alice"), now=now),
        reply_as_staff(session, ticket.id, message="Which one?", actor=actor_of("sam"), now=now + timedelta(minutes=1)),
    ]
    return ticket, said


def split(session, ticket, said, actor, now, subject="Printer"):
    return split_ticket(session, ticket.id, message_ids=[e.id for e in said], subject=subject, actor=actor, now=now)


def test_messages_become_a_ticket_with_a_clock_of_its_own(session, talk, actor_of, world, now):
    ticket, said = talk
    later = now + timedelta(hours=2)
    made = split(session, ticket, said, actor_of("sam"), later)
    found = get_ticket_detail(session, made.id, actor=actor_of("alice"))
    assert (found.ticket.description, found.ticket.requester_id) == ("And the printer?", world.people["alice"].user_id)
    assert [(e.message, e.sender_name, e.created_at) for e in found.messages] == [
        ("Which one?", "Sam Okafor", now + timedelta(minutes=1))
    ]
    assert (found.ticket.clock_started_at, found.ticket.customer_id) == (later, ticket.customer_id)
    assert found.ticket.first_response_due_at > later
    here = get_ticket_detail(session, ticket.id, actor=actor_of("sam"))
    assert len(here.messages) == 2
    marked = next(event for event in here.events if event.kind == "split_off")
    assert marked.params["messages"] == [str(e.id) for e in said]
    assert relations(session, made, actor_of("sam")) == [("split_from", ticket.ticket_number)]
    assert relations(session, ticket, actor_of("sam")) == [("split_off", made.ticket_number)]


def test_what_cannot_be_split(session, talk, open_ticket, actor_of, now):
    ticket, said = talk
    sam = actor_of("sam")
    note = add_note(session, ticket.id, message="Hush", actor=sam, now=now)
    foreign = reply_as_customer(session, open_ticket().id, message="x", actor=actor_of("bob"), now=now)
    for chosen, code in (
        ([], "required"),
        ([said[1]], "split_needs_customer"),
        ([said[0], note], "unknown_message"),
        ([said[0], foreign], "unknown_message"),
    ):
        with pytest.raises(Invalid) as refused:
            split(session, ticket, chosen, sam, now)
        assert refused.value.errors[0].code == code
    with pytest.raises(Invalid):
        split(session, ticket, said, sam, now, subject=" ")
    for who, refusal in (("alice", Forbidden), ("charlie", NotFound), ("bill", Forbidden)):
        with pytest.raises(refusal):
            split(session, ticket, said, actor_of(who), now)


def test_files_are_in_both_and_their_bytes_go_with_the_last(sessions, world, actor_of, now):
    bob, sam = actor_of("bob"), actor_of("sam")
    with sessions.begin(world.demo) as session:
        ticket = create_ticket(session, NewTicket("Files", "x", "drill"), actor=bob, now=now)
        said = [reply_as_customer(session, ticket.id, message="See.", actor=bob, now=now)]
        session.merge(StorageUse(tenant_id=world.demo, bytes=5))
        for state in (FileState.CLEAN, FileState.SCANNING):
            session.add(
                Attachment(
                    id=uuid4(), uploaded_by=bob.user_id, ticket_id=ticket.id, message_id=said[0].id, filename="a.txt",
                    content_type="text/plain", size=5, sha256=b"0" * 32, storage_key=uuid4().hex, state=state,
                )
            )  # fmt: skip
        session.flush()
        made = split(session, ticket, said, sam, now)
        copy = session.scalars(select(Attachment).where(Attachment.ticket_id == made.id)).one()
        first = session.scalars(
            select(Attachment).where(Attachment.ticket_id == ticket.id, Attachment.state == FileState.CLEAN)
        ).one()
        assert (copy.storage_key, copy.message_id) == (first.storage_key, None)
        assert session.scalar(select(StorageUse.bytes)) == 10
    gone = []

    class Storage(FileStorage):
        def __init__(self):
            pass

        def delete(self, keys):
            gone.extend(keys)

    for file_id in (first.id, copy.id):
        assert gone == []
        with sessions.begin(world.demo) as session:
            drop_file(session, session.get(Attachment, file_id), now=now)
        delete_stored(sessions, world.demo, file_id, storage=Storage())
    assert gone == [first.storage_key]


def test_the_time_for_reopening_is_the_tenants(session, open_ticket, actor_of, world, now):
    bob, ticket = actor_of("bob"), open_ticket()
    close_ticket(session, ticket.id, actor=bob, now=now)
    end = now + timedelta(days=30)
    with pytest.raises(Conflict, match="reopen_too_late"):
        reopen_ticket(session, ticket.id, actor=bob, now=end + timedelta(seconds=1))
    with pytest.raises(Conflict, match="reopen_too_late"):
        changes = TicketChanges(status=TicketStatus.OPEN)
        update_ticket(session, ticket.id, changes=changes, actor=actor_of("sam"), now=end + timedelta(seconds=1))
    with pytest.raises(Conflict, match="follow_up_too_early"):
        open_follow_up(session, ticket.id, NewTicket("", "Again.", ""), actor=bob, now=end)
    session.execute(text('UPDATE tenants SET settings = \'{"tickets": {"reopen_days": 31}}\''))
    assert reopen_ticket(session, ticket.id, actor=bob, now=end + timedelta(hours=1)).status is TicketStatus.OPEN


@pytest.mark.parametrize(
    "stored", [{}, {"tickets": 3}, {"tickets": {"reopen_days": -1}}, {"tickets": {"reopen_days": True}}]
)
def test_a_policy_out_of_bounds_is_the_standard_one(stored):
    assert read_ticket_policy(stored) == TicketPolicy(reopen_days=30)


@pytest.mark.parametrize("who", ["bob", "alice", "sam"])
def test_a_follow_up_goes_on_from_what_is_over(session, open_ticket, actor_of, world, now, who):
    first, actor = open_ticket(subject="VPN drops"), actor_of(who)
    cancel_ticket(session, first.id, reason="Found it.", actor=actor_of("bob"), now=now)
    made = open_follow_up(session, first.id, NewTicket("", "It is back.", ""), actor=actor, now=now)
    assert (made.subject, made.category, made.customer_id) == ("VPN drops", "drill", first.customer_id)
    assert made.requester_id == world.people["alice" if who == "alice" else "bob"].user_id
    assert relations(session, made, actor_of("sam")) == [("follows_up", first.ticket_number)]
    assert relations(session, first, actor_of("bob")) == (
        [("followed_up", made.ticket_number)] if who != "alice" else []
    )
    for who_not in ("charlie",):
        with pytest.raises(NotFound):
            open_follow_up(session, first.id, NewTicket("", "x", ""), actor=actor_of(who_not), now=now)


def test_no_follow_up_of_what_is_open(session, open_ticket, actor_of, now):
    with pytest.raises(Conflict, match="follow_up_too_early"):
        open_follow_up(session, open_ticket().id, NewTicket("", "x", ""), actor=actor_of("bob"), now=now)


def test_links_of_what_was_done_stay(session, talk, actor_of, now):
    ticket, said = talk
    split(session, ticket, said, actor_of("sam"), now)
    made = list_links(session, ticket.id, actor=actor_of("sam"))[0]
    with pytest.raises(Conflict, match="link_fixed"):
        remove_link(session, ticket.id, made.id, actor=actor_of("sam"), now=now)


def test_the_same_link_by_many_is_one(sessions, world, actor_of, now):
    with sessions.begin(world.demo) as session:
        one, two = (create_ticket(session, NewTicket("L", "x", "drill"), actor=actor_of("bob"), now=now) for _ in "ab")

    def link(index):
        first, second = (one, two) if index % 2 else (two, one)
        with sessions.begin(world.demo) as session:
            add_link(
                session,
                first.id,
                number=second.ticket_number,
                relation=Relation.RELATED,
                actor=actor_of("sam"),
                now=now,
            )

    found = codes_of(at_once(30, link))
    assert sorted(found) == ["already_linked"] * 29 + ["ok"]
