"""What the company spends: figures of a year, with drawings and the same as tables (BIL-10)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.billing.discounts import discounts_view
from portal.blueprints.billing.overview_schemas import SpendingList, SpendingQuery, YearSpending
from portal.blueprints.billing.presenters import money
from portal.blueprints.localisation import current_locale, gettext, ngettext
from portal.blueprints.policies import permission
from portal.lib.i18n import format_minute, text_direction
from portal.lib.money_format import format_rate
from portal.lib.wording import N_
from portal.lib.wording.payments import METHOD_KIND
from portal.services.billing.spending import Spending, read_spending

bp = Blueprint("spending", __name__, url_prefix="/portal/invoices/overview")
api = Blueprint("spending_api", __name__, url_prefix="/api/v1/portal")
YEARS = 6
# The drawing: twelve columns in a field of these units, with room for names below.
WIDTH, HEIGHT, STEP, BAR = 720, 180, 60, 36


@bp.get("")
@permission(Permission.INVOICES_READ)
def index() -> ResponseReturnValue:
    """A year of invoices and payments; everything about it is in the address."""
    this_year = _today_year()
    year = _year(request.args.get("year", ""), this_year)
    found = _read(year)
    return render_template(
        "billing/overview.html",
        year=year,
        years=[(str(one), str(one)) for one in range(this_year, this_year - YEARS, -1)],
        parts=[_view(one, year) for one in found],
        **discounts_view(),
    )


@api.get("/spending")
@permission(Permission.INVOICES_READ)
@operation("Read a year's spending", query=SpendingQuery, answer=SpendingList)
def spending(query: SpendingQuery) -> SpendingList:
    """By currency: how invoices of the year stand, months, services and methods."""
    year = query.year if query.year is not None else _today_year()
    return SpendingList(year=year, items=[YearSpending.of(one) for one in _read(year)])


def _read(year: int) -> list[Spending]:
    zone = http.tenant().timezone
    return read_spending(http.session(), year, zone=zone, actor=http.actor(), now=http.now())


def _today_year() -> int:
    return http.now().astimezone(ZoneInfo(http.tenant().timezone)).year


def _year(text: str, this_year: int) -> int:
    digits = text.strip()
    year = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) == 4 else this_year
    return year if this_year - YEARS < year <= this_year else this_year


def _view(found: Spending, year: int) -> dict[str, Any]:
    currency = found.currency
    return {
        "currency": currency,
        "total": money(found.total, currency),
        "paid": _standing(found.paid.count, found.paid.amount, currency),
        "pending": _standing(found.pending.count, found.pending.amount, currency),
        "overdue": _standing(found.overdue.count, found.overdue.amount, currency),
        "days": _days(found.days_to_pay),
        "columns": _columns(found, year),
        "width": WIDTH,
        "height": HEIGHT,
        "services": _bars(
            [(name or gettext("Without a service type"), amount) for name, amount in found.services], currency
        ),
        "methods": _bars(
            [(gettext(METHOD_KIND.get(name, N_("Credit"))), amount) for name, amount in found.methods], currency
        ),
    }


def _standing(count: int, amount: int, currency: str) -> dict[str, str]:
    return {"amount": money(amount, currency), "note": ngettext("%(num)d invoice", "%(num)d invoices", count)}


def _days(average: float | None) -> str:
    if average is None:
        return ""
    rounded = round(average)
    return ngettext("%(num)d day", "%(num)d days", rounded)


def _columns(found: Spending, year: int) -> list[dict[str, Any]]:
    """Twelve columns; their places follow the direction of the language."""
    highest = max((*found.months, 1))
    rtl = _is_rtl()
    columns = []
    for place, amount in enumerate(found.months):
        height = max(0, amount) * HEIGHT // highest
        at = datetime(year, place + 1, 15, 12, tzinfo=UTC)
        columns.append(
            {
                "x": (11 - place if rtl else place) * STEP + (STEP - BAR) // 2,
                "middle": (11 - place if rtl else place) * STEP + STEP // 2,
                "y": HEIGHT - height,
                "height": height,
                "bar": BAR,
                "name": format_minute(at, current_locale(), "UTC", "LLLL"),
                "short": format_minute(at, current_locale(), "UTC", "LLL"),
                "amount": money(amount, found.currency),
            }
        )
    return columns


def _is_rtl() -> bool:
    return text_direction(current_locale()) == "rtl"


def _bars(rows: list[tuple[str, int]], currency: str) -> list[dict[str, Any]]:
    """Bars of a hundred units, each with its share of the whole."""
    highest = max((*(amount for _, amount in rows), 1))
    whole = sum(max(0, amount) for _, amount in rows) or 1
    rtl = _is_rtl()
    return [
        {
            "name": name,
            "amount": money(amount, currency),
            "length": (length := max(0, amount) * 100 // highest),
            "x": 100 - length if rtl else 0,
            "share": format_rate(Decimal(max(0, amount) * 100 // whole), current_locale()),
        }
        for name, amount in rows
    ]
