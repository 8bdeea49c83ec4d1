"""The address of the payment history: what it says, in whole; values that make no sense are left out (BIL-12)."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for
from werkzeug.datastructures import MultiDict

from portal.blueprints import http
from portal.blueprints.localisation import format_day, gettext, select_timezone
from portal.blueprints.payments.presenters import money
from portal.lib.money import Money, parse_amount
from portal.lib.wording import N_
from portal.lib.wording.payments import METHOD_KIND, STATUS
from portal.models import PaymentStatus
from portal.services.billing.settings import load_settings
from portal.services.payments.filters import PRESETS, Narrowing, Outcome
from portal.services.payments.queries import PaymentFilter

OUTCOMES = {
    "success": N_("Paid"),
    "pending": N_("On its way"),
    "failed": N_("Failed"),
    "refunded": N_("Refunded"),
}
PRESET_NAMES = {
    "this_month": N_("This month"),
    "last_month": N_("Last month"),
    "last_30_days": N_("Last 30 days"),
    "last_90_days": N_("Last 90 days"),
    "this_year": N_("This year"),
    "last_year": N_("Last year"),
}
LONGEST = 100


@dataclass(frozen=True)
class HistoryAddress:
    """Everything that narrows the list; `status` is an outcome, or a state by its own name."""

    q: str = ""
    status: str = ""
    preset: str = ""
    start: str = ""
    end: str = ""
    service: str = ""
    method: str = ""
    min: str = ""
    max: str = ""

    @classmethod
    def read(cls, args: MultiDict[str, str]) -> "HistoryAddress":
        """The address of a request."""
        status, preset, method = args.get("status", ""), args.get("preset", ""), args.get("method", "")
        return cls(
            q=args.get("q", "").strip()[:LONGEST],
            status=status if status in OUTCOMES or status in STATUS else "",
            preset=preset if preset in PRESETS else "",
            start=_day(args.get("start")),
            end=_day(args.get("end")),
            service=args.get("service", "")[:LONGEST].replace("\x00", ""),
            method=method if method in METHOD_KIND or method == "credit" else "",
            min=_amount(args.get("min")),
            max=_amount(args.get("max")),
        )

    def values(self) -> dict[str, str]:
        """What is said, for addresses that say the same."""
        return {name: value for name, value in vars(self).items() if value}

    def filter(self) -> PaymentFilter:
        """What the service is asked for; days that are named count before a preset."""
        first, last = self._days()
        known = self.status in STATUS and self.status not in OUTCOMES
        currency = load_settings(http.session()).currency if self.min or self.max else ""
        return PaymentFilter(
            statuses=(PaymentStatus(self.status),) if known else (),
            first=first,
            last=last,
            zone=select_timezone(),
            search=self.q,
            more=Narrowing(
                outcome=Outcome(self.status) if self.status in OUTCOMES else None,
                method=self.method,
                service=self.service,
                least=_minor(self.min, currency),
                most=_minor(self.max, currency),
                currency=currency,
            ),
        )

    def words(self) -> dict[str, str]:
        """What narrows it, in the reader's language, for the head of a document."""
        first, last = self._days()
        wanted = self.filter().more
        found = {
            gettext("Number"): self.q,
            gettext("State"): gettext(OUTCOMES.get(self.status) or STATUS[self.status]) if self.status else "",
            gettext("From"): format_day(first) if first else "",
            gettext("To"): format_day(last) if last else "",
            gettext("Service"): self.service,
            gettext("Method"): gettext(METHOD_KIND.get(self.method, N_("Credit"))) if self.method else "",
            gettext("At least"): money(wanted.least, wanted.currency) if wanted.least is not None else "",
            gettext("At most"): money(wanted.most, wanted.currency) if wanted.most is not None else "",
        }
        return {label: text for label, text in found.items() if text}

    def _days(self) -> tuple[date | None, date | None]:
        if self.preset and not (self.start or self.end):
            return PRESETS[self.preset](http.now().astimezone(ZoneInfo(select_timezone())).date())
        return (
            date.fromisoformat(self.start) if self.start else None,
            date.fromisoformat(self.end) if self.end else None,
        )


def choices(services: list[str]) -> dict[str, Any]:
    """What the fields offer."""
    return {
        "statuses": [("", gettext("Any state")), *((key, gettext(label)) for key, label in OUTCOMES.items())],
        "presets": [("", gettext("Any time")), *((key, gettext(label)) for key, label in PRESET_NAMES.items())],
        "services": [("", gettext("Any service")), *((name, name) for name in services)],
        "methods": [
            ("", gettext("Any method")),
            *((key, gettext(label)) for key, label in METHOD_KIND.items()),
            ("credit", gettext("Credit")),
        ],
    }


def _day(value: str | None) -> str:
    try:
        day = date.fromisoformat(value or "")
    except ValueError:
        return ""
    return day.isoformat() if 1970 < day.year < 9000 else ""


def _amount(value: str | None) -> str:
    """An amount as it was typed, with a point; nothing for what is none."""
    text = (value or "").strip().replace(",", ".")
    return text if text and _minor(text, "EUR") is not None else ""


def _minor(text: str, currency: str) -> int | None:
    try:
        found: Money = parse_amount(text, currency)
    except ValueError:
        return None
    return found.amount


def chips(given: dict[str, Any], offered: dict[str, list[tuple[str, str]]]) -> list[dict[str, str]]:
    """What narrows the list, each with the address without it; words stand in their own field."""
    labels = {
        "status": (gettext("State"), dict(offered["statuses"])),
        "preset": (gettext("Period"), dict(offered["presets"])),
        "start": (gettext("From"), {}),
        "end": (gettext("To"), {}),
        "service": (gettext("Service"), {}),
        "method": (gettext("Method"), dict(offered["methods"])),
        "min": (gettext("At least"), {}),
        "max": (gettext("At most"), {}),
    }
    return [
        {
            "field": label,
            "value": words.get(given[name], given[name]),
            "remove_url": url_for("payments.index", **without(given, name)),
        }
        for name, (label, words) in labels.items()
        if name in given
    ]


def without(given: dict[str, Any], name: str) -> dict[str, Any]:
    """The filters but one."""
    return {key: value for key, value in given.items() if key != name}
