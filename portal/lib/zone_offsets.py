"""A zone's offsets from UTC over a day, and the very second at which they change."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_DAY_SECONDS: Final = 86_400
# Asking a zone about the outermost two days of datetime overflows; there the offset of the day before stands.
_FIRST_PROBE: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND + 2 * _DAY_SECONDS
_LAST_PROBE: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _SECOND - 2 * _DAY_SECONDS


@lru_cache(maxsize=16_384)
def offsets_of_day(timezone: str, day: int) -> tuple[tuple[int, int, int], ...]:
    """A UTC day (counted from 1970-01-01) cut where the zone's offset changes: (from, to, offset).

    All in seconds, `from` and `to` since 1970. The second of a change is found by halving; zones
    change their offset at most once in a day (the closest two changes since 1970 are days apart).
    """
    zone = ZoneInfo(timezone)
    start, end = day * _DAY_SECONDS, (day + 1) * _DAY_SECONDS
    before, after = _offset_at(zone, start), _offset_at(zone, end)
    if before == after:
        return ((start, end, before),)
    low, high = start, end
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_at(zone, middle) == before else (low, middle)
    if high == end:  # a change at the stroke of midnight belongs to the next day
        return ((start, end, before),)
    return (start, high, before), (high, end, after)


def _offset_at(zone: ZoneInfo, seconds: int) -> int:
    probe = max(_FIRST_PROBE, min(seconds, _LAST_PROBE))
    offset = (_EPOCH + timedelta(seconds=probe)).astimezone(zone).utcoffset()
    return offset // _SECOND if offset is not None else 0
