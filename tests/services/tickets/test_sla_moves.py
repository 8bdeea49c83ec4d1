"""A change of promises or hours: what it would move, open tickets that move or stay, versions and going back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.errors import Forbidden, NotFound
from portal.models import AuditEntry, BusinessCalendar, ConfigVersion, OutboxEvent, SlaPolicy, TicketPriority
from portal.services.tickets.conversation import reply_as_staff
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.escalation import advance_clock
from portal.services.tickets.lifecycle import close_ticket, reopen_ticket
from portal.services.tickets.sla_forms import CalendarForm, PolicyForm
from portal.services.tickets.sla_moves import preview_calendar, preview_policy
from portal.services.tickets.sla_policies import restore_calendar, restore_policy, save_calendar, save_policy
from portal.services.tickets.sla_versions import list_versions


def seconds(number):
    return timedelta(seconds=number)


@pytest.fixture
def mia(actor_of):
    return actor_of("mia")


@pytest.fixture
def drill(session, world):
    """The drill's policy as a form, to be changed."""
    policy = session.get(SlaPolicy, world.policies["Drill"])
    names = list(PolicyForm.__dataclass_fields__)
    values = {name: getattr(policy, name) for name in names}
    return PolicyForm(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


@pytest.fixture
def office(session, world):
    row = session.get(BusinessCalendar, world.calendars["office"])
    return CalendarForm(row.name, row.timezone, tuple(map(tuple, row.intervals)), tuple(row.holidays))


def mine(moves, *tickets):
    wanted = [ticket.id for ticket in tickets]
    return [move for move in moves.tickets if move.id in wanted]


def tick(session, ticket, at):
    advance_clock(session, ticket.id, cycle=ticket.clock_cycle, now=at)


def test_the_preview_tells_old_and_new_due_times_and_changes_nothing(session, open_ticket, drill, world, mia, now):
    ticket, other = open_ticket(), open_ticket(category="general")
    shorter = replace(drill, first_response_seconds=10)
    moves = preview_policy(session, world.policies["Drill"], shorter, actor=mia, now=now + seconds(12))
    assert [(m.old_due_at, m.new_due_at, m.newly_breached) for m in mine(moves, ticket)] == [
        (now + seconds(20), now + seconds(10), True)
    ]
    assert mine(moves, other) == []
    assert moves.breached >= 1
    session.expire_all()
    assert (ticket.first_response_due_at, ticket.sla_state) == (now + seconds(20), "within")


def test_the_preview_equals_what_saving_does(session, open_ticket, drill, world, mia, now):
    tickets = [open_ticket() for _ in range(3)]
    reply_as_staff(session, tickets[1].id, message="On it.", actor=mia, now=now + seconds(5))
    changed = replace(drill, first_response_seconds=40, resolution_seconds=200, next_response_seconds=30)
    moves = preview_policy(session, world.policies["Drill"], changed, actor=mia, now=now + seconds(10))
    save_policy(session, world.policies["Drill"], form=changed, actor=mia, now=now + seconds(10))
    for move in mine(moves, *tickets):
        ticket = next(one for one in tickets if one.id == move.id)
        tick(session, ticket, now + seconds(10))
        assert getattr(ticket, f"{move.metric}_due_at") == move.new_due_at
    assert len(mine(moves, *tickets)) == 3


def test_open_tickets_that_stay_keep_their_promise_and_new_ones_get_the_new_one(
    session, open_ticket, drill, world, mia, now
):
    old = open_ticket()
    stricter = replace(drill, first_response_seconds=10)
    save_policy(session, world.policies["Drill"], form=stricter, actor=mia, now=now + seconds(5), open_tickets="stay")
    new = open_ticket(at=now + seconds(5))
    tick(session, old, now + seconds(12))
    assert (old.first_response_due_at, old.sla_state) == (now + seconds(20), "within")
    assert (new.first_response_due_at, new.sla_policy_version) == (now + seconds(15), None)
    told = session.scalars(
        select(OutboxEvent.kind).where(OutboxEvent.record_id == old.id, OutboxEvent.kind == "ticket.clock_changed")
    )
    assert list(told) == []
    tick(session, old, now + seconds(20))
    assert old.sla_state == "breached"
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.action == "sla_policy.saved").order_by(AuditEntry.seq.desc())
    ).first()
    assert entry.after["open_tickets"] == "stay"
    assert entry.after["stayed"] >= 1


def test_who_stays_follows_again_when_told_to_move(session, open_ticket, drill, world, mia, now):
    ticket, policy = open_ticket(), world.policies["Drill"]
    save_policy(
        session,
        policy,
        form=replace(drill, first_response_seconds=10),
        actor=mia,
        now=now,
        open_tickets="stay",
    )
    later = replace(drill, first_response_seconds=50)
    moves = preview_policy(session, policy, later, actor=mia, now=now)
    assert [(m.old_due_at, m.new_due_at) for m in mine(moves, ticket)] == [(now + seconds(20), now + seconds(50))]
    save_policy(session, policy, form=later, actor=mia, now=now, open_tickets="move")
    tick(session, ticket, now)
    assert (ticket.first_response_due_at, ticket.sla_policy_version) == (now + seconds(50), None)


@pytest.mark.parametrize("how", ["priority", "reopened"])
def test_another_kind_of_ticket_is_promised_anew(session, open_ticket, drill, world, mia, actor_of, now, how):
    ticket = open_ticket()
    save_policy(
        session,
        world.policies["Drill"],
        form=replace(drill, first_response_seconds=10),
        actor=mia,
        now=now,
        open_tickets="stay",
    )
    at = now + seconds(5)
    if how == "priority":
        update_ticket(session, ticket.id, changes=TicketChanges(priority=TicketPriority.URGENT), actor=mia, now=at)
        assert ticket.first_response_due_at == now + seconds(10)
    else:
        close_ticket(session, ticket.id, actor=actor_of("bob"), now=at)
        reopen_ticket(session, ticket.id, actor=actor_of("bob"), now=at)
        assert ticket.first_response_due_at == at + seconds(10)
    assert ticket.sla_policy_version is None


def test_a_new_policy_leaves_those_who_stay_where_they_were(session, open_ticket, drill, mia, now):
    ticket = open_ticket(category="general")
    due = ticket.first_response_due_at
    newer = replace(drill, name="For everything", match_categories=(), position=-1)
    save_policy(session, None, form=newer, actor=mia, now=now, open_tickets="stay")
    tick(session, ticket, now)
    assert ticket.first_response_due_at == due
    assert open_ticket(category="general").first_response_due_at == now + seconds(20)


def test_longer_hours_move_tickets_or_leave_them(session, open_ticket, office, world, mia, now):
    opened = now.replace(hour=15, minute=30)
    stays, calendar = open_ticket(category="general", at=opened), world.calendars["office"]
    due = stays.first_response_due_at
    longer = replace(office, intervals=tuple((day, 0, 1440) for day in range(7)))
    moves = preview_calendar(session, calendar, longer, actor=mia, now=opened)
    assert [(m.old_due_at, m.new_due_at) for m in mine(moves, stays)] == [(due, opened + timedelta(hours=4))]
    save_calendar(session, calendar, form=longer, actor=mia, now=opened, open_tickets="stay")
    tick(session, stays, opened)
    assert stays.first_response_due_at == due
    restore_calendar(session, calendar, 1, actor=mia, now=opened, open_tickets="move")
    assert tuple(map(tuple, session.get(BusinessCalendar, calendar).intervals)) == office.intervals
    assert [one.number for one in list_versions(session, "calendar", calendar, actor=mia)] == [3, 2, 1]


def test_versions_say_who_and_when_and_lead_back(session, drill, world, mia, now):
    policy = world.policies["Drill"]
    first = session.get(SlaPolicy, policy).version
    save_policy(session, policy, form=replace(drill, first_response_seconds=10), actor=mia, now=now)
    newest, before = list_versions(session, "sla_policy", policy, actor=mia)
    assert (newest.number, newest.saved_by_name, newest.saved_at) == (first + 1, mia.name, now)
    assert (newest.current, before.current, before.data["form"]["first_response_seconds"]) == (True, False, 20)
    restored = restore_policy(session, policy, first, actor=mia, now=now + seconds(1))
    assert (restored.first_response_seconds, restored.version) == (20, first + 2)
    assert session.scalars(select(ConfigVersion).where(ConfigVersion.record_id == policy)).all()[-1].data


def test_only_who_configures_may_look_ahead_or_go_back(session, drill, office, world, actor_of, mia, now):
    sam, policy = actor_of("sam"), world.policies["Drill"]
    with pytest.raises(Forbidden):
        preview_policy(session, policy, drill, actor=sam, now=now)
    with pytest.raises(Forbidden):
        preview_calendar(session, world.calendars["office"], office, actor=sam, now=now)
    with pytest.raises(Forbidden):
        restore_policy(session, policy, 1, actor=sam, now=now)
    with pytest.raises(Forbidden):
        list_versions(session, "sla_policy", policy, actor=actor_of("bob"))
    with pytest.raises(NotFound):
        restore_policy(session, policy, 99, actor=mia, now=now)
