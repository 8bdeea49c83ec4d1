"""A promise in words."""

from datetime import timedelta
from typing import Any

from portal.blueprints.localisation import current_locale, gettext
from portal.lib.durations import DAY, format_duration, working_day
from portal.lib.sla_clock import Metric
from portal.lib.wording.tickets import METRIC, PRIORITY, ROLE
from portal.models import BusinessCalendar, SlaPolicy
from portal.services.tickets.policies import PolicyRow
from portal.services.tickets.sla_checks import STAFF_ROLES

# Who can be told, from the nearest to the highest.
_LADDER = ("agent", "manager", "tenant_admin", "billing", "designer")


def span_text(seconds: int | None, calendar: BusinessCalendar | None) -> str:
    """A stored duration as people write it; a `d` is a working day of the calendar, or a whole one without."""
    if seconds is None:
        return str(gettext("none"))
    day = working_day(calendar.intervals) if calendar else DAY
    return format_duration(timedelta(seconds=seconds), day=day)


def describe_policy(row: PolicyRow) -> dict[str, Any]:
    """What lists and the page of a promise show."""
    policy, calendar = row.policy, row.calendar
    return {
        "first": span_text(policy.first_response_seconds, calendar),
        "solution": span_text(policy.resolution_seconds, calendar),
        "next_answer": span_text(policy.next_response_seconds, calendar),
        "regular": span_text(policy.update_seconds, calendar),
        "warn": span_text(policy.warn_before_seconds, calendar),
        "close": span_text(policy.auto_close_seconds, None),
        "hours": calendar.name,
        "levels": [
            {
                "metric": gettext(METRIC[level["metric"]]),
                "after": span_text(level["after_seconds"], calendar) if level["after_seconds"] else gettext("at once"),
                "tells": role_text(level["notify_role"]),
                "assigns": role_text(level.get("assign_role")),
            }
            for level in policy.levels
        ],
    }


def role_text(role: str | None) -> str:
    """A role of the team in words; nobody for none."""
    return str(gettext(ROLE[role]) if role in ROLE else gettext("nobody"))


def matches_text(policy: SlaPolicy, categories: dict[str, str], companies: int | None = None) -> str:
    """Which tickets a promise covers, in one line."""
    parts = [", ".join(categories.get(key, str(key)) for key in policy.match_categories)]
    parts.append(", ".join(gettext(PRIORITY[key]) for key in policy.match_priorities if key in PRIORITY))
    number = len(policy.match_companies) if companies is None else companies
    if number:
        parts.append(gettext("%(number)s companies", number=number))
    return " · ".join(part for part in parts if part) or str(gettext("Every ticket"))


def category_names(rows: Any) -> dict[str, str]:
    """Key -> name in the reader's language."""
    return {row.key: row.name_in(current_locale()) for row in rows}


def level_choices() -> dict[str, Any]:
    """Options of a ladder's level."""
    roles = [(role, gettext(ROLE[role])) for role in _LADDER if role in STAFF_ROLES]
    return {
        "metrics": [(metric.value, gettext(METRIC[metric.value])) for metric in Metric],
        "roles": roles,
        "assign_roles": [("", gettext("Nobody")), *roles],
    }
