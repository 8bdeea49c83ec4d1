"""Versions of promises and working hours: what they were, who changed them when, and going back."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.models import BusinessCalendar, ConfigVersion, SlaPolicy
from portal.models.session import TenantSession
from portal.services.tickets.policies import POLICY, PolicyRow, terms_row
from portal.services.tickets.sla_forms import CalendarForm, PolicyForm

CALENDAR = "calendar"
MOST_SHOWN = 50


@dataclass(frozen=True)
class Version:
    """One version; `saved_by_name` is empty for those from before versions were kept."""

    number: int
    saved_at: datetime
    saved_by_name: str
    data: dict[str, Any]
    current: bool


def keep_policy(
    session: TenantSession, policy: SlaPolicy, calendar: BusinessCalendar, *, actor: Actor, now: datetime
) -> None:
    """File the policy as it is now under its version: its form to go back to, its terms for tickets that stay."""
    data = {"form": _plain(PolicyForm, policy), "terms": terms_row(policy, calendar)}
    _file(session, POLICY, policy.id, policy.version, data, by=(actor.user_id, actor.name), now=now)


def keep_calendar(session: TenantSession, calendar: BusinessCalendar, *, actor: Actor, now: datetime) -> None:
    """File the working hours as they are now under the next number."""
    newest = session.scalar(
        select(func.max(ConfigVersion.version)).where(
            ConfigVersion.record_type == CALENDAR, ConfigVersion.record_id == calendar.id
        )
    )
    data = {"form": _plain(CalendarForm, calendar)}
    _file(session, CALENDAR, calendar.id, (newest or 0) + 1, data, by=(actor.user_id, actor.name), now=now)


def keep_missing(session: TenantSession, rows: Iterable[PolicyRow], *, now: datetime) -> None:
    """File those policies whose version has not been kept yet: they are from before versions were."""
    filed = select(ConfigVersion.record_id, ConfigVersion.version).where(ConfigVersion.record_type == POLICY)
    known = {(record_id, version) for record_id, version in session.execute(filed)}
    for row in rows:
        if (row.policy.id, row.policy.version) not in known:
            data = {"form": _plain(PolicyForm, row.policy), "terms": terms_row(row.policy, row.calendar)}
            saved_at = row.policy.updated_at or now
            _file(session, POLICY, row.policy.id, row.policy.version, data, by=(None, ""), now=saved_at)


def keep_first_calendar(session: TenantSession, calendar: BusinessCalendar, *, now: datetime) -> None:
    """File working hours that were never kept, before they change."""
    kept = select(ConfigVersion.id).where(ConfigVersion.record_type == CALENDAR, ConfigVersion.record_id == calendar.id)
    if session.scalar(kept.limit(1)) is None:
        _file(session, CALENDAR, calendar.id, 1, {"form": _plain(CalendarForm, calendar)}, by=(None, ""), now=now)


def list_versions(session: TenantSession, record_type: str, record_id: UUID, *, actor: Actor) -> list[Version]:
    """The versions of a policy or calendar, newest first, 50 at most. Raises Forbidden."""
    require(actor, Permission.SLA_READ)
    rows = session.scalars(
        select(ConfigVersion)
        .where(ConfigVersion.record_type == record_type, ConfigVersion.record_id == record_id)
        .order_by(ConfigVersion.version.desc())
        .limit(MOST_SHOWN)
    )
    return [
        Version(row.version, row.saved_at, row.saved_by_name, row.data, current=index == 0)
        for index, row in enumerate(rows)
    ]


def get_version(session: TenantSession, record_type: str, record_id: UUID, number: int) -> ConfigVersion:
    """One version; NotFound where there is none of that number."""
    wanted = select(ConfigVersion).where(
        ConfigVersion.record_type == record_type,
        ConfigVersion.record_id == record_id,
        ConfigVersion.version == number,
    )
    # Beyond that the column holds nothing.
    row = session.scalar(wanted) if number < 2**31 else None
    if row is None:
        raise NotFound("version")
    return row


def policy_form_of(data: dict[str, Any]) -> PolicyForm:
    """The form a version was saved with."""
    form: dict[str, Any] = data["form"]
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in form.items()}
    return PolicyForm(**values | {"calendar_id": UUID(form["calendar_id"])})


def calendar_form_of(data: dict[str, Any]) -> CalendarForm:
    """The form that working hours were saved with."""
    form = data["form"]
    intervals = tuple((day, start, end) for day, start, end in form["intervals"])
    return CalendarForm(form["name"], form["timezone"], intervals, tuple(form["holidays"]))


def _plain(form: type[Any], row: Any) -> dict[str, Any]:
    values = {field.name: getattr(row, field.name) for field in fields(form)}
    return {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}


def _file(
    session: TenantSession,
    record_type: str,
    record_id: UUID,
    version: int,
    data: dict[str, Any],
    *,
    by: tuple[UUID | None, str],
    now: datetime,
) -> None:
    session.add(
        ConfigVersion(
            tenant_id=session.tenant_id,
            record_type=record_type,
            record_id=record_id,
            version=version,
            data=data,
            saved_by=by[0],
            saved_by_name=by[1],
            saved_at=now,
        )
    )
