"""The list's address: what it says, and addresses that say something else."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from portal.blueprints import http
from portal.blueprints.localisation import format_day, gettext
from portal.lib.wording.billing import STATUS
from portal.models import UNPAID, InvoiceStatus
from portal.services.billing.queries import SEARCH_LENGTH, InvoiceFilter

TABS = ("open", "paid", "all")
LIMIT = 20
FIELDS = ("q", "status", "issued_from", "issued_to")


@dataclass(frozen=True)
class InvoicesAddress:
    """The list's query parameters; values that make no sense are left out, so that old links still work."""

    endpoint: str = "invoices.index"
    view: str = "all"
    q: str = ""
    status: str = ""
    issued_from: str = ""
    issued_to: str = ""
    cursor: str = ""

    @classmethod
    def read(cls, args: MultiDict[str, str], endpoint: str = "invoices.index") -> "InvoicesAddress":
        """The address of a request."""
        status, view = args.get("status", ""), args.get("view", "")
        known = {one.value for one in InvoiceStatus if one is not InvoiceStatus.DRAFT}
        return cls(
            endpoint=endpoint,
            view=view if view in TABS else "all",
            q=args.get("q", "").strip()[:SEARCH_LENGTH],
            status=status if status in known else "",
            issued_from=_day(args.get("issued_from")),
            issued_to=_day(args.get("issued_to")),
            cursor=args.get("cursor", "")[:300],
        )

    def url(self, **changes: Any) -> str:
        """The list with something changed; a page never survives a change of what is listed."""
        values = {**vars(self), "cursor": "", **changes}
        values.pop("endpoint")
        default = vars(InvoicesAddress())
        return http.address_of(self.endpoint, **{name: v for name, v in values.items() if v != default[name]})

    def filter(self) -> InvoiceFilter:
        """What the service is asked for."""
        states = {"open": tuple(UNPAID), "paid": (InvoiceStatus.PAID,), "all": ()}[self.view]
        return InvoiceFilter(
            status=(InvoiceStatus(self.status),) if self.status else states,
            issued_from=date.fromisoformat(self.issued_from) if self.issued_from else None,
            issued_to=date.fromisoformat(self.issued_to) if self.issued_to else None,
            q=self.q,
            limit=LIMIT,
            cursor=self.cursor or None,
        )

    def chips(self) -> list[dict[str, str]]:
        """What narrows the list, each with the address without it."""
        words = {
            "q": (gettext("Search"), self.q),
            "status": (gettext("Status"), gettext(STATUS.get(self.status, self.status))),
            "issued_from": (gettext("Issued from"), _day_name(self.issued_from)),
            "issued_to": (gettext("Issued until"), _day_name(self.issued_to)),
        }
        return [
            {"field": words[name][0], "value": words[name][1], "remove_url": self.url(**{name: ""})}
            for name in FIELDS
            if getattr(self, name)
        ]

    def tabs(self) -> list[dict[str, Any]]:
        """All, unpaid and paid ones."""
        labels = {"all": gettext("All"), "open": gettext("Unpaid"), "paid": gettext("Paid")}
        return [
            {"label": labels[view], "url": self.url(view=view, status=""), "current": view == self.view}
            for view in ("all", "open", "paid")
        ]


def _day(value: str | None) -> str:
    try:
        day = date.fromisoformat(value or "")
    except ValueError:
        return ""
    return day.isoformat() if 1970 < day.year < 9000 else ""


def _day_name(value: str) -> str:
    return format_day(date.fromisoformat(value)) if value else ""
