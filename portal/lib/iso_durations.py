"""ISO 8601 durations as settings hold them: `P3D`, `-P2DT15H`, `PT5S`; weeks to seconds, a leading minus for "before".

Months and years have no fixed length, so they are refused.
"""

import re
from datetime import timedelta

LONGEST = timedelta(days=3660)
_FORM = re.compile(
    r"(?P<sign>-)?P(?=[0-9T])(?:(?P<weeks>[0-9]{1,4})W)?(?:(?P<days>[0-9]{1,5})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,7})M)?(?:(?P<seconds>[0-9]{1,9})S)?)?",
    re.ASCII,
)


def parse_iso_duration(text: str) -> timedelta:
    """The duration; ValueError for any other text, and for more than ten years."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(text)
    parts = {name: int(value) for name, value in found.groupdict().items() if value and name != "sign"}
    span = timedelta(**parts)
    if span > LONGEST:
        raise ValueError(text)
    return -span if found["sign"] else span


def format_iso_duration(span: timedelta) -> str:
    """The shortest text of it; `parse_iso_duration` reads it back."""
    sign, rest = ("-", -span) if span < timedelta() else ("", span)
    hours, seconds = divmod(rest.seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    day = f"{rest.days}D" if rest.days else ""
    clock = "".join(f"{amount}{unit}" for amount, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if amount)
    return f"{sign}P{day}{'T' if clock else ''}{clock}" if day or clock else "PT0S"
