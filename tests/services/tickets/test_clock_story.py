"""The replay of a clock from its timeline: by example, and equal to what is stored on random histories."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import update

from portal.errors import Conflict, Forbidden, NotFound
from portal.lib.sla_clock import Metric
from portal.models import BusinessCalendar, SlaPolicy, TicketPriority, TicketStatus
from portal.services.tickets.clock import clock_input
from portal.services.tickets.clock_story import replay_clock
from portal.services.tickets.conversation import reply_as_customer, reply_as_staff
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.escalation import advance_clock
from portal.services.tickets.lifecycle import cancel_ticket, close_ticket, reopen_ticket


@pytest.fixture
def _rounds(session):
    """Every policy promises rounds, too."""
    session.execute(update(SlaPolicy).values(next_response_seconds=7_200, update_seconds=14_400))
    session.expire_all()


def told(story):
    return [(moment.kind, moment.at, moment.worked) for moment in story.moments]


def test_a_breach_is_told_from_start_to_end(session, open_ticket, actor_of, now):
    ticket, sam = open_ticket(), actor_of("sam")
    at = [now + timedelta(seconds=seconds) for seconds in range(201)]
    update_ticket(
        session, ticket.id, changes=TicketChanges(status=TicketStatus.WAITING_CUSTOMER), actor=sam, now=at[10]
    )
    reply_as_customer(session, ticket.id, message="Here.", actor=actor_of("bob"), now=at[110])
    advance_clock(session, ticket.id, cycle=1, now=at[120])
    reply_as_staff(session, ticket.id, message="Sorry.", actor=sam, now=at[130])
    found = replay_clock(session, ticket.id, actor=sam, now=at[140])
    first, solution = found.stories
    seconds = [timedelta(seconds=count) for count in range(101)]
    assert found.agrees
    assert told(first) == [
        ("started", at[0], seconds[0]),
        ("paused", at[10], seconds[10]),
        ("resumed", at[110], seconds[10]),
        ("due", at[120], seconds[20]),
        ("breached", at[120], seconds[20]),
        ("late", at[130], seconds[30]),
    ]
    assert (first.due_at, first.breached, first.worked) == (ticket.first_response_due_at, True, seconds[30])
    assert (solution.metric, solution.ended_at, solution.worked) == (Metric.RESOLUTION, None, seconds[40])
    assert {line.kind for line in found.escalations} == {"sla_warned", "escalated"}


def test_nights_and_holidays_are_told(session, open_ticket, actor_of, now, world):
    """The office's Monday after the ticket's Friday is a holiday."""
    calendar = session.get(BusinessCalendar, world.calendars["office"])
    friday = (now - timedelta(days=now.weekday()) + timedelta(days=4)).replace(hour=15, minute=0)
    monday = (friday + timedelta(days=3)).date()
    calendar.holidays = [monday.isoformat()]
    session.flush()
    ticket = open_ticket(category="general", at=friday)
    found = replay_clock(session, ticket.id, actor=actor_of("sam"), now=friday + timedelta(days=5))
    first = next(story for story in found.stories if story.metric is Metric.FIRST_RESPONSE)
    assert [moment.day for moment in first.moments if moment.kind == "holiday"] == [monday]
    assert first.due_at == ticket.first_response_due_at
    assert next(moment.worked for moment in first.moments if moment.kind == "breached") == first.target


@pytest.mark.usefixtures("_rounds")
def test_a_round_that_is_over_keeps_its_story(session, open_ticket, actor_of, now):
    ticket, sam, bob = open_ticket(), actor_of("sam"), actor_of("bob")
    hour = timedelta(hours=1)
    reply_as_staff(session, ticket.id, message="Hello.", actor=sam, now=now + timedelta(seconds=10))
    reply_as_customer(session, ticket.id, message="And?", actor=bob, now=now + hour)
    reply_as_staff(session, ticket.id, message="So.", actor=sam, now=now + 4 * hour)
    found = replay_clock(session, ticket.id, actor=sam, now=now + 5 * hour)
    late = [story for story in found.stories if story.metric is Metric.NEXT_RESPONSE]
    assert [(one.started_at, one.due_at, one.ended_at, one.breached) for one in late] == [
        (now + hour, now + 3 * hour, now + 4 * hour, True)
    ]
    assert ticket.rounds_missed == sum(story.breached for story in found.stories if story.metric in ("next_response",))


def test_a_ticket_whose_past_has_no_lines_says_so(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    ticket.first_response_at = now + timedelta(seconds=5)
    session.flush()
    found = replay_clock(session, ticket.id, actor=actor_of("sam"), now=now + timedelta(seconds=30))
    assert not found.agrees
    assert found.stories[0].ended_at == now + timedelta(seconds=5)


def test_outsiders_see_no_clock(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    with pytest.raises(Forbidden):
        replay_clock(session, ticket.id, actor=actor_of("bob"), now=now)
    with pytest.raises(NotFound):
        replay_clock(session, actor_of("sam").user_id, actor=actor_of("sam"), now=now)


def _act(chance, session, ticket, actor_of, at):
    """One random thing that happens to a ticket; what is not allowed just does not happen."""
    staff, bob = actor_of("sam"), actor_of("bob")
    changes = TicketChanges(
        status=chance.choice([None, *TicketStatus]),
        priority=chance.choice([None, *TicketPriority]),
        category=chance.choice([None, None, "drill", "general"]),
    )
    act = chance.choice(
        [
            lambda: reply_as_customer(session, ticket.id, message="Hm?", actor=bob, now=at),
            lambda: reply_as_staff(session, ticket.id, message="Yes.", actor=staff, now=at),
            lambda: reply_as_staff(
                session, ticket.id, message="So?", status=TicketStatus.WAITING_CUSTOMER, actor=staff, now=at
            ),
            lambda: reply_as_staff(
                session, ticket.id, message="Done.", status=TicketStatus.RESOLVED, actor=staff, now=at
            ),
            lambda: update_ticket(session, ticket.id, changes=changes, actor=staff, now=at),
            lambda: advance_clock(session, ticket.id, cycle=ticket.clock_cycle, now=at),
            lambda: close_ticket(session, ticket.id, actor=bob, now=at),
            lambda: reopen_ticket(session, ticket.id, actor=bob, now=at),
            lambda: (
                cancel_ticket(session, ticket.id, reason="Off.", actor=bob, now=at) if chance.random() < 0.1 else None
            ),
        ]
    )
    try:
        act()
    except Conflict:
        return


@pytest.mark.usefixtures("_rounds")
@pytest.mark.parametrize("seed", range(25))
def test_the_replay_equals_what_is_stored(session, open_ticket, actor_of, now, seed):
    chance = random.Random(seed)
    ticket = open_ticket(category=chance.choice(["drill", "general"]))
    at = now
    for _ in range(14):
        at += timedelta(seconds=chance.choice([7, 40, 900, 5_000, 30_000, 200_000, 4_000_000]), microseconds=17)
        _act(chance, session, ticket, actor_of, at)
    session.flush()
    session.expire_all()
    at += timedelta(seconds=60)
    found = replay_clock(session, ticket.id, actor=actor_of("sam"), now=at)
    assert found.agrees
    if ticket.status is TicketStatus.CANCELLED:
        return
    stored = {
        Metric.FIRST_RESPONSE: ticket.first_response_due_at,
        Metric.RESOLUTION: ticket.resolution_due_at,
        Metric.NEXT_RESPONSE: ticket.next_response_due_at,
        Metric.UPDATE: ticket.update_due_at,
    }
    newest = {story.metric: story for story in found.stories}
    for metric, due_at in stored.items():
        if due_at is not None:
            assert newest[metric].due_at == due_at
            assert newest[metric].moments[0].at == newest[metric].started_at
    missed = [story for story in found.stories if story.metric in ("next_response", "update") and story.ended_at]
    assert sum(story.breached for story in missed) == ticket.rounds_missed == clock_input(ticket).rounds_missed
