"""What the API says about mail that came in."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import ANY_TEXT, SOME_TEXT, Body, ListOf, PageQuery, Shape, UtcDateTime
from portal.models import BouncedAddress, InboundMail


class InboundOutcome(StrEnum):
    """What became of a mail."""

    OPENED = "opened"
    APPENDED = "appended"
    SIDE = "side"
    BOUNCE = "bounce"
    IGNORED = "ignored"
    HELD = "held"
    FAILED = "failed"
    REJECTED = "rejected"


class InboundQuery(PageQuery):
    """Filters; all of them have to fit."""

    search: Annotated[str, Field(max_length=100, json_schema_extra=ANY_TEXT)] = Field(
        "", description="A part of the sender or the subject."
    )
    outcome: InboundOutcome | None = None


class InboundItem(Shape):
    """A mail in the log."""

    id: UUID
    sender: str
    subject: str
    outcome: InboundOutcome
    reason: str = Field(description="A stable code; empty where the outcome says it all.")
    ticket_id: UUID | None
    received_at: UtcDateTime

    @classmethod
    def of(cls, row: InboundMail) -> Self:
        """The item of a row."""
        return cls(
            id=row.id,
            sender=row.sender,
            subject=row.subject,
            outcome=InboundOutcome(row.outcome),
            reason=row.reason,
            ticket_id=row.ticket_id,
            received_at=row.received_at,
        )


class RefusedFile(Shape):
    """A file of a mail that was not taken."""

    name: str
    code: str


class InboundMessage(InboundItem):
    """One mail with the beginning of its text; the text is what people wrote and never markup."""

    text: str
    refused_files: list[RefusedFile]

    @classmethod
    def of(cls, row: InboundMail) -> Self:
        """The whole of a row."""
        item = InboundItem.of(row)
        refused = [RefusedFile(**one) for one in row.details.get("refused", ())]
        return cls(**item.model_dump(), text=row.text, refused_files=refused)


class InboundMessages(ListOf[InboundItem]):
    """A page of the log."""


class OpenMailRequest(Body):
    """For whom a held mail is opened as a ticket."""

    requester: Annotated[str, Field(max_length=254, json_schema_extra=SOME_TEXT)] = Field(
        description="Mail address of a customer with an active login."
    )


class Bounced(Shape):
    """An address whose mails came back."""

    id: UUID
    address: str
    hard: bool = Field(description="Nothing is sent there.")
    count: int
    last_at: UtcDateTime

    @classmethod
    def of(cls, row: BouncedAddress) -> Self:
        """The item of a row."""
        return cls(id=row.id, address=row.address, hard=row.hard, count=row.count, last_at=row.last_at)


class BouncedAddresses(ListOf[Bounced]):
    """Addresses, the newest first; at most a hundred."""
