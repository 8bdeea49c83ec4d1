"""Working time by example: daylight saving both ways, holidays, lunch, midnight, pauses, edges."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from portal.lib.working_time import (
    ALWAYS,
    InvalidCalendar,
    NoWorkingTime,
    WeeklyInterval,
    WorkingCalendar,
    add_working_time,
    is_working,
    next_opening,
    working_seconds_between,
    working_spans,
    working_time_between,
)

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def every_day(zone: str, *hours: tuple[str, str], holidays: frozenset[date] = frozenset()) -> WorkingCalendar:
    return on(range(7), zone, *hours, holidays=holidays)


def on(weekdays: range, zone: str, *hours: tuple[str, str], holidays: frozenset[date] = frozenset()) -> WorkingCalendar:
    spans = [(minutes(opens), minutes(closes)) for opens, closes in hours]
    return WorkingCalendar(zone, tuple(WeeklyInterval(day, a, b) for day in weekdays for a, b in spans), holidays)


def minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


OFFICE = on(range(5), "Europe/Paris", ("09:00", "12:00"), ("13:00", "18:00"))


@pytest.mark.parametrize(
    ("zone", "night", "hours", "expected"),
    [
        ("Europe/Paris", "2026-03-29", ("01:00", "05:00"), 3 * HOUR),
        ("Europe/Paris", "2026-10-25", ("01:00", "05:00"), 5 * HOUR),
        ("Europe/Paris", "2026-03-28", ("01:00", "05:00"), 4 * HOUR),
        ("America/New_York", "2026-03-08", ("01:00", "05:00"), 3 * HOUR),
        ("America/New_York", "2026-11-01", ("01:00", "05:00"), 5 * HOUR),
        ("Australia/Lord_Howe", "2026-10-04", ("01:00", "05:00"), 3.5 * HOUR),
        ("Australia/Lord_Howe", "2026-04-05", ("01:00", "05:00"), 4.5 * HOUR),
        ("Asia/Kathmandu", "2026-03-29", ("01:00", "05:00"), 4 * HOUR),
        ("Europe/Paris", "2026-03-29", ("00:00", "24:00"), 23 * HOUR),
        ("Europe/Paris", "2026-10-25", ("00:00", "24:00"), 25 * HOUR),
        ("Europe/Paris", "2026-03-29", ("01:00", "02:30"), HOUR),  # ends at a time that does not exist
        ("Europe/Paris", "2026-03-29", ("02:30", "04:00"), HOUR),  # begins at one
        ("Europe/Paris", "2026-03-29", ("02:10", "02:50"), 0 * HOUR),  # lies in the gap
        ("Europe/Paris", "2026-10-25", ("01:00", "02:30"), 2 * HOUR),  # 01:00-02:30, then 02:00-02:30 again
        ("Europe/Paris", "2026-10-25", ("02:15", "02:45"), HOUR),  # comes twice
        ("America/Sao_Paulo", "2018-11-04", ("00:00", "02:00"), HOUR),  # midnight itself does not exist
        ("America/Sao_Paulo", "2018-02-17", ("22:00", "24:00"), 3 * HOUR),  # the hour before midnight comes twice
        ("Pacific/Apia", "2011-12-30", ("00:00", "24:00"), 0 * HOUR),  # a date that was left out
    ],
)
def test_daylight_saving_follows_the_clock_on_the_wall(
    zone: str, night: str, hours: tuple[str, str], expected: timedelta
) -> None:
    day = date.fromisoformat(night)
    only = WorkingCalendar(zone, (WeeklyInterval(day.weekday(), minutes(hours[0]), minutes(hours[1])),))
    begin = at(f"{night}T12:00") - 36 * HOUR
    assert working_time_between(only, begin, begin + 72 * HOUR) == expected


@pytest.mark.parametrize(
    ("start", "amount", "expected"),
    [
        ("2026-06-01T09:00", 3 * HOUR, "2026-06-01T12:00"),  # the first instant, not after lunch
        ("2026-06-01T09:00", 3 * HOUR + MINUTE, "2026-06-01T13:01"),
        ("2026-06-01T11:30", HOUR, "2026-06-01T13:30"),  # across lunch
        ("2026-06-01T12:30", HOUR, "2026-06-01T14:00"),  # begins in the break
        ("2026-06-05T17:00", 2 * HOUR, "2026-06-08T10:00"),  # across the weekend
        ("2026-06-06T15:00", HOUR, "2026-06-08T10:00"),  # begins on it
        ("2026-06-01T09:00", 40 * HOUR, "2026-06-05T18:00"),
        ("2026-03-27T17:00", 2 * HOUR, "2026-03-30T10:00"),  # daylight saving on the Sunday between
        ("2026-06-06T15:00", 0 * HOUR, "2026-06-06T15:00"),  # nothing to wait for
    ],
)
def test_adding_office_hours(start: str, amount: timedelta, expected: str) -> None:
    zone = "Europe/Paris"
    assert add_working_time(OFFICE, at(start, zone), amount) == at(expected, zone)


def test_results_are_in_utc_whatever_zone_goes_in() -> None:
    result = add_working_time(OFFICE, at("2026-06-01T09:00", "Europe/Paris"), HOUR)
    assert result.tzinfo is UTC
    assert result == at("2026-06-01T08:00")


def test_a_holiday_is_a_local_date() -> None:
    nepal = every_day("Asia/Kathmandu", ("00:00", "24:00"), holidays=frozenset({date(2026, 1, 2)}))
    # The second of January in Kathmandu (UTC+5:45) is 18:15 on the first to 18:15 on the second in UTC.
    assert list(working_spans(nepal, at("2026-01-01T12:00"), at("2026-01-03T00:00"))) == [
        (at("2026-01-01T12:00"), at("2026-01-01T18:15")),
        (at("2026-01-02T18:15"), at("2026-01-03T00:00")),
    ]
    assert add_working_time(nepal, at("2026-01-01T18:00"), HOUR) == at("2026-01-02T19:00")


def test_a_shift_over_midnight_is_two_intervals_and_one_span() -> None:
    night = WorkingCalendar("UTC", (WeeklyInterval(0, 1320, 1440), WeeklyInterval(1, 0, 360)))
    monday, wednesday = at("2026-06-01T00:00"), at("2026-06-03T00:00")
    assert list(working_spans(night, monday, wednesday)) == [(at("2026-06-01T22:00"), at("2026-06-02T06:00"))]
    assert add_working_time(night, monday, 3 * HOUR) == at("2026-06-02T01:00")


def test_both_passes_of_the_doubled_hour_count() -> None:
    zone = "Europe/Paris"
    calendar = every_day(zone, ("02:00", "03:00"))
    first, second = at("2026-10-25T02:30", zone), at("2026-10-25T02:30", zone, fold=1)
    assert is_working(calendar, first)
    assert is_working(calendar, second)
    assert working_time_between(calendar, first.astimezone(UTC), second.astimezone(UTC)) == HOUR
    assert working_time_between(calendar, first, second) == HOUR  # the fold is heeded within one zone too
    assert add_working_time(calendar, first, HOUR) == second.astimezone(UTC)


def test_open_at_the_start_of_an_interval_and_closed_at_its_end() -> None:
    zone = "Europe/Paris"
    assert is_working(OFFICE, at("2026-06-01T09:00", zone))
    assert is_working(OFFICE, at("2026-06-01T11:59:59.999999", zone))
    assert not is_working(OFFICE, at("2026-06-01T12:00", zone))
    assert not is_working(OFFICE, at("2026-06-06T10:00", zone))


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-06-01T10:00", "2026-06-01T10:00"),
        ("2026-06-01T12:00", "2026-06-01T13:00"),
        ("2026-06-05T18:00", "2026-06-08T09:00"),
    ],
)
def test_next_opening(moment: str, opening: str) -> None:
    zone = "Europe/Paris"
    assert next_opening(OFFICE, at(moment, zone)) == at(opening, zone)


def test_microseconds_are_exact() -> None:
    start = at("2026-06-01T08:59:59.999999", "Europe/Paris")
    amount = timedelta(microseconds=1)
    assert add_working_time(OFFICE, start, amount) == at("2026-06-01T09:00:00.000001", "Europe/Paris")
    end = at("2026-06-01T11:59:59.999999", "Europe/Paris")
    assert working_time_between(OFFICE, start, end) == 3 * HOUR - amount
    assert working_seconds_between(OFFICE, start, end) == 3 * 3600 - 1
    assert working_seconds_between(OFFICE, end, start) == -(3 * 3600 - 1)


def test_between_is_negative_backwards() -> None:
    monday, friday = at("2026-06-01T00:00"), at("2026-06-05T00:00")
    assert working_time_between(OFFICE, friday, monday) == -working_time_between(OFFICE, monday, friday)
    assert working_time_between(OFFICE, monday, monday) == timedelta()


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ([("10:00", "11:00")], "01T15:00"),
        ([("10:00", "11:00"), ("11:00", "11:30")], "01T15:30"),  # adjacent
        ([("10:00", "12:00"), ("10:30", "11:00")], "01T16:00"),  # nested
        ([("10:30", "11:00"), ("10:00", "10:45")], "01T15:00"),  # overlapping, out of order
        ([("12:10", "12:50")], "01T14:00"),  # inside the lunch break
        ([("11:30", "13:30")], "01T15:00"),  # over both its ends
        ([("07:00", "09:30")], "01T14:30"),  # begins before the start
        ([("07:00", "08:00")], "01T14:00"),  # ends before it
        ([("14:00", "17:00")], "01T14:00"),  # begins exactly when the amount is reached
        ([("13:59", "17:00")], "01T17:01"),  # a minute earlier
        ([("11:00", "11:00")], "01T14:00"),  # empty
        ([("08:30", "18:00")], "02T14:00"),  # the whole day
    ],
)
def test_pauses_do_not_count(pauses: list[tuple[str, str]], expected: str) -> None:
    """Four hours from 09:00 with lunch from 12:00 to 13:00 would end at 14:00."""
    calendar = every_day("UTC", ("09:00", "12:00"), ("13:00", "18:00"))
    spans = [(at(f"2026-06-01T{begin}"), at(f"2026-06-01T{end}")) for begin, end in pauses]
    start, due = at("2026-06-01T09:00"), at(f"2026-06-{expected}")
    assert add_working_time(calendar, start, 4 * HOUR, excluding=spans) == due
    assert working_time_between(calendar, start, due, excluding=spans) == 4 * HOUR


def test_excluded_time_does_not_use_up_the_ten_years() -> None:
    start = at("2026-06-01T00:00")
    away = [(start, start + timedelta(days=5000))]
    assert add_working_time(ALWAYS, start, HOUR, excluding=away) == start + timedelta(days=5000) + HOUR


def test_around_the_clock() -> None:
    start = at("2026-03-28T23:59:59.5")
    assert add_working_time(ALWAYS, start, timedelta(days=400)) == start + timedelta(days=400)
    assert working_time_between(ALWAYS, start, start + timedelta(days=400)) == timedelta(days=400)


@pytest.mark.parametrize("start", [at("2026-06-01T00:00"), datetime(9999, 12, 30, tzinfo=UTC)])
def test_no_working_time(start: datetime) -> None:
    never = WorkingCalendar("Europe/Paris", ())
    with pytest.raises(NoWorkingTime) as refusal:
        add_working_time(never, start, MINUTE)
    assert refusal.value.code == "no_working_time"
    with pytest.raises(NoWorkingTime):
        next_opening(never, start)
    assert add_working_time(never, start, timedelta()) == start
    assert not is_working(never, start)


def test_ten_years_of_holidays_are_no_working_time() -> None:
    every = frozenset(date(2026, 1, 1) + timedelta(days=day) for day in range(3700))
    closed = every_day("UTC", ("09:00", "17:00"), holidays=every)
    with pytest.raises(NoWorkingTime):
        add_working_time(closed, at("2026-01-05T00:00"), MINUTE)


def test_the_ends_of_the_calendar_do_not_overflow() -> None:
    for zone in ("Pacific/Kiritimati", "America/Los_Angeles"):
        calendar = every_day(zone, ("00:00", "24:00"))
        assert is_working(calendar, datetime.max.replace(tzinfo=UTC))
        with pytest.raises(NoWorkingTime):
            add_working_time(calendar, datetime(9999, 12, 31, tzinfo=UTC), 48 * HOUR)


@pytest.mark.parametrize(
    ("interval", "code"),
    [
        ((7, 0, 60), "weekday_out_of_range"),
        ((-1, 0, 60), "weekday_out_of_range"),
        ((0, -1, 60), "start_minute_out_of_range"),
        ((0, 1440, 1440), "start_minute_out_of_range"),
        ((0, 0, 1441), "end_minute_out_of_range"),
        ((0, 0, 0), "end_minute_out_of_range"),
        ((0, 60, 60), "interval_ends_before_it_starts"),
        ((0, 1380, 60), "interval_ends_before_it_starts"),
    ],
)
def test_impossible_intervals_are_refused(interval: tuple[int, int, int], code: str) -> None:
    with pytest.raises(InvalidCalendar, match=code) as refusal:
        WeeklyInterval(*interval)
    assert refusal.value.code == code


def test_overlapping_intervals_are_refused_and_touching_ones_are_not() -> None:
    morning, noon = WeeklyInterval(0, 540, 720), WeeklyInterval(0, 720, 1080)
    assert WorkingCalendar("UTC", (noon, morning)) == WorkingCalendar("UTC", (morning, noon))
    with pytest.raises(InvalidCalendar, match="intervals_overlap"):
        WorkingCalendar("UTC", (noon, WeeklyInterval(0, 719, 721), morning))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../etc/passwd", "Europe/Paris\0"])
def test_unknown_zones_are_refused(zone: str) -> None:
    with pytest.raises(InvalidCalendar, match="timezone_unknown"):
        WorkingCalendar(zone, ())


def test_naive_times_and_negative_amounts_are_refused() -> None:
    naive = datetime(2026, 6, 1)
    aware = naive.replace(tzinfo=timezone(HOUR))
    with pytest.raises(ValueError, match="datetime_naive"):
        working_time_between(OFFICE, naive, aware)
    with pytest.raises(ValueError, match="amount_negative"):
        add_working_time(OFFICE, aware, -MINUTE)


def test_ten_years_at_once() -> None:
    calendar = on(range(5), "Australia/Lord_Howe", ("09:00", "12:00"), ("13:00", "17:30"))
    start, amount = at("2027-01-04T00:00", "Australia/Lord_Howe"), 7.5 * HOUR * 5 * 520
    assert working_time_between(calendar, start, start + timedelta(days=3640)) == amount
    assert add_working_time(calendar, start, amount) == at("2036-12-19T17:30", "Australia/Lord_Howe")


@pytest.mark.parametrize("days", [31, 32, 33, 64, 95, 400])
def test_long_spans_are_the_sum_of_their_days(days: int) -> None:
    """Blocks of days are summed once and remembered; wherever a span begins and ends within them."""
    calendar = every_day("Europe/Paris", ("09:00", "12:30"), holidays=frozenset({date(2026, 5, 1)}))
    for offset in range(0, 40, 7):
        start = datetime(2026, 1, 3, 10, 15, tzinfo=UTC) + timedelta(days=offset)
        steps = [start + timedelta(days=day) for day in range(days + 1)]
        by_day = sum((working_time_between(calendar, a, b) for a, b in pairwise(steps)), timedelta())
        assert working_time_between(calendar, start, steps[-1]) == by_day
