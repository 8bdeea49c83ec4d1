"""Calendars: who works when, as rows and as the pure clock understands them."""

from datetime import date
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select

from portal.errors import NotFound
from portal.lib.working_time import WeeklyInterval, WorkingCalendar
from portal.models import BusinessCalendar
from portal.models.session import TenantSession


def list_calendars(session: TenantSession) -> list[BusinessCalendar]:
    """Every calendar of the tenant, by name."""
    return list(session.scalars(select(BusinessCalendar).order_by(BusinessCalendar.name)))


def get_calendar(session: TenantSession, calendar_id: UUID) -> BusinessCalendar:
    """One calendar; NotFound where the tenant has none of that id."""
    calendar = session.scalar(select(BusinessCalendar).where(BusinessCalendar.id == calendar_id))
    if calendar is None:
        raise NotFound("calendar")
    return calendar


class StoredHours(Protocol):
    """Working hours as they are stored, with a calendar or with the terms of a promise."""

    @property
    def timezone(self) -> str:
        """The name of the zone that the minutes are counted in."""

    @property
    def intervals(self) -> list[Any]:
        """[weekday, first minute, last minute] of each."""

    @property
    def holidays(self) -> list[Any]:
        """ISO dates."""


def working_calendar(row: StoredHours) -> WorkingCalendar:
    """The pure calendar of a stored one."""
    return WorkingCalendar(
        timezone=row.timezone,
        intervals=tuple(WeeklyInterval(day, start, end) for day, start, end in row.intervals),
        holidays=frozenset(date.fromisoformat(day) for day in row.holidays),
    )
