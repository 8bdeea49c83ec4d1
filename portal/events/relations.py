"""What can have happened between tickets, with the trash, and in side conversations."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from portal.events.tickets import TicketFact


@dataclass(frozen=True)
class TicketMerged(TicketFact):
    """The ticket is over: its conversation goes on in another one."""

    kind: ClassVar[str] = "ticket.merged"

    into_id: UUID


@dataclass(frozen=True)
class TicketAbsorbed(TicketFact):
    """The conversation of another ticket was taken in."""

    kind: ClassVar[str] = "ticket.absorbed"

    from_id: UUID


@dataclass(frozen=True)
class TicketSplit(TicketFact):
    """Some messages became a ticket of their own."""

    kind: ClassVar[str] = "ticket.split"

    new_id: UUID


@dataclass(frozen=True)
class TicketFollowedUp(TicketFact):
    """The ticket is over for good; a new one goes on from it."""

    kind: ClassVar[str] = "ticket.followed_up"

    new_id: UUID


@dataclass(frozen=True)
class TicketLinked(TicketFact):
    """Staff only: two tickets have to do with each other."""

    kind: ClassVar[str] = "ticket.linked"

    other_id: UUID
    relation: str


@dataclass(frozen=True)
class TicketUnlinked(TicketLinked):
    """Staff only: they have not, after all."""

    kind: ClassVar[str] = "ticket.unlinked"


@dataclass(frozen=True)
class TicketTrashed(TicketFact):
    """The ticket is nowhere but in the trash."""

    kind: ClassVar[str] = "ticket.trashed"


@dataclass(frozen=True)
class TicketRestored(TicketFact):
    """The ticket came back from the trash; its clock runs again."""

    kind: ClassVar[str] = "ticket.restored"


@dataclass(frozen=True)
class TicketPurged(TicketFact):
    """The ticket and all that was written to it are gone."""

    kind: ClassVar[str] = "ticket.purged"


@dataclass(frozen=True)
class SideMessageAdded(TicketFact):
    """Staff only: a mail to somebody outside about the ticket, or that person's answer."""

    kind: ClassVar[str] = "ticket.side_message"

    conversation_id: UUID
    inbound: bool


@dataclass(frozen=True)
class SideConversationClosed(TicketFact):
    """Staff only: nothing more is expected from there."""

    kind: ClassVar[str] = "ticket.side_closed"

    conversation_id: UUID
