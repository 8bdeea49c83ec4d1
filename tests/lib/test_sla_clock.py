"""The promise's clocks by example. Unless said otherwise: 09:00-17:00 UTC, Monday to Friday.

First answer in 4 h, resolution in 16 h, warning 1 h before, ladders at the due time and 2 h after.
Tickets begin on Monday 2026-06-01 at 09:00: first answer due at 13:00, resolution on Tuesday at 17:00.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.lib.sla_clock import (
    ClockInput,
    InvalidPolicy,
    Level,
    Metric,
    Pause,
    Policy,
    Reading,
    Step,
    explain,
    read,
)
from portal.lib.working_time import ALWAYS, WeeklyInterval, WorkingCalendar

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
OFFICE = WorkingCalendar("UTC", tuple(WeeklyInterval(day, 540, 1020) for day in range(5)))
FIRST, RESOLUTION = Metric.FIRST_RESPONSE, Metric.RESOLUTION
POLICY = Policy(
    first_response=4 * HOUR,
    resolution=16 * HOUR,
    warn_before=HOUR,
    calendar=OFFICE,
    levels=(
        Level(FIRST, 1, timedelta(), "manager", "manager"),
        Level(FIRST, 2, 2 * HOUR, "tenant_admin"),
        Level(RESOLUTION, 1, timedelta(), "manager"),
    ),
    auto_close_after=timedelta(days=7),
)
LADDER = [
    ("first_response:warn", "01T12:00"),
    ("first_response:level:1", "01T13:00"),
    ("first_response:level:2", "01T15:00"),
    ("resolution:warn", "02T16:00"),
    ("resolution:level:1", "02T17:00"),
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-06-{text}").replace(tzinfo=UTC)


START = at("01T09:00")
TICKET = ClockInput(START)


def pause(begins: str, ends: str | None = None) -> Pause:
    return Pause(at(begins), at(ends) if ends else None, "waiting_customer")


def keys(steps: tuple[Step, ...]) -> list[str]:
    return [step.key for step in steps]


def times(reading: Reading) -> list[tuple[str, datetime]]:
    return [(step.key, step.at) for step in reading.steps]


def test_a_fresh_ticket_shows_everything_that_lies_ahead() -> None:
    reading = read(POLICY, TICKET, START)
    assert reading.first_response_due_at == at("01T13:00")
    assert reading.resolution_due_at == at("02T17:00")
    assert (reading.state, reading.paused_reason) == ("within", None)
    assert times(reading) == [(key, at(when)) for key, when in LADDER]
    assert reading.due == ()
    assert reading.next_step == reading.steps[0]
    assert (reading.metric, reading.elapsed, reading.target) == (FIRST, timedelta(), 4 * HOUR)
    assert reading.remaining == 4 * HOUR
    assert not any(reading.breached.values())
    assert reading.next_wake_at == at("01T12:00")


def test_kinds_and_levels_of_the_steps() -> None:
    kinds = [(step.kind, step.metric, step.level) for step in read(POLICY, TICKET, START).steps]
    assert kinds == [
        ("sla_first_response_warning", FIRST, None),
        ("sla_first_response", FIRST, POLICY.levels[0]),
        ("sla_first_response", FIRST, POLICY.levels[1]),
        ("sla_resolution_warning", RESOLUTION, None),
        ("sla_resolution", RESOLUTION, POLICY.levels[2]),
    ]


@pytest.mark.parametrize(
    ("now", "state", "due"),
    [
        ("01T11:59:59.999999", "within", 0),
        ("01T12:00", "near", 1),  # an hour left: the last quarter and the warning alike
        ("01T12:59:59.999999", "near", 1),
        ("01T13:00", "breached", 2),  # open at its due time: the ladder starts there
        ("01T15:00", "breached", 3),
    ],
)
def test_state_over_time(now: str, state: str, due: int) -> None:
    reading = read(POLICY, TICKET, at(now))
    assert (reading.state, len(reading.due)) == (state, due)
    assert reading.first_response_breached == (state == "breached")


@pytest.mark.parametrize(
    ("warn_before", "near_from"),
    [(None, "01T12:00"), (30 * MINUTE, "01T12:00"), (2 * HOUR, "01T11:00"), (4 * HOUR, "01T12:00")],
)
def test_near_is_the_last_quarter_or_the_warning_time(warn_before: timedelta | None, near_from: str) -> None:
    policy = replace(POLICY, warn_before=warn_before, resolution=None)
    assert read(policy, TICKET, at(near_from) - SECOND).state == "within"
    assert read(policy, TICKET, at(near_from)).state == "near"
    assert read(policy, TICKET, START).next_wake_at == at(near_from)


def test_a_warning_as_long_as_the_target_is_none() -> None:
    for warn_before in (4 * HOUR, 5 * HOUR, timedelta(), None):
        steps = read(replace(POLICY, warn_before=warn_before, resolution=None), TICKET, START).steps
        assert keys(steps) == ["first_response:level:1", "first_response:level:2"]


def test_after_downtime_everything_overdue_is_due_in_order() -> None:
    reading = read(POLICY, TICKET, at("03T09:00"))
    assert keys(reading.due) == [key for key, _ in LADDER]
    assert reading.next_wake_at == at("03T09:00")
    assert reading.remaining == -12 * HOUR  # sixteen hours worked on a target of four
    assert (reading.first_response_breached, reading.resolution_breached) == (True, True)


def test_what_has_fired_does_not_come_back() -> None:
    clock = replace(TICKET, fired=frozenset({"first_response:warn", "first_response:level:1"}))
    reading = read(POLICY, clock, at("01T13:00"))
    assert reading.due == ()
    assert reading.next_step is not None
    assert (reading.next_step.key, reading.next_step.at) == ("first_response:level:2", at("01T15:00"))
    assert reading.next_wake_at == at("01T15:00")


@pytest.mark.parametrize(("answered", "kept"), [("01T10:00", True), ("01T13:00", True), ("01T13:00:00.000001", False)])
def test_an_answer_ends_the_first_clock(answered: str, kept: bool) -> None:
    clock = replace(TICKET, first_responded_at=at(answered))
    reading = read(POLICY, clock, at("01T16:00"))
    assert reading.first_response_breached is not kept
    assert reading.first_response_due_at == at("01T13:00")  # the promise as it stood
    assert keys(reading.steps) == ["resolution:warn", "resolution:level:1"]  # unfired rungs are dropped
    assert (reading.state, reading.metric) == ("within", RESOLUTION)  # the state is that of the open clock


@pytest.mark.parametrize(
    ("answered", "resolved", "state"),
    [
        ("01T10:00", "02T17:00", "met"),
        ("01T14:00", "02T10:00", "breached"),
        ("01T10:00", "03T09:30", "breached"),
        (None, "01T12:00", "met"),  # resolving answers too
        (None, "01T14:00", "breached"),
        ("02T10:00", "01T12:00", "met"),  # a word after the solution does not make it late
    ],
)
def test_a_resolved_ticket_was_met_or_breached(answered: str | None, resolved: str, state: str) -> None:
    clock = replace(TICKET, first_responded_at=at(answered) if answered else None, resolved_at=at(resolved))
    reading = read(POLICY, clock, at("05T12:00"))
    assert reading.state == state
    assert (reading.metric, reading.elapsed, reading.remaining) == (None, None, None)
    assert keys(reading.steps) == ["auto_close"]


def test_late_at_night_counts_as_late_though_no_working_time_passed() -> None:
    policy = replace(POLICY, first_response=8 * HOUR)  # due at 17:00, when the office closes
    reading = read(policy, replace(TICKET, first_responded_at=at("01T20:00")), at("01T21:00"))
    assert reading.first_response_breached
    assert read(policy, TICKET, at("01T20:00")).remaining == timedelta()


def test_auto_close_is_plain_time_after_resolving() -> None:
    clock = ClockInput(START, at("01T10:00"), at("02T10:00"), pauses=(pause("02T11:00"),))
    reading = read(POLICY, clock, at("03T10:00"))
    assert times(reading) == [("auto_close", at("09T10:00"))]
    assert (reading.steps[0].kind, reading.steps[0].metric, reading.state) == ("auto_close", None, "met")
    assert reading.next_wake_at == at("09T10:00")
    assert keys(read(POLICY, clock, at("09T10:00")).due) == ["auto_close"]
    assert read(POLICY, replace(clock, fired=frozenset({"auto_close"})), at("10T10:00")).steps == ()
    assert read(replace(POLICY, auto_close_after=None), clock, at("10T10:00")).steps == ()


def test_a_terminal_ticket_has_no_steps() -> None:
    closed = replace(TICKET, first_responded_at=at("01T10:00"), resolved_at=at("02T10:00"), terminal=True)
    assert read(POLICY, closed, at("20T10:00")).steps == ()
    assert read(POLICY, closed, at("20T10:00")).state == "met"


def test_a_cancelled_ticket_has_no_open_promise() -> None:
    cancelled = replace(TICKET, terminal=True)
    reading = read(POLICY, cancelled, at("20T10:00"))
    assert (reading.steps, reading.state, reading.first_response_due_at) == ((), "met", None)
    escalated = replace(cancelled, fired=frozenset({"first_response:warn", "first_response:level:1"}))
    reading = read(POLICY, escalated, at("20T10:00"))
    assert (reading.first_response_breached, reading.resolution_breached) == (True, False)
    assert reading.state == "breached"


def test_reopening_starts_a_cycle() -> None:
    reopened = ClockInput(
        at("08T09:00"),
        first_responded_at=at("01T10:00"),
        resolved_at=at("02T10:00"),
        pauses=(pause("01T10:00", "01T12:00"), pause("05T09:00", "08T10:00")),
    )
    reading = read(POLICY, reopened, at("08T10:00"))
    assert reading.first_response_due_at is None  # answered before; nothing new was promised
    assert reading.resolution_due_at == at("10T10:00")  # the hour of the pause that reaches in
    assert keys(reading.steps) == ["resolution:warn", "resolution:level:1"]
    anew = read(POLICY, replace(reopened, first_responded_at=None), at("08T10:00"))
    assert anew.first_response_due_at == at("08T14:00")


def test_metrics_without_a_target_do_not_exist() -> None:
    bare = replace(POLICY, first_response=None, resolution=None)
    reading = read(bare, TICKET, at("20T10:00"))
    assert (reading.state, reading.steps, reading.metric) == ("within", (), None)
    assert read(bare, replace(TICKET, pauses=(pause("01T10:00"),)), at("20T10:00")).paused_reason is None
    resolved = read(bare, replace(TICKET, resolved_at=at("02T10:00")), at("02T10:00"))
    assert (resolved.state, keys(resolved.steps)) == ("met", ["auto_close"])
    only_resolution = read(replace(POLICY, first_response=None), TICKET, START)
    assert (only_resolution.first_response_due_at, only_resolution.metric) == (None, RESOLUTION)


def test_the_clock_shown_is_the_one_with_the_least_time_left() -> None:
    policy = replace(POLICY, resolution=2 * HOUR)
    reading = read(policy, TICKET, at("01T10:00"))
    assert (reading.metric, reading.remaining) == (RESOLUTION, HOUR)


def test_a_calendar_without_hours_makes_no_promise() -> None:
    closed = replace(POLICY, calendar=WorkingCalendar("UTC", ()))
    reading = read(closed, TICKET, at("20T10:00"))
    assert (reading.first_response_due_at, reading.steps, reading.state) == (None, (), "within")


def test_the_drill_is_on_time_to_the_second() -> None:
    drill = Policy(20 * SECOND, 90 * SECOND, 5 * SECOND, ALWAYS, (Level(FIRST, 1, timedelta(), "manager", "manager"),))
    begun = datetime(2026, 11, 21, 16, 40, 0, 250_000, tzinfo=UTC)
    reading = read(drill, ClockInput(begun), begun)
    assert reading.first_response_due_at == begun + 20 * SECOND
    assert times(reading)[:2] == [
        ("first_response:warn", begun + 15 * SECOND),
        ("first_response:level:1", begun + 20 * SECOND),
    ]


def test_instants_come_out_in_utc() -> None:
    paris = ZoneInfo("Europe/Paris")
    clock = ClockInput(
        START.astimezone(paris), resolved_at=at("01T10:00").astimezone(paris), pauses=(pause("01T09:30", "01T09:45"),)
    )
    reading = read(POLICY, clock, at("01T12:00").astimezone(paris))
    assert reading.steps[0].at.tzinfo is UTC
    assert all(segment.started_at.tzinfo is UTC for segment in explain(POLICY, clock, at("01T12:00")))


def test_a_clock_read_before_it_starts() -> None:
    friday = START - 66 * HOUR  # 15:00, in office hours
    reading = read(POLICY, TICKET, friday)
    assert (reading.state, reading.elapsed, reading.first_response_due_at) == ("within", timedelta(), at("01T13:00"))
    assert explain(POLICY, TICKET, friday) == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"first_response": timedelta()}, "target_not_positive"),
        ({"resolution": -HOUR}, "target_not_positive"),
        ({"warn_before": -HOUR}, "duration_negative"),
        ({"auto_close_after": -HOUR}, "duration_negative"),
        ({"levels": (Level(FIRST, 1, -HOUR, "manager"),)}, "duration_negative"),
        ({"levels": (Level(FIRST, 0, HOUR, "manager"),)}, "level_position_invalid"),
        ({"levels": (Level(FIRST, 1, HOUR, "manager"), Level(FIRST, 1, HOUR, "agent"))}, "level_repeated"),
    ],
)
def test_impossible_policies_are_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(InvalidPolicy, match=code) as refusal:
        replace(POLICY, **change)  # type: ignore[arg-type]
    assert refusal.value.code == code
