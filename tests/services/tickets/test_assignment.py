"""Who gets a ticket by the rules: strategies, hours, absence, fullness, order, reopening, and thirty at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, text

from portal.errors import Forbidden, Invalid, NotFound
from portal.models import AssignmentRule, AuditEntry, ConfigVersion, OutboxEvent, Ticket, TicketEvent
from portal.services.tickets.assignment import load_team
from portal.services.tickets.assignment_rules import (
    ProfileForm,
    RuleForm,
    move_rule,
    save_profile,
    save_rule,
    try_rules,
)
from portal.services.tickets.conversation import reply_as_staff
from portal.services.tickets.desk import assign_ticket
from portal.services.tickets.escalation import advance_clock
from portal.services.tickets.lifecycle import close_ticket, reopen_ticket
from portal.services.tickets.opening import NewTicket, create_ticket
from tests.world import STAFF

HOUR = timedelta(hours=1)


@pytest.fixture
def mia(actor_of):
    return actor_of("mia")


@pytest.fixture
def ids(session):
    return sorted(one.user_id for one in load_team(session))


@pytest.fixture
def rule(session, mia, now):
    """Save a rule for everything."""

    def save(**fields):
        form = RuleForm(**{"name": "Everything", "only_working": False} | fields)
        return save_rule(session, None, form=form, actor=mia, now=now)

    return save


@pytest.fixture
def opened(session, open_ticket, now):
    """Open a ticket and let its clock look at it for the first time."""

    def make(at=now, **fields):
        ticket = open_ticket(at=at, **fields)
        advance_clock(session, ticket.id, cycle=1, now=at)
        return ticket

    return make


def lines(session, ticket):
    rows = session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id))
    return {row.kind: row for row in rows}


def test_round_robin_deals_out_in_turn(session, opened, rule, ids):
    rule()
    got = [opened().assigned_to for _ in range(2 * len(ids))]
    assert got == [*ids, *ids]


def test_the_ticket_says_who_and_why_and_the_rules_name_stays_with_the_team(session, opened, rule):
    rule(name="First line")
    ticket = opened()
    found = lines(session, ticket)
    assert (found["rule_applied"].params["rule"], found["rule_applied"].staff_only) == ("First line", True)
    assert (found["assigned"].params["to"], found["assigned"].staff_only) == (str(ticket.assigned_to), False)
    told = session.scalars(select(OutboxEvent).where(OutboxEvent.record_id == ticket.id)).all()
    assert [event.payload["to_user"] for event in told if event.kind == "ticket.assigned"] == [str(ticket.assigned_to)]


def test_it_happens_once_and_what_people_decide_stays(session, opened, rule, actor_of, now):
    rule()
    ticket = opened()
    assign_ticket(session, ticket.id, assignee_id=None, actor=actor_of("sam"), now=now)
    advance_clock(session, ticket.id, cycle=1, now=now + timedelta(seconds=1))
    assert ticket.assigned_to is None


def test_who_has_it_already_keeps_it(session, open_ticket, rule, actor_of, now):
    rule()
    ticket, sam = open_ticket(), actor_of("sam")
    reply_as_staff(session, ticket.id, message="Mine.", actor=sam, now=now)
    advance_clock(session, ticket.id, cycle=1, now=now)
    assert ticket.assigned_to == sam.user_id


def test_least_loaded_takes_who_has_fewest(session, opened, rule, actor_of, mia, now):
    sam = actor_of("sam")
    rule(strategy="least_loaded", people=(str(sam.user_id), str(mia.user_id)))
    before = {one.user_id: one.open_tickets for one in load_team(session)}
    got = Counter(opened().assigned_to for _ in range(6 + abs(before[sam.user_id] - before[mia.user_id])))
    assert before[sam.user_id] + got[sam.user_id] == pytest.approx(before[mia.user_id] + got[mia.user_id], abs=1)


def test_a_person_and_who_stands_in(session, opened, rule, actor_of, mia, now):
    sam = actor_of("sam")
    rule(strategy="person", people=(str(sam.user_id), str(mia.user_id)))
    assert opened().assigned_to == sam.user_id
    away = ProfileForm(absent_from=now - HOUR, absent_until=now + HOUR)
    save_profile(session, sam.user_id, form=away, actor=mia, now=now)
    assert opened().assigned_to == mia.user_id
    assert opened(at=now + HOUR).assigned_to == sam.user_id  # back to the second


def test_skills_choose(session, opened, rule, actor_of, mia, now):
    sam = actor_of("sam")
    save_profile(session, sam.user_id, form=ProfileForm(skills=(" VPN ", "Arabic")), actor=mia, now=now)
    rule(skills=("vpn",))
    assert {opened().assigned_to for _ in range(3)} == {sam.user_id}


def test_only_those_at_work_get_tickets(session, opened, rule, actor_of, mia, world, now):
    sam = actor_of("sam")
    office = ProfileForm(calendar_id=world.calendars["office"])
    save_profile(session, sam.user_id, form=office, actor=mia, now=now)
    rule(only_working=True, people=(str(sam.user_id),))
    night = opened(at=now.replace(hour=23))
    assert night.assigned_to is None
    assert lines(session, night)["rule_found_nobody"].params == {"rule": "Everything"}
    assert opened(at=now.replace(hour=10)).assigned_to == sam.user_id


def test_who_is_full_gets_no_more(session, opened, rule, actor_of, mia, now):
    sam = actor_of("sam")
    has = next(one.open_tickets for one in load_team(session) if one.user_id == sam.user_id)
    save_profile(session, sam.user_id, form=ProfileForm(most_open=has + 2), actor=mia, now=now)
    rule(people=(str(sam.user_id),))
    assert [opened().assigned_to for _ in range(3)] == [sam.user_id, sam.user_id, None]


def test_the_first_rule_that_matches_decides(session, opened, rule, actor_of, mia, now):
    sam = actor_of("sam")
    first = rule(name="General", match_categories=("general",), strategy="person", people=(str(sam.user_id),))
    second = rule(name="Rest", strategy="person", people=(str(mia.user_id),))
    assert opened(category="general").assigned_to == sam.user_id
    assert opened(category="drill").assigned_to == mia.user_id
    move_rule(session, second.id, up=True, actor=mia, now=now)
    assert opened(category="general").assigned_to == mia.user_id
    save_rule(session, second.id, form=RuleForm(name="Rest", active=False), actor=mia, now=now)
    assert opened(category="general").assigned_to == sam.user_id
    assert first.position == 1


def test_without_a_rule_nobody_gets_it(session, opened, rule):
    rule(match_priorities=("urgent",))
    assert opened().assigned_to is None


@pytest.fixture
def long_open_to_reopening(session):
    """A tenant whose closed tickets can be reopened for ten years."""
    session.execute(text('UPDATE tenants SET settings = settings || \'{"tickets": {"reopen_days": 3650}}\''))


@pytest.mark.parametrize("away", [True, False])
def test_a_reopened_ticket_goes_to_somebody_else_only_if_its_owner_is_away(
    session, long_open_to_reopening, opened, rule, actor_of, mia, now, away
):
    sam, bob = actor_of("sam"), actor_of("bob")
    rule(strategy="person", people=(str(sam.user_id), str(mia.user_id)))
    ticket = opened()
    close_ticket(session, ticket.id, actor=bob, now=now + HOUR)
    if away:
        save_profile(session, sam.user_id, form=ProfileForm(absent_from=now), actor=mia, now=now)
    reopen_ticket(session, ticket.id, actor=bob, now=now + 900 * HOUR)
    advance_clock(session, ticket.id, cycle=2, now=now + 900 * HOUR)
    assert ticket.assigned_to == (mia if away else sam).user_id


def test_thirty_tickets_at_once_are_dealt_out_evenly(sessions, world, session):
    """Real transactions: clocks of thirty tickets looked at by ten threads."""
    mia, charlie = world.people["mia"].actor, world.people["charlie"].actor
    now = datetime.now(UTC)
    globex = RuleForm(name="Globex", match_companies=(str(world.companies["globex"]),), only_working=False)
    with sessions.begin(world.demo) as own:
        rule_id = save_rule(own, None, form=globex, actor=mia, now=now).id
        made = [create_ticket(own, NewTicket("VPN", "Down.", "general"), actor=charlie, now=now).id for _ in range(30)]

    def look(ticket_id):
        with sessions.begin(world.demo) as own:
            advance_clock(own, ticket_id, cycle=1, now=now)

    try:
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(look, made))
        with sessions.begin(world.demo) as own:
            got = Counter(own.scalars(select(Ticket.assigned_to).where(Ticket.id.in_(made))))
        assert sum(got.values()) == 30
        assert None not in got
        assert max(got.values()) - min(got.values()) <= 1
        assert len(got) >= 2
    finally:
        with sessions.begin(world.demo) as own:
            own.execute(delete(AssignmentRule).where(AssignmentRule.id == rule_id))


def test_a_draft_is_tried_on_the_last_tickets_and_changes_nothing(session, open_ticket, rule, actor_of, mia, now):
    sam = actor_of("sam")
    rule(match_categories=("general",), strategy="person", people=(str(mia.user_id),))
    later = datetime.now(UTC) + HOUR
    tickets = [open_ticket(category=key, at=later) for key in ("general", "drill")]
    draft = RuleForm(name="Drills", strategy="person", people=(str(sam.user_id),), only_working=False)
    found = {one.ticket_id: (one.rule, one.chosen) for one in try_rules(session, actor=mia, draft=draft)}
    assert found[tickets[0].id] == ("Everything", mia.name)
    assert found[tickets[1].id] == ("Drills", sam.name)
    assert [ticket.assigned_to for ticket in tickets] == [None, None]
    assert len(found) <= 20


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": ""}, "name", "required"),
        ({"strategy": "dice"}, "strategy", "unknown_choice"),
        ({"strategy": "person"}, "people", "required"),
        ({"people": ("7",)}, "people", "unknown_choice"),
        ({"match_categories": ("nope",)}, "match_categories", "unknown_category"),
        ({"match_priorities": ("nope",)}, "match_priorities", "unknown_choice"),
        ({"match_companies": ("nope",)}, "match_companies", "unknown_choice"),
        ({"skills": tuple(map(str, range(21)))}, "skills", "too_many"),
    ],
)
def test_impossible_rules_are_refused_per_field(session, mia, now, change, field, code):
    with pytest.raises(Invalid) as refusal:
        save_rule(session, None, form=replace(RuleForm(name="R"), **change), actor=mia, now=now)
    assert [(error.field, error.code) for error in refusal.value.errors] == [(field, code)]


def test_changes_are_audited_kept_and_only_for_who_configures(session, rule, actor_of, mia, now):
    made, sam = rule(), actor_of("sam")
    save_rule(session, made.id, form=RuleForm(name="Renamed"), actor=mia, now=now)
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.record_id == made.id).order_by(AuditEntry.seq.desc())
    ).first()
    assert (entry.before["name"], entry.after["name"]) == ("Everything", "Renamed")
    kept = select(ConfigVersion.version).where(ConfigVersion.record_id == made.id)
    assert sorted(session.scalars(kept)) == [1, 2]
    early = ProfileForm(absent_from=now, absent_until=now - HOUR)
    with pytest.raises(Invalid, match="invalid"):
        save_profile(session, sam.user_id, form=early, actor=mia, now=now)
    with pytest.raises(NotFound):
        save_profile(session, actor_of("bob").user_id, form=ProfileForm(), actor=mia, now=now)
    for refused in (
        lambda: save_rule(session, None, form=RuleForm(name="X"), actor=sam, now=now),
        lambda: move_rule(session, made.id, up=True, actor=sam, now=now),
        lambda: save_profile(session, sam.user_id, form=ProfileForm(), actor=sam, now=now),
        lambda: try_rules(session, actor=actor_of("bob")),
    ):
        with pytest.raises(Forbidden):
            refused()


def test_the_team_is_who_can_be_given_tickets(session):
    assert len(load_team(session)) <= len(STAFF)
