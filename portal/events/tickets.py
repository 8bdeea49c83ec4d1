"""What can have happened to a ticket (names: contract §6)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from portal.events.base import Event


@dataclass(frozen=True)
class TicketFact(Event):
    """Common to all: `cycle` names the run of the ticket's clock that must hear of it."""

    record_type: ClassVar[str] = "ticket"

    cycle: int


@dataclass(frozen=True)
class TicketCreated(TicketFact):
    kind: ClassVar[str] = "ticket.created"


@dataclass(frozen=True)
class TicketReplied(TicketFact):
    kind: ClassVar[str] = "ticket.replied"

    message_id: UUID
    sender: str


@dataclass(frozen=True)
class TicketNoteAdded(TicketFact):
    """Staff only: no notification, mail or live event of it may reach a customer."""

    kind: ClassVar[str] = "ticket.note_added"

    message_id: UUID


@dataclass(frozen=True)
class TicketStatusChanged(TicketFact):
    kind: ClassVar[str] = "ticket.status_changed"

    from_status: str
    to_status: str


@dataclass(frozen=True)
class TicketAssigned(TicketFact):
    kind: ClassVar[str] = "ticket.assigned"

    from_user: UUID | None
    to_user: UUID | None


@dataclass(frozen=True)
class TicketUpdated(TicketFact):
    """Priority, category, tags or subject were changed."""

    kind: ClassVar[str] = "record.changed"

    changed: tuple[str, ...]


@dataclass(frozen=True)
class TicketEscalated(TicketFact):
    kind: ClassVar[str] = "ticket.escalated"

    step: str
    level: int
    metric: str
    notify_user_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class TicketSlaWarned(TicketFact):
    kind: ClassVar[str] = "ticket.sla_warned"

    step: str
    metric: str


@dataclass(frozen=True)
class TicketRated(TicketFact):
    kind: ClassVar[str] = "ticket.rated"

    rating: int


@dataclass(frozen=True)
class TicketClockChanged(TicketFact):
    """A policy or calendar that governs the ticket was edited; its timer must be set anew."""

    kind: ClassVar[str] = "ticket.clock_changed"
