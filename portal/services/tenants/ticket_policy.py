"""What a tenant decides about its tickets, with bounds that it cannot leave (TKT-04, TKT-12)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from portal.models import TicketPriority

SETTING = "tickets"
# Lowest and highest; none means until somebody has answered, which is the standard.
EDIT_MINUTES = (0, 24 * 60)
# Lowest, standard, highest; 0: a closed ticket is never reopened.
REOPEN_DAYS = (0, 30, 3650)
PRIORITIES = tuple(TicketPriority)
# New tickets are normal unless somebody says otherwise, so that one is always to be had.
HIGHEST = (TicketPriority.NORMAL, TicketPriority.HIGH, TicketPriority.URGENT)


@dataclass(frozen=True)
class TicketPolicy:
    """The highest priority that customers may choose, and how long messages may be edited and tickets reopened.

    `edit_minutes` is None where a message may be edited until somebody has answered; 0 switches editing off.
    `reopen_days` count from the closing; later a new ticket follows the closed one.
    """

    highest_priority: TicketPriority = TicketPriority.URGENT
    edit_minutes: int | None = None
    reopen_days: int = REOPEN_DAYS[1]

    @property
    def priorities(self) -> tuple[TicketPriority, ...]:
        """What customers may choose, lowest first."""
        return PRIORITIES[: PRIORITIES.index(self.highest_priority) + 1]

    @property
    def edit_window(self) -> timedelta | None:
        """How long a message may be edited; None: until somebody has answered."""
        return None if self.edit_minutes is None else timedelta(minutes=self.edit_minutes)

    @property
    def reopen_for(self) -> timedelta:
        """How long after its closing a ticket can be reopened."""
        return timedelta(days=self.reopen_days)


def read_ticket_policy(settings: Mapping[str, Any]) -> TicketPolicy:
    """The policy in a tenant's settings; what is missing or out of bounds falls back to the default."""
    stored = settings.get(SETTING)
    given: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
    highest = given.get("highest_priority")
    reopen_days = _within(given.get("reopen_days"), REOPEN_DAYS[0], REOPEN_DAYS[2])
    return TicketPolicy(
        highest_priority=TicketPriority(highest) if highest in HIGHEST else TicketPriority.URGENT,
        edit_minutes=_within(given.get("edit_minutes"), *EDIT_MINUTES),
        reopen_days=REOPEN_DAYS[1] if reopen_days is None else reopen_days,
    )


def _within(value: Any, low: int, high: int) -> int | None:
    return value if type(value) is int and low <= value <= high else None
