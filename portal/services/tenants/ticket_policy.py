"""What a tenant decides about its tickets as a whole; its own choice, within bounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

SETTING = "tickets"
# Lowest, standard, highest; 0: a closed ticket is never reopened.
REOPEN_DAYS = (0, 30, 3650)


@dataclass(frozen=True)
class TicketPolicy:
    """For how many days after its closing a ticket can be reopened; later a new one follows it."""

    reopen_days: int = REOPEN_DAYS[1]

    @property
    def reopen_for(self) -> timedelta:
        """The same as a duration."""
        return timedelta(days=self.reopen_days)


def read_ticket_policy(settings: Mapping[str, Any]) -> TicketPolicy:
    """The policy in a tenant's settings; what is missing or out of bounds falls back to the default."""
    stored = settings.get(SETTING)
    given: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
    days = given.get("reopen_days")
    lowest, standard, highest = REOPEN_DAYS
    return TicketPolicy(days if type(days) is int and lowest <= days <= highest else standard)
