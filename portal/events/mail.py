"""What happens to mail that comes in and mail that comes back."""

from dataclasses import dataclass
from typing import ClassVar

from portal.events.base import Event
from portal.events.tickets import TicketFact


@dataclass(frozen=True)
class TicketMailBounced(TicketFact):
    """A mail about the ticket came back; staff only: they have to reach the person otherwise."""

    kind: ClassVar[str] = "mail.bounced"

    hard: bool


@dataclass(frozen=True)
class AddressBounced(Event):
    """A mail that belonged to no ticket came back."""

    kind: ClassVar[str] = "mail.address_bounced"
    record_type: ClassVar[str] = "bounced_address"

    hard: bool
