"""Categories and what they ask of new tickets, as customers get them."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from portal.blueprints.api.schemas import Shape
from portal.models import TicketCategory
from portal.services.tickets.field_answers import name_in

FieldKind = Literal["text", "choice", "number", "date"]


class OptionShape(Shape):
    """One of the answers to choose from."""

    key: str = Field(description="What `custom_fields` of a ticket says.")
    name: str = Field(description="In the reader's language.")


class FieldShape(Shape):
    """A question of a category's form."""

    key: str = Field(description="Names the answer in `custom_fields` of a ticket.")
    kind: FieldKind = Field(description="Days are answered as 2026-11-21, choices by the key of an option.")
    name: str = Field(description="In the reader's language.")
    required: bool
    options: list[OptionShape]

    @classmethod
    def of(cls, field: Mapping[str, Any], locale: str, fallback: str) -> "FieldShape":
        """A stored field."""
        options = [
            OptionShape(key=option["key"], name=name_in(option["names"], option["key"], locale, fallback))
            for option in field["options"]
        ]
        name = name_in(field["names"], field["key"], locale, fallback)
        return cls(key=field["key"], kind=field["kind"], name=name, required=field["required"], options=options)


class CategoryChoice(Shape):
    """A category that new tickets can have."""

    key: str = Field(description="What `category` of a ticket says.")
    name: str = Field(description="In the reader's language.")
    fields: list[FieldShape] = Field(description="What a new ticket of it is asked.")

    @classmethod
    def of(cls, row: TicketCategory, locale: str, fallback: str) -> "CategoryChoice":
        """A category in the reader's language."""
        fields = [FieldShape.of(field, locale, fallback) for field in row.fields]
        return cls(key=row.key, name=row.name_in(locale, fallback), fields=fields)


class Categories(Shape):
    """Every category, in the tenant's order."""

    items: list[CategoryChoice]
