"""What the API takes and gives about answering: macros, own statuses, time spent, satisfaction."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from portal.blueprints.api.schemas import ANY_TEXT, SOME_TEXT, Body, Named, Query, Shape, UtcDateTime, left_out
from portal.blueprints.tickets.requests import CategoryKey, FileIds, OwnStatusKey
from portal.blueprints.tickets.schemas import StaffMessage, StaffTicket
from portal.models import CustomStatus, Macro, TicketPriority, TicketStatus
from portal.services.tickets.desk import MAX_TAGS, TAG_LENGTH
from portal.services.tickets.macro_form import NAME_LENGTH
from portal.services.tickets.satisfaction import Figures, Satisfaction
from portal.services.tickets.time_spent import MOST_MINUTES, NOTE_LENGTH, TimeRow
from portal.services.tickets.validation import TEXT_LENGTH

Audience = Literal["staff", "customer"]
Texts = Annotated[
    dict[str, Annotated[str, Field(max_length=TEXT_LENGTH, json_schema_extra=ANY_TEXT)]],
    Field(max_length=20, description="Language -> text with placeholders such as {{customer.first_name}}."),
]
MacroName = Annotated[str, Field(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)]
OwnName = Annotated[str, Field(max_length=60, json_schema_extra=ANY_TEXT)]
OwnNames = Annotated[dict[str, OwnName], Field(max_length=20, description="Language -> name.")]
Tag = Annotated[str, Field(max_length=TAG_LENGTH, json_schema_extra=SOME_TEXT)]


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


Weeks = Annotated[Literal[4, 13, 26, 52], BeforeValidator(_number)]


class MacroChanges(Body):
    """What a macro changes together with the answer."""

    status: TicketStatus | None = None
    custom_status: OwnStatusKey | None = Field(None, description="A status of your own, in place of `status`.")
    priority: TicketPriority | None = None
    assignee: Annotated[str, Field(max_length=36)] | None = Field(
        None, description="The id of a member of the team, `me` for whoever uses the macro, or `none`."
    )
    add_tags: list[Tag] = Field([], max_length=MAX_TAGS)


class MacroRequest(Body):
    """A new macro."""

    name: MacroName
    audience: Audience = "staff"
    shared: bool = Field(True, description="False: only you have it.")
    texts: Texts = {}
    actions: MacroChanges = Field(default_factory=lambda: MacroChanges.model_validate({}))
    categories: list[CategoryKey] = Field([], max_length=100, description="None: for tickets of every category.")
    active: bool = True


class MacroPatch(Body):
    """Fields of a macro to change, at least one; each of them is replaced as a whole."""

    model_config = {"json_schema_extra": {"minProperties": 1}}

    name: MacroName = left_out()
    texts: Texts = left_out()
    actions: MacroChanges = left_out()
    categories: list[CategoryKey] = left_out(max_length=100)
    active: bool = left_out()

    @model_validator(mode="after")
    def _something(self) -> "MacroPatch":
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_to_change", "nothing to change")
        return self


class MacroQuery(Query):
    """Which macros."""

    audience: Audience | None = Field(None, description="Those for the team, or those for customers.")
    q: Annotated[str, Field(max_length=80, json_schema_extra=ANY_TEXT)] = Field("", description="Part of the name.")


class MacroShape(Shape):
    """A prepared answer with the changes that go with it."""

    id: UUID
    name: str
    audience: Audience
    shared: bool
    texts: dict[str, str]
    actions: dict[str, Any]
    categories: list[str]
    active: bool
    used: int = Field(description="How often it was used.")
    version: int

    @classmethod
    def of(cls, row: Macro) -> "MacroShape":
        """A macro as its readers see it."""
        same = ("id", "name", "audience", "texts", "actions", "categories", "active", "used", "version")
        return cls(**{name: getattr(row, name) for name in same}, shared=row.owner_id is None)


class Macros(Shape):
    """Every macro that you may see."""

    items: list[MacroShape]


class MacroUse(Body):
    """A macro to use on a ticket."""

    macro_id: UUID
    preview: bool = Field(False, description="True: nothing is done; the answer tells what would be.")
    message: Annotated[str, Field(max_length=TEXT_LENGTH, json_schema_extra=ANY_TEXT)] = left_out(
        description="The text to send, edited; without it the macro's own."
    )
    attachment_ids: FileIds = []


class MacroResult(Shape):
    """What a macro says and changes on a ticket, and what came of it where it was used."""

    applied: bool
    text: str = Field(description="The macro's text with its placeholders filled.")
    locale: str
    actions: dict[str, Any]
    message: StaffMessage | None = Field(description="The answer that was sent.")
    ticket: StaffTicket | None = Field(description="The ticket after it.")


class OwnStatusRequest(Body):
    """A status of your own; what it counts as stays for ever."""

    category: TicketStatus
    staff_names: OwnNames
    customer_names: OwnNames
    active: bool = True


class OwnStatusPatch(Body):
    """Names and state of a status of your own; names are replaced as a whole."""

    model_config = {"json_schema_extra": {"minProperties": 1}}

    staff_names: OwnNames = left_out()
    customer_names: OwnNames = left_out()
    active: bool = left_out()

    @model_validator(mode="after")
    def _something(self) -> "OwnStatusPatch":
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_to_change", "nothing to change")
        return self


class OwnStatusShape(Shape):
    """A status of your own."""

    id: UUID
    key: str = Field(description="What `custom_status` of a ticket says.")
    category: TicketStatus = Field(description="What it counts as everywhere.")
    staff_names: dict[str, str]
    customer_names: dict[str, str]
    active: bool

    @classmethod
    def of(cls, row: CustomStatus) -> "OwnStatusShape":
        """A status as staff see it."""
        same = ("id", "key", "category", "staff_names", "customer_names", "active")
        return cls(**{name: getattr(row, name) for name in same})


class OwnStatuses(Shape):
    """Every status of your own, in order."""

    items: list[OwnStatusShape]


class TimeRequest(Body):
    """Time that you spent."""

    minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES, strict=True)]
    note: Annotated[str, Field(max_length=NOTE_LENGTH, json_schema_extra=ANY_TEXT)] = ""
    billable: bool = True
    spent_at: datetime | None = Field(None, description="Now, unless said; never in the future.")


class TimeShape(Shape):
    """Time that somebody spent on a ticket."""

    id: UUID
    person: Named
    minutes: int
    note: str
    billable: bool
    spent_at: UtcDateTime

    @classmethod
    def of(cls, row: TimeRow) -> "TimeShape":
        """An entry."""
        entry = row.entry
        return cls(
            id=entry.id,
            person=Named(id=entry.user_id, name=row.name),
            minutes=entry.minutes,
            note=entry.note,
            billable=entry.billable,
            spent_at=entry.spent_at,
        )


class TimeSpent(Shape):
    """Every entry of a ticket, the newest first."""

    items: list[TimeShape]
    total_minutes: int


class Tags(Shape):
    """Tags in use, the most used first."""

    items: list[str]


class SatisfactionQuery(Query):
    """Which ratings count."""

    weeks: Weeks = Field(13, description="Tickets solved in the last so many weeks.")
    category: Annotated[str, Field(max_length=50, json_schema_extra=ANY_TEXT)] = ""
    agent: UUID | None = None


class FiguresShape(Shape):
    """Ratings of one group."""

    count: int
    average: float | None
    good: int = Field(description="How many were 4 or 5.")

    @classmethod
    def of(cls, figures: Figures) -> "FiguresShape":
        """The figures of a group."""
        return cls(count=figures.count, average=figures.average, good=figures.good)


class GroupShape(FiguresShape):
    """Ratings of a week (its Monday), a category (its key) or an agent (id and name)."""

    key: str
    name: str


class SatisfactionShape(Shape):
    """How satisfied customers were."""

    whole: FiguresShape
    solved: int
    weeks: list[GroupShape]
    categories: list[GroupShape]
    agents: list[GroupShape]

    @classmethod
    def of_overview(cls, found: Satisfaction) -> "SatisfactionShape":
        """The overview without its comments."""
        lists = {
            name: [
                GroupShape(**dict(FiguresShape.of(group.figures)), key=group.key, name=group.name)
                for group in getattr(found, name)
            ]
            for name in ("weeks", "categories", "agents")
        }
        return cls(whole=FiguresShape.of(found.whole), solved=found.solved, **lists)
