"""Forms of the rules of assignment and of what they know of people."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext
from wtforms import BooleanField, Form, SelectField, SelectMultipleField, StringField

from portal.admin.sla.forms import valid_uuid
from portal.errors import FieldError, Invalid
from portal.models import AssignmentRule
from portal.services.tickets.assignment import TeamMember
from portal.services.tickets.assignment_rules import ProfileForm, RuleForm

_LISTS = ("match_categories", "match_priorities", "match_companies", "people")


class RuleEditForm(Form):
    """A rule; skills are separated by commas."""

    name = StringField(lazy_gettext("Name"))
    active = BooleanField(lazy_gettext("In use"), default=True)
    match_categories = SelectMultipleField(lazy_gettext("Categories"), validate_choice=False)
    match_priorities = SelectMultipleField(lazy_gettext("Priorities"), validate_choice=False)
    match_companies = SelectMultipleField(lazy_gettext("Companies"), validate_choice=False)
    strategy = SelectField(lazy_gettext("Who gets it"), validate_choice=False)
    people = SelectMultipleField(lazy_gettext("People"), validate_choice=False)
    skills = StringField(lazy_gettext("Skills"))
    only_working = BooleanField(lazy_gettext("Only people whose working hours it is"), default=True)

    def fill(self, rule: AssignmentRule) -> None:
        """Show a stored rule."""
        self.name.data, self.active.data, self.strategy.data = rule.name, rule.active, rule.strategy
        for name in _LISTS:
            self[name].data = list(getattr(rule, name))
        self.skills.data, self.only_working.data = ", ".join(rule.skills), rule.only_working

    def read(self) -> RuleForm:
        """What the service takes."""
        lists: dict[str, Any] = {name: tuple(self[name].data or ()) for name in _LISTS}
        return RuleForm(
            name=self.name.data or "",
            strategy=self.strategy.data or "",
            active=bool(self.active.data),
            skills=split_skills(self.skills.data),
            only_working=bool(self.only_working.data),
            **lists,
        )


class ProfileEditForm(Form):
    """A member of the team; times are those of the reader's own zone."""

    skills = StringField(lazy_gettext("Skills"))
    calendar_id = SelectField(lazy_gettext("Working hours"), validate_choice=False)
    absent_from = StringField(lazy_gettext("Absent from"))
    absent_until = StringField(lazy_gettext("Back from"))
    most_open = StringField(lazy_gettext("Open tickets at most"))

    def fill(self, member: TeamMember, zone: str) -> None:
        """Show what is stored."""
        self.skills.data = ", ".join(sorted(member.skills))
        self.calendar_id.data = str(member.calendar_id) if member.calendar_id else ""
        self.absent_from.data, self.absent_until.data = (
            at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M") if at else ""
            for at in (member.absent_from, member.absent_until)
        )
        self.most_open.data = "" if member.most_open is None else str(member.most_open)

    def read(self, zone: str) -> ProfileForm:
        """What the service takes; raises Invalid for times and numbers that cannot be read."""
        errors: list[FieldError] = []
        times = [_moment(self[name].data, name, zone, errors) for name in ("absent_from", "absent_until")]
        most = (self.most_open.data or "").strip()
        if most and not (most.isascii() and most.isdigit() and len(most) < 6):
            errors.append(FieldError("most_open", "out_of_range", (("low", 0), ("high", 1000))))
        calendar = valid_uuid(self.calendar_id.data)
        if self.calendar_id.data and calendar is None:
            errors.append(FieldError("calendar_id", "unknown_choice"))
        if errors:
            raise Invalid(*errors)
        return ProfileForm(
            skills=split_skills(self.skills.data),
            calendar_id=calendar,
            absent_from=times[0],
            absent_until=times[1],
            most_open=int(most) if most else None,
        )


def split_skills(text: str | None) -> tuple[str, ...]:
    """The skills in a line with commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _moment(text: str | None, field: str, zone: str, errors: list[FieldError]) -> datetime | None:
    """A local time as browsers send it; a date alone is its first minute."""
    if not (text or "").strip():
        return None
    try:
        return datetime.fromisoformat(str(text).strip()).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        errors.append(FieldError(field, "date_invalid"))
        return None
