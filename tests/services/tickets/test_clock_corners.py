"""Corners of the clock, right to the second: moved calendars, long closed tickets, pauses at the end, holidays, DST."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from portal.models import BusinessCalendar, SlaPolicy, TicketStatus
from portal.services.tickets.clock_story import replay_clock
from portal.services.tickets.conversation import reply_as_customer, reply_as_staff
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.escalation import advance_clock
from portal.services.tickets.lifecycle import close_ticket, reopen_ticket

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NIGHTS = [[day, start, end] for day in range(7) for start, end in ((60, 300),)]  # 01:00-05:00


@pytest.fixture
def office(session, world):
    """Standard: first answer in 4 h, solution in 27 h of the office in Paris; to be changed at will."""
    policy = session.get(SlaPolicy, world.policies["Standard"])
    calendar = session.get(BusinessCalendar, world.calendars["office"])
    policy.first_response_seconds, policy.resolution_seconds = 14_400, 97_200
    session.flush()

    def change(**fields):
        for name, value in fields.items():
            setattr(calendar if hasattr(BusinessCalendar, name) else policy, name, value)
        session.flush()

    return change


def paris(text):
    """An instant given by the clock on the wall in winter (+01:00) or with its offset."""
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_ticket_that_moves_to_another_calendar_counts_by_it_from_its_start(session, open_ticket, actor_of, office):
    """The drill runs around the clock and wants 20 s and 90 s, counted from the start of the ticket."""
    office(intervals=[[day, 540, 1020] for day in range(5)])
    opened = paris("2026-12-01T16:30:20+01:00")
    ticket, sam = open_ticket(category="general", at=opened), actor_of("sam")
    assert ticket.first_response_due_at == paris("2026-12-02T12:30:20+01:00")  # half an hour, the night, the rest
    to_drill = TicketChanges(category="drill")
    update_ticket(session, ticket.id, changes=to_drill, actor=sam, now=opened + 10 * SECOND)
    assert (ticket.first_response_due_at, ticket.resolution_due_at) == (opened + 20 * SECOND, opened + 90 * SECOND)
    back = TicketChanges(category="general")
    update_ticket(session, ticket.id, changes=back, actor=sam, now=paris("2026-12-01T23:00:00+01:00"))
    assert ticket.first_response_due_at == paris("2026-12-02T12:30:20+01:00")
    assert replay_clock(session, ticket.id, actor=sam, now=opened + 10 * HOUR).agrees


def test_a_move_while_paused_keeps_the_pause(session, open_ticket, actor_of, now):
    ticket, sam = open_ticket(category="general"), actor_of("sam")
    waiting = TicketChanges(status=TicketStatus.WAITING_CUSTOMER)
    update_ticket(session, ticket.id, changes=waiting, actor=sam, now=now + 5 * SECOND)
    update_ticket(session, ticket.id, changes=TicketChanges(category="drill"), actor=sam, now=now + 50 * SECOND)
    assert ticket.first_response_due_at is None
    reply_as_customer(session, ticket.id, message="Here.", actor=actor_of("bob"), now=now + 1_000 * SECOND)
    assert ticket.first_response_due_at == now + 1_015 * SECOND


@pytest.fixture
def long_open_to_reopening(session):
    """A tenant whose closed tickets can be reopened for ten years."""
    session.execute(text('UPDATE tenants SET settings = settings || \'{"tickets": {"reopen_days": 3650}}\''))


def test_reopened_after_months_it_promises_anew_over_the_change_of_the_clocks(
    session, long_open_to_reopening, open_ticket, actor_of, office, now
):
    office(intervals=[[day, 540, 1020] for day in range(5)])
    ticket, bob = open_ticket(category="general"), actor_of("bob")
    close_ticket(session, ticket.id, actor=bob, now=now + HOUR)
    friday = paris("2027-03-26T16:00:00+01:00")  # the clocks leap on Sunday
    reopen_ticket(session, ticket.id, actor=bob, now=friday)
    assert ticket.first_response_due_at == paris("2027-03-29T12:00:00+02:00")
    assert (ticket.clock_cycle, ticket.clock_pauses, ticket.rounds_missed) == (2, [], 0)
    assert replay_clock(session, ticket.id, actor=actor_of("sam"), now=friday + HOUR).agrees


def test_closed_while_paused_the_pause_ends_there_and_nothing_was_missed(session, open_ticket, actor_of, now):
    ticket, sam = open_ticket(), actor_of("sam")
    reply_as_staff(
        session, ticket.id, message="Which?", status=TicketStatus.WAITING_CUSTOMER, actor=sam, now=now + 10 * SECOND
    )
    closed = now + 5_000 * SECOND
    close_ticket(session, ticket.id, actor=actor_of("bob"), now=closed)
    assert [pause[1] for pause in ticket.clock_pauses] == [closed.isoformat()]
    assert (ticket.sla_state, ticket.sla_due_at) == ("met", None)
    assert ticket.resolution_due_at == closed + 80 * SECOND  # 10 of 90 seconds were used
    assert advance_clock(session, ticket.id, cycle=1, now=closed + 9_000 * SECOND).done
    assert ticket.sla_state == "met"


def test_opened_on_a_holiday_the_clock_starts_on_the_next_working_day(session, open_ticket, office):
    office(intervals=[[day, 540, 1020] for day in range(5)], holidays=["2026-12-25"])
    ticket = open_ticket(category="general", at=paris("2026-12-25T10:00:00+01:00"))
    assert ticket.first_response_due_at == paris("2026-12-28T13:00:00+01:00")


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        # The night of the leap has three working hours, 01:00-02:00 and 03:00-05:00.
        ("2027-03-28T01:59:59+01:00", "2027-03-29T02:59:59+02:00"),
        ("2027-03-28T03:00:00+02:00", "2027-03-29T03:00:00+02:00"),
        # 02:30 does not exist there; one second after 01:59:59 it is 03:00:00.
        ("2027-03-28T02:00:00+01:00", "2027-03-29T03:00:00+02:00"),
        # The night that shows 02:00-03:00 twice has five.
        ("2026-10-25T01:30:00+02:00", "2026-10-25T04:30:00+01:00"),
        ("2026-10-25T02:30:00+02:00", "2026-10-26T01:30:00+01:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-26T02:30:00+01:00"),
    ],
)
def test_opened_in_the_hour_that_is_skipped_or_doubled(session, open_ticket, actor_of, office, opened, due):
    office(intervals=NIGHTS)
    at = paris(opened)
    ticket = open_ticket(category="general", at=at)
    expected = paris(due)
    assert ticket.first_response_due_at == expected
    advance_clock(session, ticket.id, cycle=1, now=expected - timedelta(microseconds=1))
    assert ticket.sla_state != "breached"
    advance_clock(session, ticket.id, cycle=1, now=expected)
    assert ticket.sla_state == "breached"


def test_a_policy_without_hours_promises_nothing_and_never_fires(session, open_ticket, actor_of, office, now):
    office(intervals=[])
    ticket = open_ticket(category="general")
    assert (ticket.first_response_due_at, ticket.resolution_due_at, ticket.sla_due_at) == (None, None, None)
    wake = advance_clock(session, ticket.id, cycle=1, now=now + 9_000 * HOUR)
    assert (wake.at, wake.done, ticket.sla_state) == (None, False, "within")


def test_several_ladders_climb_beside_each_other(session, open_ticket, actor_of, world, now):
    policy = session.get(SlaPolicy, world.policies["Drill"])
    policy.first_response_seconds, policy.resolution_seconds = 20, 25
    policy.next_response_seconds, policy.update_seconds = 10, 15
    policy.warn_before_seconds = None
    policy.levels = [
        {"metric": metric, "after_seconds": after, "notify_role": role, "assign_role": None}
        for metric in ("first_response", "resolution", "next_response", "update")
        for after, role in ((0, "manager"), (5, "tenant_admin"))
    ]
    session.flush()
    ticket = open_ticket()
    reply_as_staff(session, ticket.id, message="Hello.", actor=actor_of("sam"), now=now + 2 * SECOND)
    reply_as_customer(session, ticket.id, message="And?", actor=actor_of("bob"), now=now + 4 * SECOND)
    fired = []
    at = now + 4 * SECOND
    while (wake := advance_clock(session, ticket.id, cycle=1, now=at)).at is not None:
        at = wake.at
        advance_clock(session, ticket.id, cycle=1, now=at)
        fired += [((at - now).seconds, key) for key in ticket.clock_fired if key not in {key for _, key in fired}]
    assert [entry for entry in fired if ":level:" in entry[1]] == [
        (14, "next_response:level:1"),
        (17, "update:level:1"),
        (19, "next_response:level:2"),
        (22, "update:level:2"),
        (25, "resolution:level:1"),
        (30, "resolution:level:2"),
    ]
    assert ticket.escalation_level == 2
