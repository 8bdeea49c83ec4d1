"""Times as people write them into forms: `15 min`, `4 h`, `1 h 30 min`, `3 d`, `20 s`."""

import re
from collections.abc import Iterable
from datetime import timedelta

DAY = timedelta(days=1)
LONGEST = timedelta(days=366)
_PART = re.compile(r"(\d{1,9}(?:[.,]\d{1,3})?)\s*([^\W\d_]+)\.?", re.UNICODE)
_SECONDS = {"s": 1, "min": 60, "h": 3600}
# Every shipped language writes the short forms; these are the longer ones that people type as well.
_UNITS = {
    "s": (
        "s",
        "sec",
        "secs",
        "second",
        "seconds",
        "sek",
        "sekunde",
        "sekunden",
        "seg",
        "segundos",
        "seconde",
        "secondes",
        "ث",
    ),
    "min": ("m", "min", "mins", "minute", "minutes", "minuten", "minutos", "د"),
    "h": ("h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "hora", "horas", "heure", "heures", "س"),
    "d": ("d", "day", "days", "t", "tag", "tage", "día", "días", "dia", "dias", "j", "jour", "jours", "ي"),
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words}


def parse_duration(text: str, *, day: timedelta = DAY) -> timedelta:
    """The time meant by `text`; one `d` is as long as `day` (a working day of the calendar, say).

    Raises ValueError `duration_invalid` for anything else, a sign, or more than a year of days.
    """
    rest = text.strip().lower()
    total = timedelta()
    if not rest:
        raise ValueError("duration_invalid")
    while rest:
        found = _PART.match(rest)
        unit = _UNIT_OF.get(found[2]) if found else None
        if found is None or unit is None:
            raise ValueError("duration_invalid")
        amount = float(found[1].replace(",", "."))
        length = day if unit == "d" else timedelta(seconds=_SECONDS[unit])
        if amount * length.total_seconds() > LONGEST.total_seconds():
            raise ValueError("duration_invalid")
        total += length * amount
        rest = rest[found.end() :].lstrip(" ,")
    if total > LONGEST:
        raise ValueError("duration_invalid")
    return timedelta(seconds=round(total.total_seconds()))


def format_duration(span: timedelta, *, day: timedelta = DAY) -> str:
    """The shortest text that `parse_duration` reads back as the same time, given the same `day`."""
    seconds = int(span.total_seconds())
    length = int(day.total_seconds())
    if seconds and length and seconds % length == 0:
        return f"{seconds // length} d"
    hours, rest = divmod(seconds, 3600)
    minutes, secs = divmod(rest, 60)
    parts = [f"{amount} {unit}" for amount, unit in ((hours, "h"), (minutes, "min"), (secs, "s")) if amount]
    return " ".join(parts) or "0 min"


def working_day(intervals: Iterable[tuple[int, int, int]]) -> timedelta:
    """The longest day of a week of (weekday, start minute, end minute) intervals; a full day where there is none."""
    totals: dict[int, int] = {}
    for weekday, start, end in intervals:
        totals[weekday] = totals.get(weekday, 0) + end - start
    return timedelta(minutes=max(totals.values(), default=24 * 60))
