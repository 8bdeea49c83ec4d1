"""Times as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal.lib.durations import DAY, LONGEST, format_duration, parse_duration, working_day

NINE_HOURS = timedelta(hours=9)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20 s", 20),
        ("15 min", 900),
        ("15min", 900),
        ("15m", 900),
        ("4 h", 14_400),
        (" 4 H ", 14_400),
        ("1 h 30 min", 5_400),
        ("1h30min", 5_400),
        ("1.5 h", 5_400),
        ("1,5 h", 5_400),
        ("3 d", 259_200),
        ("2 Stunden", 7_200),
        ("2 días", 172_800),
        ("3 jours, 2 heures", 266_400),
        ("٣ س", 10_800),
        ("0 min", 0),
        ("90 min.", 5_400),
    ],
)
def test_reads(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "4", "h", "four h", "-4 h", "4 weeks", "4 h later", "1e9 h", "999999999 d", "NaN h", "4h\x00", "1..5 h"],
)
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="duration_invalid"):
        parse_duration(text)


def test_a_day_can_be_a_working_day() -> None:
    assert parse_duration("3 d", day=NINE_HOURS) == timedelta(hours=27)
    assert format_duration(timedelta(hours=27), day=NINE_HOURS) == "3 d"
    assert format_duration(timedelta(hours=24), day=NINE_HOURS) == "24 h"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 min"), (20, "20 s"), (90, "1 min 30 s"), (5_400, "1 h 30 min"), (172_800, "2 d")]
)
def test_writes(seconds: int, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


@given(
    some.integers(0, int(LONGEST.total_seconds())).map(lambda seconds: timedelta(seconds=seconds)),
    some.sampled_from([DAY, NINE_HOURS, timedelta(hours=7, minutes=30)]),
)
def test_what_is_written_is_read_back(span: timedelta, day: timedelta) -> None:
    assert parse_duration(format_duration(span, day=day), day=day) == span


def test_the_longest_day_of_the_week_counts() -> None:
    assert working_day([(0, 480, 720), (0, 780, 1080), (4, 480, 720)]) == NINE_HOURS
    assert working_day([]) == DAY
