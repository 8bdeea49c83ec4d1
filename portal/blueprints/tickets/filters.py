"""The list's address: what it says, and addresses that say something else."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from portal.blueprints import http
from portal.blueprints.localisation import format_day, gettext, select_timezone
from portal.lib.wording.tickets import PRIORITY, STATUS_FOR_CUSTOMERS
from portal.models import TicketPriority, TicketStatus
from portal.services.tickets.listing import TicketFilter

TABS = ("open", "waiting", "solved", "all")
SORTS = ("updated", "created", "priority", "status")
# Eighteen rows keep the page below 40 KB.
LIMITS = (18, 50, 100)
# Rows of a search also show where its words stand; so many weigh what eighteen others do, in Arabic, too.
SEARCHED = 14
QUERY_LENGTH = 200
FIELDS = ("status", "category", "priority", "created_from", "created_to")


_KEY = re.compile(r"[a-z0-9_-]{1,50}")


@dataclass(frozen=True)
class ListAddress:
    """The list's query parameters; values that make no sense are left out, so that old links still work."""

    view: str = "open"
    q: str = ""
    status: str = ""
    category: str = ""
    priority: str = ""
    created_from: str = ""
    created_to: str = ""
    sort: str = "-updated"
    limit: int = LIMITS[0]
    cursor: str = ""

    @classmethod
    def read(cls, args: MultiDict[str, str]) -> "ListAddress":
        """The address of a request."""
        sort = args.get("sort", "-updated")
        q = args.get("q", "").strip()[:QUERY_LENGTH]
        status = _known(args.get("status"), {status.value for status in TicketStatus})
        view = args.get("view", "")
        limit = args.get("limit", "")
        return cls(
            view=view if view in TABS else _usual_view(q, status),
            q=q,
            status=status,
            category=category if _KEY.fullmatch(category := args.get("category", "")) else "",
            priority=_known(args.get("priority"), {priority.value for priority in TicketPriority}),
            created_from=_day(args.get("created_from")),
            created_to=_day(args.get("created_to")),
            sort=sort if sort.removeprefix("-") in SORTS else "-updated",
            limit=int(limit) if limit.isascii() and limit.isdigit() and int(limit) in LIMITS else LIMITS[0],
            cursor=args.get("cursor", "")[:300],
        )

    def url(self, **changes: Any) -> str:
        """The list with something changed; a page never survives a change of what is listed."""
        values = {**vars(self), "cursor": "", **changes}
        default = {**_DEFAULTS, "view": _usual_view(values["q"], values["status"])}
        return http.address_of("tickets.index", **{name: v for name, v in values.items() if v != default[name]})

    def filter(self) -> TicketFilter:
        """What the service is asked for."""
        return TicketFilter(
            view=None if self.status else self.view,
            q=self.q,
            status=(TicketStatus(self.status),) if self.status else (),
            category=(self.category,) if self.category else (),
            priority=(TicketPriority(self.priority),) if self.priority else (),
            created_from=_midnight(self.created_from),
            created_to=_midnight(self.created_to, after=True),
            sort=self.sort.removeprefix("-"),
            descending=self.sort.startswith("-"),
            limit=SEARCHED if self.q and self.limit == LIMITS[0] else self.limit,
            cursor=self.cursor or None,
        )

    def without(self) -> dict[str, TicketFilter]:
        """What is asked for when one of the things that narrow the list is dropped, by its name."""
        names = [name for name in ("q", *FIELDS) if getattr(self, name)]
        asked = {name: replace(self, cursor="", **cast("dict[str, Any]", {name: ""})).filter() for name in names}
        if self.view != "all" and not self.status:
            asked["view"] = replace(self, view="all", cursor="").filter()
        return asked

    def chips(self, categories: dict[str, str]) -> list[dict[str, str]]:
        """What narrows the list, each with the address without it."""
        words = {
            "q": (gettext("Search"), self.q),
            "status": (gettext("Status"), gettext(STATUS_FOR_CUSTOMERS.get(self.status, self.status))),
            "category": (gettext("Category"), categories.get(self.category, self.category)),
            "priority": (gettext("Priority"), gettext(PRIORITY.get(self.priority, self.priority))),
            "created_from": (gettext("Opened from"), _day_name(self.created_from)),
            "created_to": (gettext("Opened until"), _day_name(self.created_to)),
        }
        return [
            {"name": name, "field": words[name][0], "value": words[name][1], "remove_url": self.url(**{name: ""})}
            for name in ("q", *FIELDS)
            if getattr(self, name)
        ]


_DEFAULTS = vars(ListAddress())


def _known(value: str | None, known: set[str]) -> str:
    return value if value in known else ""


def _day(value: str | None) -> str:
    try:
        day = date.fromisoformat(value or "")
    except ValueError:
        return ""
    return day.isoformat() if 1970 <= day.year <= 9000 else ""


def _usual_view(q: str, status: str) -> str:
    """Whoever looks for something looks everywhere; else what is open comes first."""
    return "all" if q or status else "open"


def _day_name(day: str) -> str:
    return format_day(date.fromisoformat(day)) if day else ""


def _midnight(day: str, *, after: bool = False) -> datetime | None:
    if not day:
        return None
    local = datetime.combine(date.fromisoformat(day) + timedelta(days=1 if after else 0), time())
    return local.replace(tzinfo=ZoneInfo(select_timezone())).astimezone(UTC)
