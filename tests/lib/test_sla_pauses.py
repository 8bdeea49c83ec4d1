"""Pauses of the promise's clocks, and the replay that explains them, by example.

The office is open 09:00-17:00 UTC, Monday to Friday; first answer in 4 h, resolution in 16 h. Tickets
begin on Monday 2026-06-01 at 09:00: first answer due at 13:00, resolution on Tuesday at 17:00.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from portal.lib.sla_clock import ClockInput, Level, Metric, Pause, Policy, Reading, Step, explain, read
from portal.lib.working_time import WeeklyInterval, WorkingCalendar

HOUR = timedelta(hours=1)
OFFICE = WorkingCalendar("UTC", tuple(WeeklyInterval(day, 540, 1020) for day in range(5)))
FIRST, RESOLUTION = Metric.FIRST_RESPONSE, Metric.RESOLUTION
LADDER = (
    Level(FIRST, 1, timedelta(), "manager", "manager"),
    Level(FIRST, 2, 2 * HOUR, "tenant_admin"),
    Level(RESOLUTION, 1, timedelta(), "manager"),
)
POLICY = Policy(4 * HOUR, 16 * HOUR, HOUR, OFFICE, LADDER)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-06-{text}").replace(tzinfo=UTC)


START = at("01T09:00")
TICKET = ClockInput(START)


def pause(begins: str, ends: str | None = None, reason: str = "waiting_customer") -> Pause:
    return Pause(at(begins), at(ends) if ends else None, reason)


def paused(
    *pauses: Pause, first_responded_at: datetime | None = None, resolved_at: datetime | None = None
) -> ClockInput:
    return ClockInput(START, first_responded_at, resolved_at, pauses=pauses)


def keys(steps: tuple[Step, ...]) -> list[str]:
    return [step.key for step in steps]


def times(reading: Reading) -> list[tuple[str, datetime]]:
    return [(step.key, step.at) for step in reading.steps]


def test_a_pause_stops_everything_and_hides_the_due_times() -> None:
    reading = read(POLICY, paused(pause("01T10:00")), at("01T16:00"))
    assert (reading.state, reading.paused_reason) == ("paused", "waiting_customer")
    assert (reading.first_response_due_at, reading.resolution_due_at) == (None, None)
    assert (reading.steps, reading.due, reading.next_step, reading.next_wake_at) == ((), (), None, None)
    assert (reading.metric, reading.elapsed, reading.remaining) == (FIRST, HOUR, 3 * HOUR)


def test_after_a_pause_everything_moves_by_the_working_time_it_took() -> None:
    clock = paused(pause("01T10:00", "02T10:00"))  # eight working hours
    moved = [
        ("first_response:warn", "02T12:00"),
        ("first_response:level:1", "02T13:00"),
        ("first_response:level:2", "02T15:00"),
        ("resolution:warn", "03T16:00"),
        ("resolution:level:1", "03T17:00"),
    ]
    assert times(read(POLICY, clock, at("02T10:00"))) == [(key, at(when)) for key, when in moved]


@pytest.mark.parametrize(
    ("pauses", "due"),
    [
        ([pause("01T17:30", "02T08:30")], "01T13:00"),  # inside closed hours
        ([pause("01T10:00", "01T12:00"), pause("01T11:00", "01T11:30")], "01T15:00"),  # nested
        ([pause("01T10:00", "01T11:00"), pause("01T11:00", "01T12:00")], "01T15:00"),  # adjacent
        ([pause("01T13:00", "01T14:00")], "01T13:00"),  # begins exactly when due
        ([pause("01T12:59:59", "01T14:00")], "01T14:00:01"),
        ([pause("01T08:00", "01T10:00")], "01T14:00"),  # begun in an earlier cycle
        ([pause("01T11:00", "01T11:00")], "01T13:00"),  # empty
        ([pause("02T16:00", "03T16:00")], "01T13:00"),  # not yet known
    ],
)
def test_pauses_move_the_due_time(pauses: list[Pause], due: str) -> None:
    reading = read(POLICY, paused(*pauses), at("02T12:00"))
    assert reading.first_response_due_at == at(due)


def test_a_pause_beginning_exactly_when_due_comes_too_late() -> None:
    reading = read(POLICY, paused(pause("01T13:00")), at("01T13:00"))
    assert (reading.state, reading.paused_reason) == ("breached", "waiting_customer")
    assert (reading.first_response_due_at, reading.resolution_due_at) == (at("01T13:00"), None)
    just_before = read(POLICY, paused(pause("01T12:59:59.999999")), at("01T13:00"))
    assert (just_before.state, just_before.first_response_due_at) == ("paused", None)
    assert just_before.remaining == timedelta(microseconds=1)


def test_a_pause_after_the_due_time_stops_the_ladder_until_it_ends() -> None:
    fired = frozenset({"first_response:warn"})
    waiting = replace(paused(pause("01T14:00")), fired=fired)
    reading = read(POLICY, waiting, at("01T16:00"))
    assert (reading.state, reading.paused_reason, reading.steps) == ("breached", "waiting_customer", ())
    resumed = replace(paused(pause("01T14:00", "01T16:00")), fired=fired)
    reading = read(POLICY, resumed, at("01T16:00"))
    assert keys(reading.due) == ["first_response:level:1"]  # left over from before the pause
    assert times(reading)[1] == ("first_response:level:2", at("01T17:00"))


def test_a_pause_with_a_known_end_wakes_the_clock_there() -> None:
    reading = read(POLICY, paused(pause("01T10:00", "01T11:00", "on_hold")), at("01T10:30"))
    assert (reading.state, reading.paused_reason, reading.next_wake_at) == ("paused", "on_hold", at("01T11:00"))


def test_of_several_pauses_the_last_begun_gives_the_reason() -> None:
    clock = paused(pause("01T10:00"), pause("01T10:30", reason="awaiting_payment"))
    assert read(POLICY, clock, at("01T12:00")).paused_reason == "awaiting_payment"


def test_an_answer_during_a_pause_keeps_the_promise() -> None:
    clock = paused(pause("01T12:00"), first_responded_at=at("01T16:00"))
    reading = read(POLICY, clock, at("01T16:30"))
    assert not reading.first_response_breached
    assert (reading.state, reading.metric) == ("paused", RESOLUTION)
    ended = paused(pause("01T12:00", "02T12:00"), first_responded_at=at("01T16:00"))
    assert read(POLICY, ended, at("03T09:00")).first_response_due_at == at("01T17:00")  # as if resumed by the answer


def test_a_pause_after_the_answer_does_not_move_the_old_promise() -> None:
    clock = paused(pause("01T10:00", "01T12:00"), first_responded_at=at("01T10:00"))
    reading = read(POLICY, clock, at("01T14:00"))
    assert reading.first_response_due_at == at("01T13:00")
    assert reading.resolution_due_at == at("03T11:00")


def test_the_replay_tells_every_stretch() -> None:
    clock = paused(pause("01T11:00", "01T12:00"), pause("01T16:00", "02T10:00", "on_hold"), resolved_at=at("02T11:00"))
    told = [(s.kind, s.started_at, s.worked, s.total, s.reason) for s in explain(POLICY, clock, at("05T00:00"))]
    assert told == [
        ("running", at("01T09:00"), 2 * HOUR, 2 * HOUR, None),
        ("paused", at("01T11:00"), 0 * HOUR, 2 * HOUR, "waiting_customer"),
        ("running", at("01T12:00"), 4 * HOUR, 6 * HOUR, None),
        ("paused", at("01T16:00"), 0 * HOUR, 6 * HOUR, "on_hold"),  # over closing time, as one stretch
        ("running", at("02T10:00"), HOUR, 7 * HOUR, None),
    ]


def test_the_replay_has_no_gaps_and_shows_closed_hours() -> None:
    segments = explain(POLICY, TICKET, at("03T08:00"))
    assert [segment.kind for segment in segments] == ["running", "closed", "running", "closed"]
    assert all(one.ended_at == other.started_at for one, other in pairwise(segments))
    assert (segments[0].started_at, segments[-1].ended_at) == (START, at("03T08:00"))
