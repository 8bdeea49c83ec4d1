"""Working time: how much of it lies between two instants, and when an amount of it has passed.

One rule decides everything: **an instant is working time if the clock on the wall in the calendar's
zone then shows a time inside an interval of that weekday, and that local date is not a holiday.**
Intervals include their start and exclude their end. Daylight saving follows by itself: 01:00-05:00
lasts three hours on the night the clock leaps forward over 02:00-03:00 and five on the night it
shows 02:00-03:00 twice; an end at a time that does not exist ends where the clock leaps.

Arithmetic is exact to the microsecond, in integers; nothing is rounded. Instants go in aware, in
any zone, and come out in UTC. Days are worked out one UTC day at a time and remembered.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from portal.lib.working_calendar import ALWAYS, InvalidCalendar, WeeklyInterval, WorkingCalendar
from portal.lib.zone_offsets import offsets_of_day

__all__ = [
    "ALWAYS",
    "HORIZON",
    "InvalidCalendar",
    "NoWorkingTime",
    "WeeklyInterval",
    "WorkingCalendar",
    "add_working_time",
    "is_working",
    "next_opening",
    "working_seconds_between",
    "working_spans",
    "working_time_between",
]

HORIZON: Final = timedelta(days=3653)  # ten years

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000
_DAY_SECONDS: Final = 86_400
_DAY: Final = _DAY_SECONDS * _SECOND
_LAST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_REMEMBERED_DAYS: Final = 4_096
_BLOCK: Final = 32


class NoWorkingTime(ValueError):
    """The calendar does not hold the working time asked for within ten years."""

    code = "no_working_time"

    def __init__(self) -> None:
        super().__init__(self.code)


def working_time_between(
    calendar: WorkingCalendar,
    start: datetime,
    end: datetime,
    *,
    excluding: Sequence[tuple[datetime, datetime]] = (),
) -> timedelta:
    """Working time from `start` to `end`, exact, without the `excluding` spans (which may overlap).

    Negative, by the same amount, when `end` lies before `start`. ValueError for naive datetimes.
    """
    first, last = _micros(start), _micros(end)
    sign = 1
    if last < first:
        first, last, sign = last, first, -1
    timeline = _timeline(calendar)
    worked = timeline.worked(first, last)
    for opens, closes in _merged(excluding):
        if opens < last and closes > first:
            worked -= timeline.worked(max(opens, first), min(closes, last))
    return timedelta(microseconds=sign * worked)


def working_seconds_between(calendar: WorkingCalendar, start: datetime, end: datetime) -> int:
    """`working_time_between` in whole seconds; the fraction is cut off once, at the end, towards zero."""
    worked = working_time_between(calendar, start, end)
    seconds = abs(worked) // timedelta(seconds=1)
    return seconds if worked >= timedelta() else -seconds


def add_working_time(
    calendar: WorkingCalendar,
    start: datetime,
    amount: timedelta,
    *,
    excluding: Sequence[tuple[datetime, datetime]] = (),
) -> datetime:
    """The first instant at which `amount` of working time has passed since `start`, in UTC.

    Time inside `excluding` spans (start, end) does not count; they may overlap, lie outside the
    hours or before `start`. "First" means: eight hours from 09:00 on a day of 09:00-17:00 end that
    day at 17:00, not when the next day opens; an amount of zero gives `start`, open or not.
    Raises NoWorkingTime when the amount is not reached within ten years (excluded time not
    counted in), ValueError for a negative amount ("amount_negative") or naive datetimes.
    """
    if amount < timedelta():
        raise ValueError("amount_negative")
    left = amount // _MICROSECOND
    begin = _micros(start)
    if not left:
        return _datetime(begin)
    away = [(max(opens, begin), closes) for opens, closes in _merged(excluding) if closes > begin]
    limit = begin + HORIZON // _MICROSECOND + sum(closes - opens for opens, closes in away)
    spans = _timeline(calendar).spans(begin, min(limit, _LAST))
    for opens, closes in _without(spans, away) if away else spans:
        if closes - opens >= left:
            return _datetime(opens + left)
        left -= closes - opens
    raise NoWorkingTime


def is_working(calendar: WorkingCalendar, at: datetime) -> bool:
    """Whether the calendar is open at this instant (an interval's end is no longer open)."""
    micros = _micros(at)
    return any(opens <= micros < closes for opens, closes in _timeline(calendar).day(micros // _DAY)[0])


def next_opening(calendar: WorkingCalendar, at: datetime) -> datetime:
    """The first working instant from `at` on: `at` itself when open. NoWorkingTime beyond ten years."""
    begin = _micros(at)
    for opens, _ in _timeline(calendar).spans(begin, min(begin + HORIZON // _MICROSECOND, _LAST)):
        return _datetime(opens)
    raise NoWorkingTime


def working_spans(calendar: WorkingCalendar, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The open spans between two instants, clipped to them, in order; none touches the next."""
    held: tuple[int, int] | None = None
    for opens, closes in _timeline(calendar).spans(_micros(start), _micros(end)):
        if held is not None and held[1] == opens:
            held = (held[0], closes)
            continue
        if held is not None:
            yield _datetime(held[0]), _datetime(held[1])
        held = (opens, closes)
    if held is not None:
        yield _datetime(held[0]), _datetime(held[1])


class _Timeline:
    """A calendar's working spans in microseconds since 1970, a UTC day at a time, remembered."""

    def __init__(self, calendar: WorkingCalendar) -> None:
        self._zone = calendar.timezone
        self._holidays = {holiday.toordinal() - _EPOCH_ORDINAL for holiday in calendar.holidays}
        self._hours: tuple[list[tuple[int, int]], ...] = ([], [], [], [], [], [], [])
        for interval in calendar.intervals:
            self._hours[interval.weekday].append((interval.start_minute * 60, interval.end_minute * 60))
        self._days: dict[int, tuple[tuple[tuple[int, int], ...], int]] = {}
        self._blocks: dict[int, int] = {}

    def day(self, day: int) -> tuple[tuple[tuple[int, int], ...], int]:
        """The spans of a UTC day (counted from 1970-01-01) and their total."""
        found = self._days.get(day)
        if found is None:
            spans = tuple(self._work_out(day))
            found = spans, sum(closes - opens for opens, closes in spans)
            if len(self._days) >= _REMEMBERED_DAYS:
                self._days.clear()
            self._days[day] = found
        return found

    def worked(self, start: int, end: int) -> int:
        total = 0
        day, past = start // _DAY, -(-end // _DAY)
        while day < past:
            begins = day * _DAY
            if day % _BLOCK == 0 and start <= begins and begins + _BLOCK * _DAY <= end:
                total += self._block(day)
                day += _BLOCK
                continue
            spans, whole = self.day(day)
            if start <= begins and begins + _DAY <= end:
                total += whole
            else:
                total += sum(max(0, min(closes, end) - max(opens, start)) for opens, closes in spans)
            day += 1
        return total

    def _block(self, first: int) -> int:
        """The working time of whole days in a row: a ticket may be open for a year, and lists tell it of each."""
        found = self._blocks.get(first)
        if found is None:
            found = sum(self.day(day)[1] for day in range(first, first + _BLOCK))
            if len(self._blocks) >= _REMEMBERED_DAYS:
                self._blocks.clear()
            self._blocks[first] = found
        return found

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        if not any(self._hours):
            return
        for day in range(start // _DAY, -(-end // _DAY)):
            for opens, closes in self.day(day)[0]:
                if opens >= end:
                    return
                if closes > start:
                    yield max(opens, start), min(closes, end)

    def _work_out(self, day: int) -> Iterator[tuple[int, int]]:
        """Overlay the weekly hours on each stretch of the day with one offset from UTC."""
        for begin, end, offset in offsets_of_day(self._zone, day):
            wall, wall_end = begin + offset, end + offset
            for local_day in range(wall // _DAY_SECONDS, -(-wall_end // _DAY_SECONDS)):
                if local_day in self._holidays:
                    continue
                midnight = local_day * _DAY_SECONDS
                for opens, closes in self._hours[(local_day + 3) % 7]:  # 1970-01-01 was a Thursday
                    low, high = max(wall, midnight + opens), min(wall_end, midnight + closes)
                    if low < high:
                        yield (low - offset) * _SECOND, (high - offset) * _SECOND


@lru_cache(maxsize=256)
def _timeline(calendar: WorkingCalendar) -> _Timeline:
    return _Timeline(calendar)


def _merged(spans: Sequence[tuple[datetime, datetime]]) -> list[tuple[int, int]]:
    """Sorted, joined where they overlap or touch, without empty ones."""
    merged: list[tuple[int, int]] = []
    for opens, closes in sorted((_micros(opens), _micros(closes)) for opens, closes in spans):
        if closes <= opens:
            continue
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], closes))
        else:
            merged.append((opens, closes))
    return merged


def _without(spans: Iterator[tuple[int, int]], away: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What is left of ordered spans when ordered, disjoint ones are taken out."""
    index = 0
    for begin, closes in spans:
        opens = begin
        while index < len(away) and away[index][1] <= opens:
            index += 1
        scan = index
        while opens < closes:
            if scan == len(away) or away[scan][0] >= closes:
                yield opens, closes
                break
            if away[scan][0] > opens:
                yield opens, away[scan][0]
            opens = away[scan][1]
            scan += 1


def _micros(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("datetime_naive")
    return (at - _EPOCH) // _MICROSECOND


def _datetime(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
