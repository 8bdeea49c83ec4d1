"""An independent, dumb way to know working time: look at the clock on the wall every single minute.

Shares no code and no idea with `portal.lib`: it walks UTC minutes, converts each to the zone and
asks whether that weekday's hours contain it. Only the conversion is remembered (per zone and window).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

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


@lru_cache(maxsize=None)
def wall_clock(zone: str, begins: date) -> list[tuple[date, int]]:
    """For each minute of the window: the local date and the minute of the local day."""
    start = datetime(begins.year, begins.month, begins.day, tzinfo=UTC)
    walls = ((start + minute * MINUTE).astimezone(ZoneInfo(zone)) for minute in range(WINDOW_MINUTES))
    return [(wall.date(), wall.hour * 60 + wall.minute) for wall in walls]


@lru_cache(maxsize=None)
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
    ) -> "Oracle":
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
