"""What the team's API takes and gives about the desk's settings: categories, working hours, mail texts."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from portal.blueprints.api.schemas import ANY_TEXT, SOME_TEXT, Body, Shape, left_out
from portal.models import BusinessCalendar, MailWords, TicketCategory
from portal.services.notifications.mail_words import BODY_LENGTH, SUBJECT_LENGTH, Words
from portal.services.tickets.category_fields import KEY_LENGTH, MOST_FIELDS, MOST_OPTIONS, FieldForm, OptionForm
from portal.services.tickets.sla_checks import NAME_LENGTH
from portal.services.tickets.sla_forms import CalendarForm
from portal.services.tickets.sla_moves import OpenTickets


def _weekday_first(interval: list[int]) -> list[int]:
    if interval[0] > 6:
        raise PydanticCustomError("hours_invalid", "no such weekday")
    return interval


Name = Annotated[str, Field(max_length=60, json_schema_extra=ANY_TEXT)]
Names = Annotated[dict[str, Name], Field(max_length=20, description="Language -> name.")]
Key = Annotated[str, Field(max_length=KEY_LENGTH, pattern=r"^([a-z0-9][a-z0-9_]*)?$")]
Interval = Annotated[
    list[Annotated[int, Field(ge=0, le=1440, strict=True)]],
    Field(min_length=3, max_length=3),
    AfterValidator(_weekday_first),
]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"})]


class OptionRequest(Body):
    """An answer to choose from."""

    names: Names
    key: Key = Field("", description="Of one that exists; a new one gets its key from its name.")


class FieldRequest(Body):
    """A question of a category's form."""

    kind: Literal["text", "choice", "number", "date"]
    names: Names
    required: bool = False
    options: Annotated[list[OptionRequest], Field(max_length=MOST_OPTIONS, description="Of a `choice`.")] = []
    key: Key = Field("", description="Of one that exists; a new one gets its key from its name.")

    def form(self) -> FieldForm:
        """What the service takes."""
        options = tuple(OptionForm(option.names, option.key) for option in self.options)
        return FieldForm(self.kind, self.names, self.required, options, self.key)


Fields = Annotated[list[FieldRequest], Field(max_length=MOST_FIELDS)]


class CategoryRequest(Body):
    """A new category."""

    names: Names
    active: bool = True
    fields: Fields = []


class CategoryPatch(Body):
    """Fields of a category to change, at least one; each of them is replaced as a whole."""

    model_config = {"json_schema_extra": {"minProperties": 1}}

    names: Names = left_out()
    active: bool = left_out()
    fields: Fields = left_out()

    @model_validator(mode="after")
    def _something(self) -> "CategoryPatch":
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_to_change", "nothing to change")
        return self


class StaffCategory(Shape):
    """A category with every language's names, and what it asks of new tickets."""

    id: UUID
    key: str = Field(description="What `category` of a ticket says.")
    names: dict[str, str]
    position: int
    active: bool
    fields: list[dict[str, Any]]

    @classmethod
    def of(cls, row: TicketCategory) -> "StaffCategory":
        """A category as the team sets it up."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class StaffCategories(Shape):
    """Every category in the tenant's order, those out of use among them."""

    items: list[StaffCategory]


class CalendarRequest(Body):
    """Working hours as a whole."""

    name: Annotated[str, Field(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)]
    timezone: Annotated[str, Field(max_length=60, examples=["Europe/Paris"], json_schema_extra=SOME_TEXT)]
    intervals: Annotated[list[Interval], Field(max_length=100)] = Field(
        description="Weekday (Monday is 0), first minute, last minute after midnight."
    )
    holidays: Annotated[list[Day], Field(max_length=500)] = []

    def form(self) -> CalendarForm:
        """What the service takes."""
        intervals = tuple((day, start, end) for day, start, end in self.intervals)
        return CalendarForm(self.name, self.timezone, intervals, tuple(self.holidays))


class CalendarSave(CalendarRequest):
    """Working hours, and what open tickets do."""

    open_tickets: OpenTickets = Field("move", description="Move to the new times, or stay with what was promised.")


class CalendarShape(Shape):
    """Working hours."""

    id: UUID
    name: str
    timezone: str
    intervals: list[list[int]]
    holidays: list[str]

    @classmethod
    def of(cls, row: BusinessCalendar) -> "CalendarShape":
        """A stored calendar."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class Calendars(Shape):
    """Every calendar, by name."""

    items: list[CalendarShape]


class MailWordsRequest(Body):
    """What a mail says in one language; an empty part has the standard words."""

    subject: Annotated[str, Field(max_length=SUBJECT_LENGTH, json_schema_extra=ANY_TEXT)] = ""
    body: Annotated[str, Field(max_length=BODY_LENGTH, json_schema_extra=ANY_TEXT)] = ""


class MailTextsRequest(Body):
    """What a mail says in own words; nothing gives it the standard ones again."""

    texts: Annotated[dict[str, MailWordsRequest], Field(max_length=20, description="Language -> words.")]

    def words(self) -> dict[str, Words]:
        """What the service takes."""
        return {locale: Words(words.subject, words.body) for locale, words in self.texts.items()}


class MailWordsShape(Shape):
    """Words in one language, with placeholders such as {{ticket.number}}."""

    subject: str
    body: str


class MailTextShape(Shape):
    """What one kind of mail says."""

    kind: str
    texts: dict[str, MailWordsShape] = Field(description="Own words by language; others have the standard ones.")
    version: int = Field(description="0 where nobody has ever said it in own words.")

    @classmethod
    def of(cls, kind: str, row: MailWords | None) -> "MailTextShape":
        """A kind of mail with the own words it has."""
        texts = {locale: MailWordsShape(**words) for locale, words in (row.texts if row else {}).items()}
        return cls(kind=kind, texts=texts, version=row.version if row else 0)


class MailTexts(Shape):
    """Every mail about tickets."""

    items: list[MailTextShape]
