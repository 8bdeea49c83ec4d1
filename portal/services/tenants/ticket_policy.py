"""What a tenant decides about its customers' tickets, with bounds that it cannot leave (TKT-04, TKT-12)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from portal.models import TicketPriority

SETTING = "tickets"
# Lowest and highest; none means until somebody has answered, which is the standard.
EDIT_MINUTES = (0, 24 * 60)
PRIORITIES = tuple(TicketPriority)
# New tickets are normal unless somebody says otherwise, so that one is always to be had.
HIGHEST = (TicketPriority.NORMAL, TicketPriority.HIGH, TicketPriority.URGENT)


@dataclass(frozen=True)
class TicketPolicy:
    """The highest priority that customers may choose, and for how many minutes messages may be edited.

    `edit_minutes` is None where a message may be edited until somebody has answered; 0 switches editing off.
    """

    highest_priority: TicketPriority = TicketPriority.URGENT
    edit_minutes: int | None = None

    @property
    def priorities(self) -> tuple[TicketPriority, ...]:
        """What customers may choose, lowest first."""
        return PRIORITIES[: PRIORITIES.index(self.highest_priority) + 1]

    @property
    def edit_window(self) -> timedelta | None:
        """How long a message may be edited; None: until somebody has answered."""
        return None if self.edit_minutes is None else timedelta(minutes=self.edit_minutes)


def read_ticket_policy(settings: Mapping[str, Any]) -> TicketPolicy:
    """The policy in a tenant's settings; what is missing or out of bounds falls back to the default."""
    stored = settings.get(SETTING)
    given: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
    highest, minutes = given.get("highest_priority"), given.get("edit_minutes")
    in_bounds = type(minutes) is int and EDIT_MINUTES[0] <= minutes <= EDIT_MINUTES[1]
    return TicketPolicy(
        highest_priority=TicketPriority(highest) if highest in HIGHEST else TicketPriority.URGENT,
        edit_minutes=minutes if in_bounds else None,
    )
