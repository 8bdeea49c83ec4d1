"""What the API takes about tickets."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from portal.blueprints.api.schemas import ANY_TEXT, SOME_TEXT, Body, Order, PageQuery, Rating, left_out
from portal.models import TicketPriority, TicketStatus
from portal.services.tenants.file_policy import FILES_A_MESSAGE
from portal.services.tickets.category_fields import KEY_LENGTH as FIELD_KEY_LENGTH
from portal.services.tickets.category_fields import MOST_FIELDS
from portal.services.tickets.desk import MAX_TAGS, TAG_LENGTH
from portal.services.tickets.field_answers import ANSWER_LENGTH
from portal.services.tickets.listing import STAFF_VIEWS
from portal.services.tickets.validation import COMMENT_LENGTH, SUBJECT_LENGTH, TEXT_LENGTH

CATEGORY_LENGTH = 50
OWN_KEY_LENGTH = 40
QUERY_LENGTH = 200
_EARLIEST, _LATEST = date(1900, 1, 1), date(9000, 1, 1)

Subject = Annotated[str, Field(max_length=SUBJECT_LENGTH, json_schema_extra=SOME_TEXT)]
Text = Annotated[str, Field(max_length=TEXT_LENGTH, json_schema_extra=SOME_TEXT)]
Comment = Annotated[str, Field(max_length=COMMENT_LENGTH, json_schema_extra=ANY_TEXT)]
CategoryKey = Annotated[str, Field(max_length=CATEGORY_LENGTH, examples=["general"], json_schema_extra=SOME_TEXT)]


OwnStatusKey = Annotated[str, Field(max_length=OWN_KEY_LENGTH, json_schema_extra=SOME_TEXT)]
FileIds = Annotated[
    list[UUID],
    Field(max_length=FILES_A_MESSAGE, description="Files of yours that were sent ahead, each for one message."),
]


FieldKey = Annotated[str, Field(max_length=FIELD_KEY_LENGTH, json_schema_extra=SOME_TEXT)]
AnswerText = Annotated[str, Field(max_length=ANSWER_LENGTH, json_schema_extra=ANY_TEXT)]
Answers = Annotated[dict[FieldKey, AnswerText | int | float], Field(max_length=MOST_FIELDS)]


class TicketRequest(Body):
    """A new ticket."""

    subject: Subject
    description: Text
    category: CategoryKey = Field(description="A `key` of /api/v1/portal/tickets/categories.")
    priority: TicketPriority = TicketPriority.NORMAL
    attachment_ids: FileIds = []
    custom_fields: Answers = Field({}, description="Answers to the `fields` of the category, by their keys.")


class ReplyRequest(Body):
    """An answer of a customer, in light Markdown."""

    message: Text
    attachment_ids: FileIds = []


class MessagePatch(Body):
    """The new words of a message, in light Markdown."""

    message: Text


class CancelRequest(Body):
    """Why the ticket is withdrawn."""

    reason: Annotated[str, Field(max_length=COMMENT_LENGTH, json_schema_extra=SOME_TEXT)]


class EscalationRequest(Body):
    """Why somebody further up has to look at it."""

    reason: Annotated[str, Field(max_length=COMMENT_LENGTH, json_schema_extra=SOME_TEXT)]


class RatingRequest(Body):
    """How good the solution was."""

    rating: Rating
    comment: Comment = ""


class StaffReplyRequest(Body):
    """A public answer, and what the ticket is after it."""

    message: Text
    status: TicketStatus = left_out(description="Without it an open ticket becomes `in_progress`.")
    custom_status: OwnStatusKey = left_out(description="A status of your own; `status` follows from it.")
    seen: UUID = left_out(
        description="The newest public message you know. Where another person wrote since, the answer is a conflict."
    )
    attachment_ids: FileIds = []
    file_purpose: Literal["message", "solution", "recording"] = Field(
        "message", description="What the files are; a recording is held back until the customer agrees to it."
    )


class NoteRequest(Body):
    """An internal note."""

    message: Text
    attachment_ids: FileIds = []


class AssignRequest(Body):
    """Who gets the ticket; null puts it back into the queue."""

    assignee_id: UUID | None


class TicketPatch(Body):
    """Fields to change, at least one."""

    model_config = {"json_schema_extra": {"minProperties": 1}}

    status: TicketStatus = left_out(description="Takes a status of your own away.")
    custom_status: OwnStatusKey = left_out(description="A status of your own; `status` follows from it.")
    priority: TicketPriority = left_out()
    category: CategoryKey = left_out()
    subject: Subject = left_out()
    tags: list[Annotated[str, Field(max_length=TAG_LENGTH, json_schema_extra=SOME_TEXT)]] = left_out(
        max_length=MAX_TAGS, description="Replaces the labels."
    )

    @model_validator(mode="after")
    def _something(self) -> "TicketPatch":
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_to_change", "nothing to change")
        return self


def _day_or_instant(value: Any) -> Any:
    """A date stays one; an instant needs its offset from UTC."""
    try:
        if not isinstance(value, str) or not value.isascii():
            raise ValueError
        if len(value) == len("2026-11-21"):
            return date.fromisoformat(value)
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise ValueError
        return found
    except ValueError:
        raise PydanticCustomError("date_invalid", "neither a date nor an instant") from None


DayOrInstant = Annotated[
    date | datetime,
    BeforeValidator(_day_or_instant),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]


def first_instant(given: date | datetime | None, zone: str, *, after: bool = False) -> datetime | None:
    """The instant a filter begins at: an instant itself, the start of a day in the reader's zone.

    `after` gives the end of the day (the start of the next) for filters that include it. Years that no
    ticket has are drawn to the ends of the calendar, so that no zone carries them beyond it.
    """
    if given is None:
        return None
    if isinstance(given, datetime):
        if _EARLIEST <= given.date() <= _LATEST:
            return given
        given = given.date()
    day = min(max(given, _EARLIEST), _LATEST) + timedelta(days=1 if after else 0)
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


class CustomerOrder(Order):
    """How a customer's list is sorted."""

    UPDATED = "-updated"
    UPDATED_FIRST = "updated"
    CREATED = "-created"
    CREATED_FIRST = "created"
    PRIORITY = "-priority"
    PRIORITY_LOWEST = "priority"
    STATUS = "status"
    STATUS_LAST = "-status"


class StaffOrder(Order):
    """How the queue is sorted."""

    DUE = "due"
    DUE_LAST = "-due"
    UPDATED = "-updated"
    UPDATED_FIRST = "updated"
    CREATED = "-created"
    CREATED_FIRST = "created"
    PRIORITY = "-priority"
    PRIORITY_LOWEST = "priority"
    STATUS = "status"
    STATUS_LAST = "-status"


SearchText = Annotated[str, Field(max_length=QUERY_LENGTH, json_schema_extra=ANY_TEXT)]


class TicketQuery(PageQuery):
    """Filters of a customer's list; a name given several times means any of the values."""

    status: list[TicketStatus] = Field([], description="Any of these states.")
    category: list[CategoryKey] = Field([], description="Any of these categories.")
    priority: list[TicketPriority] = Field([], description="Any of these priorities.")
    q: SearchText = Field("", description="Words that number, subject or text of a ticket hold, each from its start.")
    created_from: DayOrInstant | None = Field(None, description="Opened on that day (in your zone) or later.")
    created_to: DayOrInstant | None = Field(None, description="Opened on that day or earlier; before an instant.")
    sort: CustomerOrder = Field(CustomerOrder.UPDATED, description="A leading minus: greatest or newest first.")


def _assignee(value: Any) -> Any:
    return value if value in ("me", "none") else _as_id(value)


def _as_id(value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise PydanticCustomError("not_an_id", "not an id") from None


Assignee = Annotated[
    UUID | str,
    AfterValidator(_assignee),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "string", "enum": ["me", "none"]}]}),
]


def _view(value: Any) -> Any:
    if value in STAFF_VIEWS:
        return value
    try:
        return UUID(str(value))
    except ValueError:
        raise PydanticCustomError("unknown_choice", "no view") from None


ViewChoice = Annotated[
    UUID | str,
    AfterValidator(_view),
    WithJsonSchema({"anyOf": [{"type": "string", "enum": list(STAFF_VIEWS)}, {"type": "string", "format": "uuid"}]}),
]


class StaffTicketQuery(PageQuery):
    """Filters of the team's queue."""

    view: ViewChoice = Field("all", description="A standing view of the queue, or the id of a saved one.")
    q: SearchText = Field("", description="Words of number, subject, text or conversation, each from its start.")
    status: list[TicketStatus] = Field([], description="Any of these states.")
    priority: list[TicketPriority] = Field([], description="Any of these priorities.")
    category: list[CategoryKey] = Field([], description="Any of these categories.")
    assignee: Assignee | None = Field(None, description="A member of the team, `me`, or `none` for the queue.")
    company: UUID | None = Field(None, description="Tickets of one company.")
    sort: StaffOrder = Field(StaffOrder.DUE, description="A leading minus turns the order round.")
