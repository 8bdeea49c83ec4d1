"""What can have happened to a ticket (names: contract §6)."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self
from uuid import UUID

from portal.events.base import Event
from portal.models import Ticket


@dataclass(frozen=True)
class TicketFact(Event):
    """Common to all: `cycle` names the run of the ticket's clock that must hear of it.

    Company and requester decide which open pages are told; the relay cannot read tickets.
    """

    record_type: ClassVar[str] = "ticket"

    cycle: int
    company_id: UUID
    requester_id: UUID

    @classmethod
    def about(cls, ticket: Ticket, **more: Any) -> Self:
        """The fact about this ticket; `more` are the fields of the kind."""
        return cls(
            record_id=ticket.id,
            cycle=ticket.clock_cycle,
            company_id=ticket.customer_id,
            requester_id=ticket.requester_id,
            **more,
        )


@dataclass(frozen=True)
class TicketCreated(TicketFact):
    """A customer asked."""

    kind: ClassVar[str] = "ticket.created"


@dataclass(frozen=True)
class TicketReplied(TicketFact):
    """A public message of either side."""

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
    """The ticket moved from one state to another."""

    kind: ClassVar[str] = "ticket.status_changed"

    from_status: str
    to_status: str
    to_own: str | None = None


@dataclass(frozen=True)
class TicketAssigned(TicketFact):
    """Somebody got the ticket, or nobody has it any more."""

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
    """A level of the ladder was reached; `role` is who is told."""

    kind: ClassVar[str] = "ticket.escalated"

    step: str
    level: int
    metric: str
    role: str
    notify_user_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class TicketSlaWarned(TicketFact):
    """A due time of the promise comes near."""

    kind: ClassVar[str] = "ticket.sla_warned"

    step: str
    metric: str


@dataclass(frozen=True)
class TicketRated(TicketFact):
    """The requester judged the solution, 1 to 5."""

    kind: ClassVar[str] = "ticket.rated"

    rating: int


@dataclass(frozen=True)
class TicketFollowerAdded(TicketFact):
    """A colleague of the customer hears of the ticket from now on; `user_ids` is who, for their open pages."""

    kind: ClassVar[str] = "ticket.follower_added"

    user_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class TicketFollowerRemoved(TicketFact):
    """A colleague hears of the ticket no more."""

    kind: ClassVar[str] = "ticket.follower_removed"

    user_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class TicketClockChanged(TicketFact):
    """A policy or calendar that governs the ticket was edited; its timer must be set anew."""

    kind: ClassVar[str] = "ticket.clock_changed"


@dataclass(frozen=True)
class TicketEscalationRequested(TicketFact):
    """A customer asked for the ticket to be taken further up; who is told says the escalation itself."""

    kind: ClassVar[str] = "ticket.escalation_requested"


@dataclass(frozen=True)
class TicketMessageEdited(TicketFact):
    """The author changed the words of a public message; the audit trail keeps the earlier ones."""

    kind: ClassVar[str] = "ticket.message_edited"

    message_id: UUID


@dataclass(frozen=True)
class TicketMentioned(TicketFact):
    """An internal note names people of the team; as much between the team as the note itself."""

    kind: ClassVar[str] = "ticket.mentioned"

    message_id: UUID
    notify_user_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class TicketTimeChanged(TicketFact):
    """Minutes that the team spent were written down, or (negative) taken back; staff only."""

    kind: ClassVar[str] = "ticket.time_changed"

    minutes: int
