"""Random cases against a minute-by-minute oracle and against exact laws: no difference allowed.

2,500 in each run; `PORTAL_ORACLE_CASES=2000` makes them 10,000.

The oracle is an independent, dumb way to know working time. It shares no code and no idea with
`portal.lib`: it walks UTC minutes, looks at the clock on the wall at each, and asks whether that
weekday's hours contain it. Only the look at the clock is remembered, per zone and window.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import Self
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.lib.sla_clock import ClockInput, Metric, Pause, Policy, explain, read
from portal.lib.working_time import (
    NoWorkingTime,
    WeeklyInterval,
    WorkingCalendar,
    add_working_time,
    is_working,
    next_opening,
    working_time_between,
)

MINUTE = timedelta(minutes=1)
WINDOW_MINUTES = 14 * 24 * 60

# A zone and the UTC date its window begins: five days before something odd happens.
WINDOWS = (
    ("Europe/Paris", date(2026, 3, 24)),
    ("Europe/Paris", date(2026, 10, 20)),
    ("America/New_York", date(2026, 3, 3)),
    ("America/New_York", date(2026, 10, 27)),
    ("Australia/Lord_Howe", date(2026, 3, 31)),  # half an hour
    ("Australia/Lord_Howe", date(2026, 9, 29)),
    ("Asia/Kathmandu", date(2026, 6, 1)),  # UTC+5:45, no daylight saving
    ("America/St_Johns", date(2026, 3, 3)),  # UTC-3:30
    ("America/Sao_Paulo", date(2018, 10, 30)),  # leaps at midnight
    ("America/Sao_Paulo", date(2018, 2, 12)),  # falls back at midnight
    ("Africa/Casablanca", date(2026, 2, 10)),  # falls back for Ramadan
    ("Pacific/Apia", date(2011, 12, 25)),  # leaves a date out
    ("UTC", date(2024, 2, 24)),  # leap day
)


@cache
def wall_clock(zone: str, begins: date) -> list[tuple[date, int]]:
    """For each minute of the window: the local date and the minute of the local day."""
    start = datetime(begins.year, begins.month, begins.day, tzinfo=UTC)
    walls = ((start + minute * MINUTE).astimezone(ZoneInfo(zone)) for minute in range(WINDOW_MINUTES))
    return [(wall.date(), wall.hour * 60 + wall.minute) for wall in walls]


@cache
def minutes_of_week(zone: str, begins: date) -> list[int]:
    return [day.weekday() * 1440 + minute for day, minute in wall_clock(zone, begins)]


@dataclass(frozen=True)
class Oracle:
    """Which minutes of a window count; instants are whole minutes since the window began."""

    zone: str
    begins: date
    open_minutes: tuple[bool, ...]

    @classmethod
    def of(
        cls,
        window: tuple[str, date],
        hours: Sequence[tuple[int, int, int]],
        holidays: frozenset[date],
        paused: Sequence[tuple[int, int]] = (),
    ) -> Self:
        week = [False] * (7 * 1440)
        for weekday, opens, closes in hours:
            for minute in range(opens, closes):
                week[weekday * 1440 + minute] = True
        flags = [week[minute] for minute in minutes_of_week(*window)]
        if holidays:
            walls = wall_clock(*window)
            flags = [flag and walls[index][0] not in holidays for index, flag in enumerate(flags)]
        for begin, end in paused:
            for minute in range(max(begin, 0), min(end, WINDOW_MINUTES)):
                flags[minute] = False
        return cls(*window, tuple(flags))

    def instant(self, minute: int) -> datetime:
        return datetime(self.begins.year, self.begins.month, self.begins.day, tzinfo=UTC) + minute * MINUTE

    def worked(self, start: int, end: int) -> int:
        return sum(self.open_minutes[start:end])

    def reached(self, start: int, amount: int) -> int | None:
        """The end of the minute that completes `amount`; None when the window ends before."""
        if amount == 0:
            return start
        for index, total in enumerate(accumulate(self.open_minutes[start:]), start):
            if total == amount:
                return index + 1
        return None


# For each of the five laws.
CASES = int(os.environ.get("PORTAL_ORACLE_CASES", "500"))
settings.register_profile(
    "oracle", max_examples=CASES, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
MANY = settings.get_profile("oracle")
TEN_DAYS = 10 * 24 * 60


@dataclass(frozen=True)
class Case:
    window: tuple[str, date]
    hours: tuple[tuple[int, int, int], ...]
    holidays: frozenset[date]

    @property
    def calendar(self) -> WorkingCalendar:
        return WorkingCalendar(self.window[0], tuple(WeeklyInterval(*span) for span in self.hours), self.holidays)

    def oracle(self, paused: tuple[tuple[int, int], ...] = ()) -> Oracle:
        return Oracle.of(self.window, self.hours, self.holidays, paused)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A window and weekly hours: an office, around the clock, night shifts, or anything at all."""
    window = draw(st.sampled_from(WINDOWS))
    kind = draw(st.sampled_from(("office", "night", "always", "wild", "wild", "wild")))
    if kind == "office":
        hours = [(day, *span) for day in range(5) for span in ((540, 720), (780, 1050))]
    elif kind == "night":
        hours = [(day, *span) for day in range(7) for span in ((0, 300), (1320, 1440))]
    elif kind == "always":
        hours = [(day, 0, 1440) for day in range(7)]
    else:
        points = st.lists(st.integers(0, 1440), min_size=2, max_size=6, unique=True).map(sorted)
        days = draw(st.lists(st.tuples(st.integers(0, 6), points), min_size=1, max_size=7, unique_by=lambda d: d[0]))
        hours = [(day, *span) for day, edges in days for span in zip(edges[::2], edges[1::2], strict=False)]
    off = draw(st.lists(st.integers(0, 14), max_size=3))
    return Case(window, tuple(hours), frozenset(window[1] + timedelta(days=day) for day in off))


starts = st.integers(0, 6 * 24 * 60)
pause_lists = st.lists(
    st.tuples(st.integers(-600, TEN_DAYS), st.integers(0, 2_880)).map(lambda p: (p[0], p[0] + p[1])), max_size=5
).map(tuple)


@MANY
@given(case=cases(), start=starts, length=st.integers(0, TEN_DAYS))
def test_between_equals_the_minutes_counted(case: Case, start: int, length: int) -> None:
    oracle, calendar = case.oracle(), case.calendar
    end = min(start + length, WINDOW_MINUTES - 1)
    worked = working_time_between(calendar, oracle.instant(start), oracle.instant(end))
    assert worked == oracle.worked(start, end) * MINUTE
    assert is_working(calendar, oracle.instant(end)) == oracle.open_minutes[end]
    opening = next((minute for minute in range(start, WINDOW_MINUTES) if oracle.open_minutes[minute]), None)
    if opening is not None:
        assert next_opening(calendar, oracle.instant(start)) == oracle.instant(opening)


@MANY
@given(case=cases(), start=starts, amount=st.integers(0, 4_000))
def test_adding_reaches_the_minute_and_not_the_one_before(case: Case, start: int, amount: int) -> None:
    oracle, calendar = case.oracle(), case.calendar
    begin = oracle.instant(start)
    reached = oracle.reached(start, amount)
    if reached is None:
        assert _falls_outside(oracle, calendar, begin, amount)
        return
    due = add_working_time(calendar, begin, amount * MINUTE)
    assert due == oracle.instant(reached)
    assert working_time_between(calendar, begin, due) == amount * MINUTE
    if amount:
        assert working_time_between(calendar, begin, due - MINUTE) == (amount - 1) * MINUTE


@MANY
@given(case=cases(), start=starts, amount=st.integers(1, 4_000), paused=pause_lists)
def test_paused_minutes_do_not_count(case: Case, start: int, amount: int, paused: tuple[tuple[int, int], ...]) -> None:
    oracle, calendar = case.oracle(paused), case.calendar
    begin, end = oracle.instant(start), oracle.instant(min(start + TEN_DAYS, WINDOW_MINUTES))
    spans = [(oracle.instant(a), oracle.instant(b)) for a, b in paused]
    counted = oracle.worked(start, min(start + TEN_DAYS, WINDOW_MINUTES))
    assert working_time_between(calendar, begin, end, excluding=spans) == counted * MINUTE
    reached = oracle.reached(start, amount)
    if reached is None:
        assert _falls_outside(oracle, calendar, begin, amount, spans)
        return
    due = add_working_time(calendar, begin, amount * MINUTE, excluding=spans)
    assert due == oracle.instant(reached)
    assert working_time_between(calendar, begin, due - MINUTE, excluding=spans) == (amount - 1) * MINUTE


@MANY
@given(
    case=cases(),
    start=starts,
    targets=st.tuples(st.integers(1, 1_500), st.integers(1, 4_000), st.integers(1, 1_500), st.integers(1, 4_000)),
    rounds=st.tuples(st.none() | st.integers(0, 4_000), st.none() | st.integers(0, 4_000)),
    paused=pause_lists,
    still_paused=st.none() | st.integers(0, 4_000),
    age=st.integers(0, TEN_DAYS),
)
def test_the_clock_reads_what_the_minutes_say(
    case: Case,
    start: int,
    targets: tuple[int, int, int, int],
    rounds: tuple[int | None, int | None],
    paused: tuple[tuple[int, int], ...],
    still_paused: int | None,
    age: int,
) -> None:
    now = min(start + age, WINDOW_MINUTES - 1)
    past = tuple((a, b) for a, b in paused if b <= now)
    if still_paused is not None:
        past = (*past, (max(now - still_paused, start), WINDOW_MINUTES))
    oracle = case.oracle(past)
    pauses = tuple(Pause(oracle.instant(a), oracle.instant(b) if b <= now else None, "on_hold") for a, b in past)
    first, solution, answer, update = (target * MINUTE for target in targets)
    policy = Policy(first, solution, None, case.calendar, next_response=answer, update=update)
    # The question and the team's last word lie between the start and now; without them nothing runs.
    asked, told = (None if ago is None else max(now - ago, start) for ago in rounds)
    clock = ClockInput(
        oracle.instant(start),
        pauses=pauses,
        asked_at=None if asked is None else oracle.instant(asked),
        told_at=None if told is None else oracle.instant(told),
    )
    reading = read(policy, clock, oracle.instant(now))
    left = []
    for metric, target, begins in zip(Metric, targets, (start, start, asked, told), strict=True):
        due_at = reading.due_times[metric]
        if begins is None:
            assert (due_at, reading.breached[metric]) == (None, False)
            assert explain(policy, clock, oracle.instant(now), metric) == ()
            continue
        counted = oracle.worked(begins, now)
        left.append((target - counted, counted))
        reached = oracle.reached(begins, target)
        assert reading.breached[metric] == (reached is not None and reached <= now)
        if reached is not None:
            assert due_at == oracle.instant(reached)
        else:
            assert due_at is None or (still_paused is None and due_at > oracle.instant(WINDOW_MINUTES))
        segments = explain(policy, clock, oracle.instant(now), metric)
        assert sum((segment.worked for segment in segments), timedelta()) == counted * MINUTE
    assert reading.remaining == min(left)[0] * MINUTE
    assert reading.elapsed in {counted * MINUTE for over, counted in left if over == min(left)[0]}
    assert (reading.paused_reason is None) == (still_paused is None)


micros = st.integers(0, 10 * 86_400 * 1_000_000).map(lambda micros: timedelta(microseconds=micros))


@MANY
@given(case=cases(), offsets=st.tuples(micros, micros, micros).map(sorted), amount=micros, pauses=st.data())
def test_laws_hold_to_the_microsecond(
    case: Case, offsets: list[timedelta], amount: timedelta, pauses: st.DataObject
) -> None:
    calendar = case.calendar
    first = datetime(case.window[1].year, case.window[1].month, case.window[1].day, tzinfo=UTC)
    a, b, c = (first + offset for offset in offsets)
    drawn = pauses.draw(st.lists(st.tuples(micros, micros), max_size=3))
    away = [(first + begin, first + begin + length) for begin, length in drawn]

    def between(start: datetime, end: datetime) -> timedelta:
        return working_time_between(calendar, start, end, excluding=away)

    assert between(a, b) + between(b, c) == between(a, c)  # additive
    assert timedelta() <= between(a, b) <= b - a
    assert between(b, a) == -between(a, b)
    try:
        due = add_working_time(calendar, a, amount, excluding=away)
    except NoWorkingTime:
        return
    assert between(a, due) == amount  # add, then between: exactly the amount
    if amount:
        tick = timedelta(microseconds=1)
        assert between(a, due - tick) == amount - tick  # the first such instant
    assert add_working_time(calendar, b, amount, excluding=away) >= due  # a later start is never due earlier
    assert add_working_time(calendar, a, amount / 2, excluding=away) <= due


def _falls_outside(
    oracle: Oracle,
    calendar: WorkingCalendar,
    begin: datetime,
    amount: int,
    spans: list[tuple[datetime, datetime]] | None = None,
) -> bool:
    """Where the oracle's window ends too early, the answer must lie beyond it."""
    try:
        return add_working_time(calendar, begin, amount * MINUTE, excluding=spans or ()) > oracle.instant(
            WINDOW_MINUTES
        )
    except NoWorkingTime:
        return True
