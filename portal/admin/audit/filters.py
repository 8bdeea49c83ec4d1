"""The filters of the trail's page, as they stand in its address."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import request, url_for

from portal.blueprints.localisation import gettext, select_timezone
from portal.lib.text import has_forbidden_characters
from portal.lib.wording import N_
from portal.lib.wording.audit import action_text, record_text
from portal.services.audit.queries import AuditFilter

# Name in the address, and what it is called.
FIELDS = {
    "actor": N_("By"),
    "action": N_("Action"),
    "record_type": N_("Kind of record"),
    "record_id": N_("Record"),
    "since": N_("From"),
    "until": N_("Until"),
    "address": N_("From address"),
    "denials": N_("Denials only"),
}
TEXT_LENGTH = 100
_EARLIEST, _LATEST = date(2000, 1, 1), date(2999, 12, 31)


def given_filters() -> dict[str, str]:
    """Every filter of the request's address, empty where it is not set."""
    given = {name: _clean(request.args.get(name, "")) for name in FIELDS}
    return given | {"denials": "1" if given["denials"] == "1" else ""}


def read_filter(given: Mapping[str, str], cursor: str | None = None) -> AuditFilter:
    """What the service takes."""
    return AuditFilter(
        actor=given["actor"],
        action=given["action"],
        record_type=given["record_type"],
        record_id=_uuid(given["record_id"]),
        since=_day(given["since"]),
        until=_day(given["until"], after=True),
        address=given["address"],
        denials=bool(given["denials"]),
        cursor=cursor,
    )


def filter_chips(kept: Mapping[str, str]) -> list[dict[str, str]]:
    """The filters that are set, each with the address that leaves it out."""
    words = {
        "action": lambda value: action_text(value, gettext),
        "record_type": lambda value: record_text(value, gettext),
        "denials": lambda value: gettext("Yes"),
    }
    return [
        {
            "field": gettext(FIELDS[name]),
            "value": words[name](value) if name in words else value,
            "remove": page_url({key: other for key, other in kept.items() if key != name}),
        }
        for name, value in kept.items()
    ]


def page_url(kept: Mapping[str, Any], cursor: str | None = None, *, endpoint: str = "audit.index") -> str:
    """A page of the trail (or the file) with these filters."""
    return url_for(endpoint, **kept, cursor=cursor)


def _clean(text: str) -> str:
    return "" if has_forbidden_characters(text) else text.strip()[:TEXT_LENGTH]


def _uuid(text: str) -> UUID | None:
    """The id; a text that is none finds nothing, rather than everything."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _day(text: str, *, after: bool = False) -> datetime | None:
    """Midnight of a day in the reader's zone; `after` gives the next one. Unreadable dates are left out."""
    try:
        day = min(max(date.fromisoformat(text), _EARLIEST), _LATEST)
    except ValueError:
        return None
    start = datetime.combine(day + timedelta(days=int(after)), time(), ZoneInfo(select_timezone()))
    return start.astimezone(UTC)
