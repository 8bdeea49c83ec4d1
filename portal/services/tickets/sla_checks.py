"""What a policy and a calendar must hold before they are stored; every error names its field."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy import select

from portal.errors import FieldError, Invalid, invalid
from portal.lib.sla_clock import Metric
from portal.models import BusinessCalendar, Company, Role, SlaPolicy, TicketCategory, TicketPriority, TicketStatus
from portal.models.session import TenantSession
from portal.services.tickets.calendars import working_calendar
from portal.services.tickets.validation import checked_text

NAME_LENGTH = 80
MAX_LEVELS = 10
MAX_SECONDS = 366 * 86_400
TARGETS = ("first_response_seconds", "resolution_seconds", "next_response_seconds", "update_seconds")
DURATIONS = (*TARGETS, "warn_before_seconds", "auto_close_seconds")
STAFF_ROLES = frozenset(
    {Role.AGENT.value, Role.MANAGER.value, Role.BILLING.value, Role.DESIGNER.value, Role.TENANT_ADMIN.value}
)


def check_policy(session: TenantSession, policy_id: UUID | None, form: Any) -> str:
    """The policy's cleaned name; raises Invalid with everything that is wrong."""
    errors: list[FieldError] = []
    name = checked_text("name", form.name, limit=NAME_LENGTH, errors=errors)
    if name and _taken(session, SlaPolicy, policy_id, name):
        errors.append(FieldError("name", "name_taken"))
    if all(getattr(form, name) is None for name in TARGETS):
        errors.append(FieldError("first_response_seconds", "target_required"))
    for field in DURATIONS:
        value = getattr(form, field)
        if value is not None and value <= 0:
            errors.append(FieldError(field, "must_be_positive"))
        elif value is not None and value > MAX_SECONDS:
            errors.append(FieldError(field, "duration_invalid"))
    if session.scalar(select(BusinessCalendar.id).where(BusinessCalendar.id == form.calendar_id)) is None:
        errors.append(FieldError("calendar_id", "unknown_choice"))
    errors.extend(_check_matches(session, form))
    errors.extend(_check_levels(form.levels))
    if errors:
        raise Invalid(*errors)
    return name


def _check_matches(session: TenantSession, form: Any) -> list[FieldError]:
    errors: list[FieldError] = []
    if not set(form.match_priorities) <= {priority.value for priority in TicketPriority}:
        errors.append(FieldError("match_priorities", "unknown_choice"))
    if not set(form.pause_statuses) <= {status.value for status in TicketStatus}:
        errors.append(FieldError("pause_statuses", "unknown_choice"))
    categories = set(form.match_categories)
    if categories and not categories <= set(session.scalars(select(TicketCategory.key))):
        errors.append(FieldError("match_categories", "unknown_category"))
    if form.match_companies and not _are_companies(session, form.match_companies):
        errors.append(FieldError("match_companies", "unknown_choice"))
    return errors


def _are_companies(session: TenantSession, ids: Sequence[str]) -> bool:
    try:
        wanted = {UUID(id_) for id_ in ids}
    except ValueError:
        return False
    return wanted <= set(session.scalars(select(Company.id).where(Company.id.in_(wanted))))


def _check_levels(levels: tuple[dict[str, Any], ...]) -> list[FieldError]:
    if len(levels) > MAX_LEVELS:
        return [FieldError("levels", "too_many", (("limit", MAX_LEVELS),))]
    for level in levels:
        if (
            level.get("metric") not in {metric.value for metric in Metric}
            or not isinstance(level.get("after_seconds"), int)
            or not 0 <= level["after_seconds"] <= MAX_SECONDS
            or level.get("notify_role") not in STAFF_ROLES
            or (level.get("assign_role") or None) not in {None, *STAFF_ROLES}
        ):
            return [FieldError("levels", "level_invalid")]
    return []


def check_calendar(session: TenantSession, calendar_id: UUID | None, form: Any) -> str:
    """The calendar's cleaned name; raises Invalid with what is wrong about name, zone or holidays."""
    errors: list[FieldError] = []
    name = checked_text("name", form.name, limit=NAME_LENGTH, errors=errors)
    if name and _taken(session, BusinessCalendar, calendar_id, name):
        errors.append(FieldError("name", "name_taken"))
    if form.timezone not in available_timezones():
        errors.append(FieldError("timezone", "timezone_unknown"))
    if not form.intervals:
        # A clock that never runs promises nothing.
        errors.append(FieldError("intervals", "required"))
    if errors:
        raise Invalid(*errors)
    return name


def check_hours(calendar: BusinessCalendar) -> None:
    """Raises Invalid (`intervals`) where the hours of a filled calendar do not fit together."""
    try:
        working_calendar(calendar)
    except ValueError:
        raise invalid("intervals", "calendar_invalid") from None


def _taken(session: TenantSession, model: Any, own_id: UUID | None, name: str) -> bool:
    query = select(model.id).where(model.name == name)
    return session.scalar(query if own_id is None else query.where(model.id != own_id)) is not None
