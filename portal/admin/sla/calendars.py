"""Working hours: the calendars that promises are counted in."""

from typing import Any
from uuid import UUID

from flask import request
from flask_babel import lazy_gettext
from wtforms import Form

from portal.admin.base import ServiceModelView
from portal.admin.sla.forms import CalendarEditForm, hours_text
from portal.authz import Permission
from portal.blueprints import http
from portal.models import BusinessCalendar
from portal.services.tickets.calendars import get_calendar, list_calendars
from portal.services.tickets.sla_policies import save_calendar

# What most tenants need; any other zone can be typed.
ZONES = (
    "UTC Europe/Paris Europe/Berlin Europe/Vienna Europe/Zurich Europe/Madrid Europe/Lisbon Europe/London "
    "Europe/Dublin Europe/Brussels Europe/Amsterdam Europe/Rome Europe/Warsaw Europe/Athens Europe/Istanbul "
    "Africa/Casablanca Africa/Cairo Asia/Riyadh Asia/Dubai Asia/Kolkata Asia/Singapore Asia/Tokyo "
    "Australia/Sydney America/New_York America/Chicago America/Denver America/Los_Angeles America/Mexico_City "
    "America/Bogota America/Sao_Paulo America/Argentina/Buenos_Aires"
).split()


def hours_by_day(calendar: BusinessCalendar) -> list[tuple[int, str]]:
    """(weekday, hours) for the days that are worked."""
    days = sorted({day for day, _, _ in calendar.intervals})
    return [
        (weekday, hours_text((start, end) for day, start, end in calendar.intervals if day == weekday))
        for weekday in days
    ]


class CalendarsView(ServiceModelView):
    """The list of calendars and the form of one."""

    policy = Permission.SLA_READ
    write_policy = Permission.SLA_CONFIGURE
    routes = frozenset({"index_view", "create_view", "edit_view"})
    record = "calendar"
    columns = (("name", lazy_gettext("Working hours")),)
    form = CalendarEditForm
    list_template = "admin/sla/calendars.html"
    create_template = edit_template = "admin/sla/calendar_form.html"
    helpers = {"hours_by_day": hours_by_day, "zones": ZONES}

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

    def save(self, form: Form, record: BusinessCalendar | None) -> BusinessCalendar:
        """Have the service store it; open tickets follow."""
        return save_calendar(
            http.session(),
            record.id if record else None,
            form=form.read(),
            actor=http.actor(),
            now=http.now(),
        )
