"""Reads of calendars: who works when."""

from uuid import UUID

from sqlalchemy import select

from portal.errors import NotFound
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
