"""What the ticket's clock workflow is called and what it is given; ids only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True)
class ClockRun:
    """One cycle of a ticket's clock; all that a run hands to the next one when it continues as new."""

    tenant_id: UUID
    ticket_id: UUID
    cycle: int
    # The wake-up that was asked for last, and how often in a row without it moving.
    last_wake_at: datetime | None = None
    stalls: int = 0


@dataclass(frozen=True)
class AdvanceClock:
    """Input of the activity: `now` is the workflow's time."""

    tenant_id: UUID
    ticket_id: UUID
    cycle: int
    now: datetime


@dataclass(frozen=True)
class ClockWake:
    """When to look again (None: only when something changes); `done` ends the cycle."""

    at: datetime | None
    done: bool


def clock_workflow_id(ticket_id: UUID, cycle: int) -> str:
    """One run per ticket and cycle: a reopened ticket begins a new one."""
    return f"ticket-clock:{ticket_id}:{cycle}"


@dataclass(frozen=True)
class TrashRun:
    """A ticket that was put into the trash during this cycle of its clock; it goes for good after `kept_for`."""

    tenant_id: UUID
    ticket_id: UUID
    cycle: int
    kept_for: timedelta


def trash_workflow_id(ticket_id: UUID, cycle: int) -> str:
    """One run per stay in the trash: a restored ticket has a later cycle."""
    return f"ticket-trash:{ticket_id}:{cycle}"
