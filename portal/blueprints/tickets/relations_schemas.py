"""Relations among tickets, the trash and side conversations, as the API takes and gives them."""

from collections.abc import Iterable
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import SOME_TEXT, Body, ListOf, Shape, UtcDateTime, left_out
from portal.blueprints.files.schemas import FileOfTicket
from portal.blueprints.tickets.requests import CategoryKey, FileIds, Subject, Text
from portal.models import SideMessage, TicketStatus
from portal.services.tickets.files import TicketFile
from portal.services.tickets.incidents import IncidentResult
from portal.services.tickets.links import LinkedTicket, Relation
from portal.services.tickets.side_conversations import SUBJECT_LENGTH, SideThread
from portal.services.tickets.splitting import MOST_MESSAGES
from portal.services.tickets.trash import REASON_LENGTH, TrashedTicket

NUMBER_LENGTH = 20


class MergeRequest(Body):
    """The ticket in which the conversation goes on."""

    into_id: UUID


class SplitRequest(Body):
    """Messages that become a ticket of their own, at least one of them the customer's."""

    message_ids: list[UUID] = Field(min_length=1, max_length=MOST_MESSAGES)
    subject: Subject
    category: CategoryKey = left_out(description="That of the first ticket where it is left out.")


class LinkRequest(Body):
    """Another ticket by its number, and what it is to this one."""

    number: Annotated[str, Field(max_length=NUMBER_LENGTH, json_schema_extra=SOME_TEXT)]
    relation: Literal["related", "problem", "incident"] = "related"


class IncidentsRequest(Body):
    """The answer that all open incidents get."""

    message: Text


class FollowUpRequest(Body):
    """A ticket that goes on from one which cannot be reopened."""

    description: Text
    subject: Subject = left_out(description="That of the first ticket where it is left out.")
    attachment_ids: FileIds = []


class TrashRequest(Body):
    """Why the ticket goes into the trash."""

    reason: Annotated[str, Field(max_length=REASON_LENGTH, json_schema_extra=SOME_TEXT)]


class SideConversationRequest(Body):
    """The first mail to somebody outside."""

    recipient: Annotated[str, Field(max_length=254, json_schema_extra=SOME_TEXT)]
    subject: Annotated[str, Field(max_length=SUBJECT_LENGTH, json_schema_extra=SOME_TEXT)]
    message: Text
    attachment_ids: FileIds = []


class SideMessageRequest(Body):
    """A further mail."""

    message: Text
    attachment_ids: FileIds = []


class Link(Shape):
    """A linked ticket, and what it is to the one that was asked about."""

    id: UUID
    relation: Relation
    ticket_id: UUID
    number: str
    subject: str
    status: TicketStatus

    @classmethod
    def of(cls, row: LinkedTicket) -> "Link":
        """A link as the reader sees it."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class Links(ListOf[Link]):
    """Everything a ticket is linked with."""


class IncidentOutcome(Shape):
    """What became of one incident."""

    id: UUID
    number: str
    ok: bool
    code: str | None = Field(description="Why it was not answered; null where it was.")

    @classmethod
    def of(cls, row: IncidentResult) -> "IncidentOutcome":
        """One result."""
        return cls(id=row.ticket_id, number=row.number, ok=row.ok, code=row.code or None)


class IncidentOutcomes(ListOf[IncidentOutcome]):
    """A result for each incident."""


class Trashed(Shape):
    """A ticket in the trash."""

    id: UUID
    number: str
    subject: str
    company: str
    requester: str
    reason: str
    trashed_by: str
    trashed_at: UtcDateTime
    purged_at: UtcDateTime = Field(description="When it is gone for good.")

    @classmethod
    def of(cls, row: TrashedTicket) -> "Trashed":
        """One ticket."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class TrashList(ListOf[Trashed]):
    """A page of the trash."""


class SideMail(Shape):
    """One mail of a side conversation."""

    id: UUID
    inbound: bool = Field(description="Whether it came from outside.")
    sender_name: str
    message: str
    attachments: list[FileOfTicket]
    created_at: UtcDateTime

    @classmethod
    def of(cls, row: SideMessage, files: Iterable[TicketFile] = ()) -> "SideMail":
        """One mail with its files."""
        return cls(
            id=row.id,
            inbound=row.inbound,
            sender_name=row.sender_name,
            message=row.body,
            attachments=[FileOfTicket.of_file(file) for file in files],
            created_at=row.created_at,
        )


class SideConversation(Shape):
    """Mail with somebody outside about a ticket."""

    id: UUID
    recipient: str
    subject: str
    created_at: UtcDateTime
    closed_at: UtcDateTime | None
    messages: list[SideMail]

    @classmethod
    def of(cls, thread: SideThread) -> "SideConversation":
        """A conversation with its mails."""
        row = thread.conversation
        return cls(
            id=row.id,
            recipient=row.recipient,
            subject=row.subject,
            created_at=row.created_at,
            closed_at=row.closed_at,
            messages=[SideMail.of(entry, thread.files.get(entry.id, ())) for entry in thread.messages],
        )


class SideConversations(ListOf[SideConversation]):
    """The side conversations of a ticket, the newest first."""
