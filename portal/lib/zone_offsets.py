"""A zone's offsets from UTC over a day, and the very second at which they change."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_DAY_SECONDS: Final = 86_400
_PROBE_SECONDS: Final = 21_600
# Asking a zone about the outermost two days of datetime overflows; there the offset of the day before stands.
_FIRST_PROBE: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND + 2 * _DAY_SECONDS
_LAST_PROBE: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _SECOND - 2 * _DAY_SECONDS


@lru_cache(maxsize=16_384)
def offsets_of_day(timezone: str, day: int) -> tuple[tuple[int, int, int], ...]:
    """A UTC day (counted from 1970-01-01) cut where the zone's offset changes: (from, to, offset).

    All in seconds, `from` and `to` since 1970. Probes every six hours and halves down to the second
    in between: no zone goes to another offset and back within six hours.
    """
    zone = ZoneInfo(timezone)
    start = day * _DAY_SECONDS
    pieces: list[tuple[int, int, int]] = []
    begin, offset = start, _offset_at(zone, start)
    for probe in range(start, start + _DAY_SECONDS, _PROBE_SECONDS):
        low, high = probe, probe + _PROBE_SECONDS
        if (changed := _offset_at(zone, high)) == offset:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset_at(zone, middle) == offset else (low, middle)
        if high < start + _DAY_SECONDS:  # a change at the stroke of midnight belongs to the next day
            pieces.append((begin, high, offset))
            begin, offset = high, changed
    return (*pieces, (begin, start + _DAY_SECONDS, offset))


def _offset_at(zone: ZoneInfo, seconds: int) -> int:
    probe = max(_FIRST_PROBE, min(seconds, _LAST_PROBE))
    offset = (_EPOCH + timedelta(seconds=probe)).astimezone(zone).utcoffset()
    return offset // _SECOND if offset is not None else 0
