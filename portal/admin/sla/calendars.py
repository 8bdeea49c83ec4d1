"""Working hours: the calendars that promises are counted in."""

from typing import Any
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import Form

from portal.admin.base import route
from portal.admin.editing import EditableModelView
from portal.admin.navigation import weekday_name
from portal.admin.sla.forms import CalendarEditForm, hours_text
from portal.admin.sla.moving import chosen_for, go_back, moves_shown, version_rows
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.models import BusinessCalendar
from portal.services.tickets.calendars import get_calendar, list_calendars
from portal.services.tickets.sla_moves import preview_calendar
from portal.services.tickets.sla_policies import restore_calendar, save_calendar
from portal.services.tickets.sla_versions import CALENDAR

# What most tenants need; any other zone can be typed.
ZONES = [
    "UTC",
    "Europe/Paris",
    "Europe/Berlin",
    "Europe/Vienna",
    "Europe/Zurich",
    "Europe/Madrid",
    "Europe/Lisbon",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Brussels",
    "Europe/Amsterdam",
    "Europe/Rome",
    "Europe/Warsaw",
    "Europe/Athens",
    "Europe/Istanbul",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Riyadh",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/Bogota",
    "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires",
]


def hours_by_days(calendar: BusinessCalendar) -> list[tuple[str, str]]:
    """(days, hours) in words; neighbouring days with the same hours are one entry."""
    spans: dict[int, list[tuple[int, int]]] = {}
    for day, start, end in calendar.intervals:
        spans.setdefault(day, []).append((start, end))
    groups: list[tuple[int, int, str]] = []
    for day in sorted(spans):
        text = hours_text(spans[day])
        if groups and groups[-1][1] == day - 1 and groups[-1][2] == text:
            groups[-1] = (groups[-1][0], day, text)
        else:
            groups.append((day, day, text))
    return [(_days(first, last), text) for first, last, text in groups]


def _days(first: int, last: int) -> str:
    if first == last:
        return weekday_name(first)
    return f"{weekday_name(first)}–{weekday_name(last)}"


class CalendarsView(EditableModelView):
    """The list of calendars and the form of one."""

    policy = Permission.SLA_READ
    write_policy = Permission.SLA_CONFIGURE
    routes = frozenset({"index_view", "create_view", "edit_view", "versions_view", "restore_view"})
    record = "calendar"
    columns = (("name", lazy_gettext("Working hours")),)
    form = CalendarEditForm
    list_template = "admin/sla/calendars.html"
    create_template = edit_template = "admin/sla/calendar_form.html"
    helpers = {"hours_by_days": hours_by_days, "zones": ZONES}

    def __init__(self) -> None:
        super().__init__(BusinessCalendar, lazy_gettext("Working hours"), "sla_calendars", "sla/calendars")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[BusinessCalendar]:
        """Calendars by name."""
        return list_calendars(http.session())[offset : offset + limit]

    def find_one(self, record_id: UUID) -> BusinessCalendar:
        """A calendar."""
        return get_calendar(http.session(), record_id)

    def create_form(self, obj: Any = None) -> Form:
        """A new calendar: office hours to begin with."""
        form = CalendarEditForm(request.form if request.method == "POST" else None)
        if request.method != "POST":
            form.timezone.data = http.tenant().timezone
            for weekday in range(5):
                form[f"day_{weekday}"].data = "08:00–12:00, 13:00–18:00"
        return form

    def edit_form(self, obj: BusinessCalendar | None = None) -> Form:
        """The stored calendar, or what was typed over it."""
        form = CalendarEditForm(request.form if request.method == "POST" else None)
        if request.method != "POST" and obj is not None:
            form.fill(obj)
        return form

    def save(self, form: Any, record: BusinessCalendar | None) -> BusinessCalendar:
        """Have the service store it, once it is said what open tickets do."""
        session, actor, now = http.session(), http.actor(), http.now()
        calendar_id, wanted = record.id if record else None, form.read()
        choice = chosen_for(lambda: preview_calendar(session, calendar_id, wanted, actor=actor, now=now))
        return save_calendar(session, calendar_id, form=wanted, actor=actor, now=now, open_tickets=choice)

    def choices(self) -> dict[str, Any]:
        """The tickets that a change moves, once it was looked at."""
        return moves_shown()

    @route("/versions/")
    def versions_view(self) -> ResponseReturnValue:
        """What the hours were before, and the way back."""
        record: BusinessCalendar = self.get_one(request.args.get("id"))
        return self.render(
            "admin/sla/versions.html",
            heading=record.name,
            record_id=record.id,
            record_url=url_for("sla_calendars.edit_view", id=record.id),
            up_label=gettext("Working hours"),
            up_url=url_for("sla_calendars.index_view"),
            restore_url=url_for("sla_calendars.restore_view"),
            versions=version_rows(CALENDAR, record.id),
        )

    @route("/restore/", methods=("POST",))
    @permission(Permission.SLA_CONFIGURE)
    def restore_view(self) -> ResponseReturnValue:
        """Go back to a version."""
        return go_back(restore_calendar, "sla_calendars")
