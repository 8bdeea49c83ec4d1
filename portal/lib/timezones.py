"""Time zones that people choose from."""

from functools import lru_cache
from zoneinfo import available_timezones

_AREAS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def is_timezone(name: str) -> bool:
    """Whether the name is one of the IANA database."""
    return name in available_timezones()


@lru_cache
def timezone_choices() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """(area, ((name, place), …)) of every zone that is named by a place, and UTC."""
    groups: dict[str, list[tuple[str, str]]] = {"UTC": [("UTC", "UTC")]}
    for name in sorted(available_timezones()):
        area, _, place = name.partition("/")
        if area in _AREAS and place:
            groups.setdefault(area, []).append((name, place.replace("_", " ").replace("/", " · ")))
    return tuple((area, tuple(zones)) for area, zones in groups.items())
