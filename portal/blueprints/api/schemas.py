"""The shapes every domain's schemas are built from."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    Strict,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from portal.lib.paging import DEFAULT_LIMIT, MAX_LIMIT

Item = TypeVar("Item")

_CONTROL = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
# What a text may hold, for the document: control characters never, and more than white space where one is needed.
# `check_body` and the services hold to it.
ANY_TEXT: dict[str, Any] = {"pattern": rf"^[^{_CONTROL}]*$"}
SOME_TEXT: dict[str, Any] = {
    "minLength": 1,
    "pattern": rf"^[^\S\u000b\u000c\u001c-\u001f\u0085]*[^\s{_CONTROL}][^{_CONTROL}]*$",
}
_WHOLE = re.compile(r"[0-9]{1,9}")


class Shape(BaseModel):
    """An answer of ours; what is optional in it says null instead of being left out."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        return _without_titles(handler.resolve_ref_schema(schema), schema)


class Body(BaseModel):
    """What a caller sends: nothing beyond the named fields is taken, null only where a field says so.

    Where no field is needed by itself no body at all stands for `{}`, unless `may_be_missing` says otherwise.
    """

    may_be_missing: ClassVar[bool] = True
    is_json: ClassVar[bool] = True
    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """In JSON only true and false are flags; pydantic would take 1 and "yes" for one, too."""
        super().__pydantic_init_subclass__(**options)
        flags = [field for field in cls.model_fields.values() if field.annotation in (bool, bool | None)]
        if cls.is_json and flags:
            for field in flags:
                field.metadata.append(Strict())
            cls.model_rebuild(force=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        return _without_titles(handler.resolve_ref_schema(schema), schema)


class Query(Body):
    """Parameters behind the question mark; unknown ones are refused like unknown fields."""

    is_json: ClassVar[bool] = False


def _without_titles(target: JsonSchemaValue, schema: JsonSchemaValue) -> JsonSchemaValue:
    """Names of fields say what titles would; a default of null says "leave it out"."""
    for field in target.get("properties", {}).values():
        field.pop("title", None)
        if "default" in field and field["default"] is None:
            del field["default"]
    return schema


def left_out(**options: Any) -> Any:
    """The default of a field that may be missing but not null; the model then holds None."""
    return Field(default=None, **options)


class NoBody(Body):
    """`{}`: the address says it all."""


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


UtcDateTime = Annotated[
    datetime,
    PlainSerializer(_rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


def _whole_number(value: Any) -> Any:
    """A JSON integer (5.0 is one too, says JSON Schema), or the digits of one in an address."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise PydanticCustomError("not_a_number", "not a whole number")
    return int(value)


def _json_number(value: Any) -> Any:
    if isinstance(value, str):
        raise PydanticCustomError("not_a_number", "a string")
    return _whole_number(value)


# Bounds stand before the check, so that pydantic writes them into the document as `minimum` and `maximum`.
PageLimit = Annotated[int, Field(ge=1, le=MAX_LIMIT), BeforeValidator(_whole_number)]
AmountSought = Annotated[int, Field(ge=0, le=999_999_999), BeforeValidator(_whole_number)]
Rating = Annotated[int, Field(ge=1, le=5), BeforeValidator(_json_number)]


class PageQuery(Query):
    """Paging, the same for every list."""

    limit: PageLimit = Field(DEFAULT_LIMIT, description="Rows on a page.")
    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        None, description="`next_cursor` of the page before, with the same filters and order."
    )


class ListOf(Shape, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="Where the next page starts; null on the last one.")


class Named(Shape):
    """A record by id and name."""

    id: UUID
    name: str


class NextStep(Shape):
    """What happens by itself unless somebody acts."""

    kind: str = Field(description="Begins with `sla_` where a promise is behind it.", examples=["sla_first_response"])
    at: UtcDateTime
    text: str = Field(description="In the reader's language.")


class ProblemField(Shape):
    """One thing wrong with one field."""

    field: str
    code: str
    message: str


class Problem(Shape):
    """Why a request was refused (RFC 9457); `code` is stable, texts are in the reader's language."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemField]
    request_id: str


class Order(StrEnum):
    """Base of sort orders: a leading minus turns the order round."""

    @property
    def key(self) -> str:
        """What is sorted by."""
        return self.value.lstrip("-")

    @property
    def descending(self) -> bool:
        """Whether the greatest or newest comes first."""
        return self.value.startswith("-")
