"""What the API says about the audit trail."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from portal.blueprints.api.schemas import ANY_TEXT, ListOf, PageQuery, Shape, UtcDateTime
from portal.models import AuditEntry

SearchText = Annotated[str, Field(max_length=100, json_schema_extra=ANY_TEXT)]


def _instant(value: Any) -> datetime:
    """An RFC 3339 instant; one without its offset from UTC could be any of many."""
    try:
        found = datetime.fromisoformat(str(value))
        if found.tzinfo is None:
            raise ValueError
        return found
    except ValueError:
        raise PydanticCustomError("date_invalid", "not an instant") from None


Instant = Annotated[
    datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation")
]


class AuditQuery(PageQuery):
    """Filters; all of them have to fit."""

    actor: SearchText = Field("", description="A part of the name of who did it.")
    action: SearchText = Field("", description="`ticket.replied`, or `ticket` for every action on tickets.")
    record_type: SearchText = Field("", description="`ticket`, `user`, …")
    record_id: UUID | None = None
    since: Instant | None = Field(None, description="From this moment on.")
    until: Instant | None = Field(None, description="Up to, and without, this moment.")
    address: SearchText = Field("", description="How the address begins that it came from.")
    denials: bool = Field(False, description="Only what was refused.")


class AuditItem(Shape):
    """One entry: who did what to which record, from where."""

    id: UUID
    number: int = Field(description="Rises with every entry of the installation.")
    at: UtcDateTime
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    action: str
    text: str = Field(description="The action in the reader's language.")
    record_type: str
    record_id: UUID | None
    address: str
    request_id: str
    before: dict[str, Any] = Field(description="Allow-listed fields as they were.")
    after: dict[str, Any] = Field(description="The same as they are now, or what was refused.")

    @classmethod
    def of(cls, entry: AuditEntry, text: str) -> "AuditItem":
        """The entry with its action in words."""
        return cls(
            id=entry.id,
            number=entry.seq,
            at=entry.at,
            actor_kind=entry.actor_kind,
            actor_id=entry.actor_id,
            actor_name=entry.actor_name,
            action=entry.action,
            text=text,
            record_type=entry.record_type,
            record_id=entry.record_id,
            address=entry.ip,
            request_id=entry.request_id,
            before=entry.before,
            after=entry.after,
        )


class AuditEntries(ListOf[AuditItem]):
    """A page of the trail, newest first."""
