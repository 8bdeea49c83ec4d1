"""Promises and working hours as staff edit them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.models import TicketStatus


@dataclass(frozen=True)
class PolicyForm:
    """A policy as staff edit it; durations in working seconds."""

    name: str
    calendar_id: UUID
    active: bool = True
    position: int = 0
    match_categories: tuple[str, ...] = ()
    match_priorities: tuple[str, ...] = ()
    match_companies: tuple[str, ...] = ()
    first_response_seconds: int | None = None
    resolution_seconds: int | None = None
    warn_before_seconds: int | None = None
    auto_close_seconds: int | None = None
    pause_statuses: tuple[str, ...] = (TicketStatus.WAITING_CUSTOMER.value, TicketStatus.AWAITING_PAYMENT.value)
    levels: tuple[dict[str, Any], ...] = ()
    next_response_seconds: int | None = None
    update_seconds: int | None = None


@dataclass(frozen=True)
class CalendarForm:
    """A calendar as staff edit it: `intervals` are (weekday, start minute, end minute)."""

    name: str
    timezone: str
    intervals: tuple[tuple[int, int, int], ...]
    holidays: tuple[str, ...] = ()
