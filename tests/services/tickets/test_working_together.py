"""Mentions, followers, presence, time spent, tags, the customer's context, satisfaction."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, OutboxEvent, TicketEvent, TicketStatus
from portal.services.tickets.collisions import refuse_crossing
from portal.services.tickets.conversation import add_note, reply_as_customer, reply_as_staff
from portal.services.tickets.customer_context import read_customer_context
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.lifecycle import rate_ticket
from portal.services.tickets.mentions import (
    TeamMember,
    follow_ticket,
    list_staff_followers,
    list_team,
    mentioned_in,
)
from portal.services.tickets.presence import FRESH, leave_ticket, list_present, note_presence
from portal.services.tickets.satisfaction import SatisfactionFilter, export_satisfaction, read_satisfaction
from portal.services.tickets.tags import suggest_tags
from portal.services.tickets.time_spent import add_time, list_time, remove_time

TEAM = [TeamMember(n, name) for n, name in enumerate(("Sam Okafor", "Mia Lindqvist", "Mia Lind", "Jonas Thiel"))]


@pytest.mark.parametrize(
    ("note", "names"),
    [
        ("@Sam Okafor please look", ["Sam Okafor"]),
        ("see (@mia lindqvist), and @JONAS THIEL.", ["Mia Lindqvist", "Jonas Thiel"]),
        ("@Mia Lind, not the other", ["Mia Lind"]),
        ("@Sam, your turn", ["Sam Okafor"]),
        ("@Mia which one?", []),
        ("sam@Sam Okafor is no mention, nor is @@Sam", []),
        ("@Samuel and @sam.example are others", []),
        ("@Sam @Sam Okafor @sam", ["Sam Okafor"]),
        ("nobody", []),
    ],
)
def test_who_is_meant(note, names):
    assert [member.name for member in mentioned_in(note, TEAM)] == names


def test_the_team_is_who_may_read_tickets(session, world, actor_of):
    ids = {member.id for member in list_team(session, actor=actor_of("bill"))}
    assert {world.people[name].user_id for name in ("sam", "mia", "bill", "dora", "ada")} <= ids
    assert not ids & {world.people[name].user_id for name in ("bob", "alice", "noor")}
    with pytest.raises(Forbidden):
        list_team(session, actor=actor_of("bob"))


def test_a_mention_tells_and_follows(session, open_ticket, world, actor_of, now):
    ticket, sam = open_ticket(), actor_of("sam")
    add_note(session, ticket.id, message="@Mia Lindqvist, @Bob Keller and @Sam: see here", actor=sam, now=now)
    event = session.scalars(
        select(OutboxEvent).where(OutboxEvent.record_id == ticket.id, OutboxEvent.kind == "ticket.mentioned")
    ).one()
    assert event.payload["notify_user_ids"] == [str(world.people["mia"].user_id)]
    followers = list_staff_followers(session, ticket.id, actor=sam)
    assert [member.name for member in followers] == ["Mia Lindqvist"]


def test_a_public_answer_mentions_nobody(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    reply_as_staff(session, ticket.id, message="@Mia Lindqvist will call you", actor=actor_of("sam"), now=now)
    kinds = session.scalars(select(OutboxEvent.kind).where(OutboxEvent.record_id == ticket.id)).all()
    assert "ticket.mentioned" not in kinds
    assert list_staff_followers(session, ticket.id, actor=actor_of("sam")) == []


def test_following_and_ceasing(session, open_ticket, actor_of, now):
    ticket, jonas = open_ticket(), actor_of("jonas")
    for follow in (True, True, False, False):
        follow_ticket(session, ticket.id, follow=follow, actor=jonas, now=now)
    entries = select(AuditEntry.action).where(AuditEntry.record_id == ticket.id, AuditEntry.actor_id == jonas.user_id)
    assert sorted(session.scalars(entries)) == ["ticket.followed", "ticket.unfollowed"]
    with pytest.raises(NotFound):
        follow_ticket(session, ticket.id, follow=True, actor=actor_of("charlie"), now=now)
    with pytest.raises(Forbidden):
        follow_ticket(session, ticket.id, follow=True, actor=actor_of("bob"), now=now)


def test_presence_fades_and_ends(session, open_ticket, actor_of, now):
    ticket, sam, mia = open_ticket(), actor_of("sam"), actor_of("mia")
    note_presence(session, ticket.id, activity="viewing", actor=mia, now=now)
    note_presence(session, ticket.id, activity="replying", actor=mia, now=now + timedelta(seconds=5))
    note_presence(session, ticket.id, activity="viewing", actor=sam, now=now)
    here = [(one.name, one.activity) for one in list_present(session, ticket.id, actor=sam, now=now)]
    assert here == [("Mia Lindqvist", "replying")]
    later = now + FRESH + timedelta(seconds=6)
    assert list_present(session, ticket.id, actor=sam, now=later) == []
    leave_ticket(session, ticket.id, actor=mia)
    leave_ticket(session, ticket.id, actor=mia)
    assert list_present(session, ticket.id, actor=sam, now=now) == []
    with pytest.raises(Forbidden):
        note_presence(session, ticket.id, activity="viewing", actor=actor_of("bob"), now=now)


def test_somebody_is_at_few_tickets_at_a_time(session, open_ticket, actor_of, now):
    first, second, sam = open_ticket(), open_ticket(), actor_of("sam")
    note_presence(session, first.id, activity="viewing", actor=sam, now=now)
    note_presence(session, second.id, activity="viewing", actor=sam, now=now + timedelta(hours=1))
    count = text("SELECT count(*) FROM ticket_presence WHERE user_id = :me")
    assert session.connection().execute(count, {"me": sam.user_id}).scalar() == 1


def test_crossing_answers_are_refused_for_programs_too(session, open_ticket, actor_of, now):
    ticket, sam = open_ticket(), actor_of("sam")
    mine = reply_as_staff(session, ticket.id, message="One", actor=sam, now=now)
    refuse_crossing(session, ticket.id, seen=mine.id, actor=sam)
    reply_as_customer(session, ticket.id, message="Two", actor=actor_of("bob"), now=now + timedelta(seconds=1))
    with pytest.raises(Conflict) as error:
        refuse_crossing(session, ticket.id, seen=mine.id, actor=sam)
    assert (error.value.code, error.value.params) == ("answered_meanwhile", {"name": "Bob Keller"})


def test_time_is_summed_and_taken_back_by_its_owner(session, open_ticket, actor_of, now):
    ticket, sam, mia = open_ticket(), actor_of("sam"), actor_of("mia")
    mine = add_time(session, ticket.id, minutes=25, note="Logs\nread", actor=sam, now=now)
    add_time(session, ticket.id, minutes=15, billable=False, actor=mia, now=now)
    assert ticket.minutes_spent == 40
    rows = [(row.name, row.entry.minutes, row.entry.note) for row in list_time(session, ticket.id, actor=sam)]
    assert sorted(rows) == [("Mia Lindqvist", 15, ""), ("Sam Okafor", 25, "Logs read")]
    with pytest.raises(NotFound):
        remove_time(session, ticket.id, mine.id, actor=mia, now=now)
    remove_time(session, ticket.id, mine.id, actor=sam, now=now)
    with pytest.raises(NotFound):
        remove_time(session, ticket.id, mine.id, actor=sam, now=now)
    assert ticket.minutes_spent == 15
    lines = session.scalars(
        select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind.startswith("time_"))
    ).all()
    assert len(lines) == 3
    assert all(line.staff_only for line in lines)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"minutes": 0}, "minutes"),
        ({"minutes": 1441}, "minutes"),
        ({"minutes": 5, "note": "x" * 256}, "note"),
        ({"minutes": 5, "spent_at": "later"}, "spent_at"),
    ],
)
def test_impossible_times_are_refused(session, open_ticket, actor_of, now, fields, field):
    if "spent_at" in fields:
        fields = fields | {"spent_at": now + timedelta(seconds=1)}
    with pytest.raises(Invalid) as error:
        add_time(session, open_ticket().id, actor=actor_of("sam"), now=now, **fields)
    assert [item.field for item in error.value.errors] == [field]


def test_time_is_the_team_s(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    for who, refusal in (("bob", Forbidden), ("charlie", NotFound), ("bill", Forbidden)):
        with pytest.raises(refusal):
            add_time(session, ticket.id, minutes=5, actor=actor_of(who), now=now)
    with pytest.raises(Forbidden):
        list_time(session, ticket.id, actor=actor_of("bob"))


def test_tags_in_use_are_suggested(session, open_ticket, actor_of, now):
    sam = actor_of("sam")
    for tags in (("zebra-router", "zebra-vpn"), ("zebra-vpn",)):
        update_ticket(session, open_ticket().id, changes=TicketChanges(tags=tags), actor=sam, now=now)
    assert suggest_tags(session, actor=sam, search="ZEBRA") == ["zebra-vpn", "zebra-router"]
    with pytest.raises(Forbidden):
        suggest_tags(session, actor=actor_of("bob"))


@pytest.fixture
def rated(session, open_ticket, actor_of):
    def make(rating, at, *, who="bob", agent="sam", category="drill", comment=""):
        ticket = open_ticket(who, category=category, at=at - timedelta(seconds=30))
        reply_as_staff(session, ticket.id, message="Done", status=TicketStatus.RESOLVED, actor=actor_of(agent), now=at)
        rate_ticket(session, ticket.id, rating=rating, comment=comment, actor=actor_of(who), now=at)
        return ticket

    return make


def test_the_customer_beside_a_ticket(session, rated, open_ticket, actor_of, world, now):
    ticket = open_ticket("charlie", category="drill", at=now)
    before = read_customer_context(session, ticket.id, actor=actor_of("sam"), now=now)
    other = rated(4, now, who="charlie")
    rated(2, now, who="bob")
    found = read_customer_context(session, ticket.id, actor=actor_of("sam"), now=now)
    assert found.company.id == world.companies["globex"]
    assert [person.name for person in found.people] == ["Charlie Laurent"]
    assert other.id in {row.id for row in found.tickets}
    assert ticket.id not in {row.id for row in found.tickets}
    assert found.record.ratings == before.record.ratings + 1
    assert found.record.promised == before.record.promised + 1
    with pytest.raises(NotFound):
        read_customer_context(session, ticket.id, actor=actor_of("bob"), now=now)
    with pytest.raises(Forbidden):
        read_customer_context(session, ticket.id, actor=actor_of("charlie"), now=now)


def test_satisfaction_by_week_category_and_agent(session, rated, actor_of, world, now):
    far = now + timedelta(days=3650)
    rated(5, far, comment="Quick!")
    rated(2, far - timedelta(days=14), category="billing", agent="jonas")
    rated(4, far - timedelta(days=14))
    sam, wanted = actor_of("sam"), SatisfactionFilter(weeks=4)
    found = read_satisfaction(session, wanted, zone="Europe/Paris", actor=sam, now=far)
    assert (found.whole.count, round(found.whole.average, 2), found.whole.good, found.solved) == (3, 3.67, 2, 3)
    assert [group.figures.count for group in found.weeks] == [2, 0, 1]
    assert {group.key: group.figures.count for group in found.categories} == {"drill": 2, "billing": 1}
    assert {group.name: group.figures.average for group in found.agents} == {"Sam Okafor": 4.5, "Jonas Thiel": 2.0}
    assert [row.ticket.satisfaction_comment for row in found.comments] == ["Quick!"]
    jonas = SatisfactionFilter(weeks=4, agent=world.people["jonas"].user_id)
    assert read_satisfaction(session, jonas, zone="UTC", actor=sam, now=far).whole.count == 1
    assert read_satisfaction(session, SatisfactionFilter(4, "billing"), zone="UTC", actor=sam, now=far).whole.count == 1
    rows = export_satisfaction(session, wanted, actor=sam, now=far)
    assert rows[0].ticket.satisfaction_rating == 5
    with pytest.raises(Forbidden):
        read_satisfaction(session, wanted, zone="UTC", actor=actor_of("bob"), now=far)
