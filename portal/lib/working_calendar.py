"""When somebody works: weekly hours in a time zone, without the holidays. What is counted in them: `working_time`."""

from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo


class InvalidCalendar(ValueError):
    """A calendar that cannot be; `code` says why and is also the message."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, order=True)
class WeeklyInterval:
    """Opening hours on one weekday (Monday is 0), in minutes after local midnight, end excluded.

    A shift over midnight is two intervals: until 1440, and from 0 on the next weekday.
    Raises InvalidCalendar: weekday_out_of_range, start_minute_out_of_range,
    end_minute_out_of_range, interval_ends_before_it_starts.
    """

    weekday: int
    start_minute: int
    end_minute: int

    def __post_init__(self) -> None:
        if not 0 <= self.weekday <= 6:
            raise InvalidCalendar("weekday_out_of_range")
        if not 0 <= self.start_minute <= 1439:
            raise InvalidCalendar("start_minute_out_of_range")
        if not 1 <= self.end_minute <= 1440:
            raise InvalidCalendar("end_minute_out_of_range")
        if self.start_minute >= self.end_minute:
            raise InvalidCalendar("interval_ends_before_it_starts")


@dataclass(frozen=True)
class WorkingCalendar:
    """When the promise's clock runs: weekly hours in a time zone, without the holidays (local dates).

    Intervals may be given in any order and may touch. Raises InvalidCalendar: timezone_unknown,
    intervals_overlap. A calendar without intervals is valid; its clock never runs.
    """

    timezone: str
    intervals: tuple[WeeklyInterval, ...]
    holidays: frozenset[date] = frozenset()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):  # not there, not a name, or a folder of zones
            raise InvalidCalendar("timezone_unknown") from None
        ordered = tuple(sorted(self.intervals))
        for earlier, later in pairwise(ordered):
            if earlier.weekday == later.weekday and later.start_minute < earlier.end_minute:
                raise InvalidCalendar("intervals_overlap")
        # Sorted, so that calendars with the same hours are equal and share what is remembered.
        object.__setattr__(self, "intervals", ordered)
        # What is remembered is found by the calendar, for each row of a list: its hash is worked out once.
        object.__setattr__(self, "_hash", hash((self.timezone, ordered, self.holidays)))

    def __hash__(self) -> int:
        return self._hash


ALWAYS: Final = WorkingCalendar("UTC", tuple(WeeklyInterval(weekday, 0, 1440) for weekday in range(7)))
