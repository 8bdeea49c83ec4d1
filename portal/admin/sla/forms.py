"""Forms of the promises' settings: times and hours as people write them."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext
from wtforms import (
    BooleanField,
    Field,
    FieldList,
    Form,
    FormField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)

from portal.blueprints.localisation import gettext
from portal.errors import FieldError, Invalid
from portal.lib.durations import DAY, format_duration, parse_duration, working_day
from portal.lib.wording.errors import error_text
from portal.models import BusinessCalendar, SlaPolicy
from portal.services.tickets.sla_checks import MAX_LEVELS
from portal.services.tickets.sla_policies import CalendarForm, PolicyForm

WORKING = (
    "first_response_seconds",
    "resolution_seconds",
    "next_response_seconds",
    "update_seconds",
    "warn_before_seconds",
)
_HOURS = re.compile(r"(\d{1,2})[:.h](\d{2})?\s*(?:[-–—]|to|bis|a|à)\s*(\d{1,2})[:.h](\d{2})?")


class LevelForm(Form):
    """One rung of the ladder."""

    metric = SelectField(lazy_gettext("Promise"), validate_choice=False)
    after = StringField(lazy_gettext("After the due time"), default="0 min")
    notify_role = SelectField(lazy_gettext("Tells"), validate_choice=False)
    assign_role = SelectField(lazy_gettext("Assigns"), validate_choice=False)


class PolicyEditForm(Form):
    """A promise; its durations are text such as `4 h`, and a `d` is a working day of the calendar."""

    name = StringField(lazy_gettext("Name"))
    active = BooleanField(lazy_gettext("In use"), default=True)
    calendar_id = SelectField(lazy_gettext("Working hours"), validate_choice=False)
    match_categories = SelectMultipleField(lazy_gettext("Categories"), validate_choice=False)
    match_priorities = SelectMultipleField(lazy_gettext("Priorities"), validate_choice=False)
    match_companies = SelectMultipleField(lazy_gettext("Companies"), validate_choice=False)
    company_search = StringField(lazy_gettext("Add a company"))
    first_response_seconds = StringField(lazy_gettext("First answer within"))
    resolution_seconds = StringField(lazy_gettext("Solution within"))
    next_response_seconds = StringField(lazy_gettext("Answer to each further question within"))
    update_seconds = StringField(lazy_gettext("A word from the team at least every"))
    warn_before_seconds = StringField(lazy_gettext("Remind the team before"))
    auto_close_seconds = StringField(lazy_gettext("Close after the solution"))
    pause_statuses = SelectMultipleField(lazy_gettext("The clock stands still while"), validate_choice=False)
    levels = FieldList(FormField(LevelForm), max_entries=MAX_LEVELS + 5)

    def fill(self, policy: SlaPolicy, calendar: BusinessCalendar | None) -> None:
        """Show a stored policy."""
        day = _day_of(calendar)
        self.name.data, self.active.data, self.calendar_id.data = policy.name, policy.active, str(policy.calendar_id)
        for name in ("match_categories", "match_priorities", "match_companies", "pause_statuses"):
            self[name].data = list(getattr(policy, name))
        for name in (*WORKING, "auto_close_seconds"):
            seconds = getattr(policy, name)
            length = day if name in WORKING else DAY
            self[name].data = "" if seconds is None else format_duration(timedelta(seconds=seconds), day=length)
        for level in policy.levels:
            after = format_duration(timedelta(seconds=level["after_seconds"]), day=day)
            self.levels.append_entry({**level, "after": after, "assign_role": level.get("assign_role") or ""})

    def read(self, calendars: Sequence[BusinessCalendar], *, position: int) -> PolicyForm:
        """What the service takes; raises Invalid for what cannot be read at all."""
        errors: list[FieldError] = []
        calendar = next((row for row in calendars if str(row.id) == self.calendar_id.data), None)
        day = _day_of(calendar)
        seconds = {name: _seconds(self[name], day, errors) for name in WORKING}
        seconds["auto_close_seconds"] = _seconds(self.auto_close_seconds, DAY, errors)
        levels = tuple(_level(entry.form, day, errors) for entry in self.levels)
        if calendar is None:
            errors.append(FieldError("calendar_id", "unknown_choice"))
        if errors or calendar is None:
            raise Invalid(*errors)
        return PolicyForm(
            name=self.name.data or "",
            calendar_id=calendar.id,
            active=bool(self.active.data),
            position=position,
            match_categories=tuple(self.match_categories.data or ()),
            match_priorities=tuple(self.match_priorities.data or ()),
            match_companies=tuple(self.match_companies.data or ()),
            pause_statuses=tuple(self.pause_statuses.data or ()),
            levels=levels,
            **seconds,
        )


def _day_of(calendar: BusinessCalendar | None) -> timedelta:
    return working_day(calendar.intervals) if calendar else DAY


def _seconds(field: Field, day: timedelta, errors: list[FieldError]) -> int | None:
    text = (field.data or "").strip()
    if not text:
        return None
    try:
        return int(parse_duration(text, day=day).total_seconds())
    except ValueError:
        errors.append(FieldError(field.short_name, "duration_invalid"))
        return None


def _level(form: Any, day: timedelta, errors: list[FieldError]) -> dict[str, Any]:
    try:
        after = int(parse_duration(form.after.data or "", day=day).total_seconds())
    except ValueError:
        form.after.errors = [*form.after.errors, error_text("duration_invalid", {}, gettext)]
        errors.append(FieldError("levels", "duration_invalid"))
        after = 0
    return {
        "metric": form.metric.data,
        "after_seconds": after,
        "notify_role": form.notify_role.data,
        "assign_role": form.assign_role.data or None,
    }


class CalendarEditForm(Form):
    """Working hours: one line a day, several spans in it; holidays as ISO dates, one a line."""

    name = StringField(lazy_gettext("Name"))
    timezone = StringField(lazy_gettext("Time zone"))
    day_0 = StringField()
    day_1 = StringField()
    day_2 = StringField()
    day_3 = StringField()
    day_4 = StringField()
    day_5 = StringField()
    day_6 = StringField()
    intervals = StringField()
    holidays = TextAreaField(lazy_gettext("Holidays"))

    def fill(self, calendar: BusinessCalendar) -> None:
        """Show a stored calendar."""
        self.name.data, self.timezone.data = calendar.name, calendar.timezone
        for weekday in range(7):
            self[f"day_{weekday}"].data = hours_text(
                (start, end) for day, start, end in calendar.intervals if day == weekday
            )
        self.holidays.data = "\n".join(calendar.holidays)

    def read(self) -> CalendarForm:
        """What the service takes; raises Invalid for hours and dates that cannot be read."""
        errors: list[FieldError] = []
        intervals: list[tuple[int, int, int]] = []
        for weekday in range(7):
            try:
                spans = parse_hours(self[f"day_{weekday}"].data or "")
                intervals.extend((weekday, start, end) for start, end in spans)
            except ValueError:
                errors.append(FieldError(f"day_{weekday}", "hours_invalid"))
        holidays: list[str] = []
        for line in (self.holidays.data or "").split():
            try:
                holidays.append(date.fromisoformat(line.strip(",;")).isoformat())
            except ValueError:
                errors.append(FieldError("holidays", "date_invalid"))
                break
        if errors:
            raise Invalid(*errors)
        return CalendarForm(
            name=self.name.data or "",
            timezone=(self.timezone.data or "").strip(),
            intervals=tuple(intervals),
            holidays=tuple(holidays),
        )


def parse_hours(text: str) -> list[tuple[int, int]]:
    """Spans in minutes after midnight of a line such as `08:00–12:00, 13:00–18:00`.

    Raises ValueError `hours_invalid` for anything unreadable, an end not after its start, or an overlap.
    """
    spans: list[tuple[int, int]] = []
    for part in re.split(r"[,;،]", text):
        if not part.strip():
            continue
        found = _HOURS.fullmatch(part.strip())
        if found is None:
            raise ValueError("hours_invalid")
        start, end = _minutes(found[1], found[2]), _minutes(found[3], found[4])
        if not 0 <= start < end <= 1440:
            raise ValueError("hours_invalid")
        spans.append((start, end))
    spans.sort()
    if any(first[1] > second[0] for first, second in pairwise(spans)):
        raise ValueError("hours_invalid")
    return spans


def _minutes(hours: str, minutes: str | None) -> int:
    value = int(minutes or 0)
    if value > 59:
        raise ValueError("hours_invalid")
    return int(hours) * 60 + value


def hours_text(spans: Iterable[tuple[int, int]]) -> str:
    """The line that `parse_hours` reads back."""
    return ", ".join(
        f"{start // 60:02d}:{start % 60:02d}–{end // 60:02d}:{end % 60:02d}" for start, end in sorted(spans)
    )


def valid_uuid(text: str | None) -> UUID | None:
    """The id in a form's field, None where it is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
