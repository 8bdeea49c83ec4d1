"""The month of payments: a part of the dashboard that fills itself, and a page of its own (H1.7)."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_day, gettext
from portal.blueprints.payments.presenters import money
from portal.blueprints.policies import permission
from portal.lib.i18n import babel_locale
from portal.lib.wording.scheduled import MARKS
from portal.services.payments.calendar import Mark, MarkKind, month_after, read_month

bp = Blueprint("payment_calendar", __name__)
# Kind of a mark -> colour and sign of its badge; the words stand beside it.
BADGES = {
    MarkKind.DUE: ("warn", "ring"),
    MarkKind.SCHEDULED: ("accent", "half"),
    MarkKind.AUTO_PAY: ("accent", "check"),
}
NEAREST, FURTHEST = 2000, 2999


@bp.get("/portal/calendar")
@permission(Permission.INVOICES_READ)
def month() -> ResponseReturnValue:
    """A month, this one unless the address names another."""
    zone = ZoneInfo(http.tenant().timezone)
    today = http.now().astimezone(zone).date()
    first = _month(request.args.get("month", ""), today)
    marks = read_month(http.session(), first, zone=zone, actor=http.actor())
    locale = babel_locale(current_locale())
    context = {
        "title": format_date(first, "LLLL y", locale=locale),
        "weekdays": _weekdays(locale),
        "weeks": _weeks(first, today, marks, locale.first_week_day),
        "days": _days(marks),
        "earlier": month_after(first, -1).strftime("%Y-%m"),
        "later": month_after(first).strftime("%Y-%m"),
        "current": first == today.replace(day=1),
    }
    page = "payments/_calendar.html" if http.wants_fragment() else "payments/calendar.html"
    return render_template(page, **context)


def _month(text: str, today: date) -> date:
    """The first day of the month that is named `2026-11`; of this one where it is not."""
    year, _, number = text.partition("-")
    if not (text.isascii() and year.isdigit() and number.isdigit() and len(text) == 7):
        return today.replace(day=1)
    known = NEAREST <= int(year) <= FURTHEST and 1 <= int(number) <= 12
    return date(int(year), int(number), 1) if known else today.replace(day=1)


def _weekdays(locale: Locale) -> list[dict[str, str]]:
    """Names of the days of the week, beginning as the reader's do."""
    start = date(2024, 1, 1) + timedelta(days=locale.first_week_day)
    days = [start + timedelta(days=offset) for offset in range(7)]
    return [
        {"short": format_date(day, "ccc", locale=locale), "full": format_date(day, "cccc", locale=locale)}
        for day in days
    ]


def _weeks(first: date, today: date, marks: list[Mark], starts: int) -> list[list[dict[str, Any] | None]]:
    """Rows of seven days; None outside of the month."""
    lead = (first.weekday() - starts) % 7
    count = (month_after(first) - first).days
    by_day = _by_day(marks)
    cells: list[dict[str, Any] | None] = [None] * lead
    for offset in range(count):
        day = first + timedelta(days=offset)
        cells.append({"number": day.day, "iso": day.isoformat(), "today": day == today, "marks": by_day.get(day, [])})
    cells += [None] * (-len(cells) % 7)
    return [cells[start : start + 7] for start in range(0, len(cells), 7)]


def _days(marks: list[Mark]) -> list[dict[str, Any]]:
    """The same as a list, for narrow screens."""
    return [{"day": format_day(day), "marks": found} for day, found in _by_day(marks).items()]


def _by_day(marks: list[Mark]) -> dict[date, list[dict[str, Any]]]:
    found: dict[date, list[dict[str, Any]]] = {}
    for mark in marks:
        tone, shape = BADGES[mark.kind]
        found.setdefault(mark.day, []).append(
            {
                "label": gettext(MARKS[mark.kind.value]),
                "tone": tone,
                "shape": shape,
                "number": mark.number,
                "invoice_id": mark.invoice_id,
                "amount": money(mark.amount, mark.currency),
            }
        )
    return found
