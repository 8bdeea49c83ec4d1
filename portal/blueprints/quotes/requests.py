"""Quotes as the API takes them: filters, decisions, wishes and drafts; money is `{amount, currency}` in minor units."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from portal.blueprints.accounts.account_schemas import Day
from portal.blueprints.api.schemas import (
    ANY_TEXT,
    SOME_TEXT,
    Body,
    PageQuery,
    left_out,
)
from portal.lib.money import LARGEST
from portal.models import QuoteStatus
from portal.services.quotes.accepting import NAME_LENGTH, ORDER_LENGTH
from portal.services.quotes.deciding import NOTE_LENGTH
from portal.services.quotes.drafting import TEXT_LENGTH, TITLE_LENGTH, QuoteDraft
from portal.services.quotes.lines import (
    DESCRIPTION_LENGTH,
    MOST_LINES,
    TAX_NAME_LENGTH,
    UNIT_LENGTH,
    LineDraft,
)
from portal.services.quotes.requests import REFUSAL_LENGTH, SUBJECT_LENGTH
from portal.services.quotes.requests import TEXT_LENGTH as WISH_LENGTH
from portal.services.quotes.signature_images import MOST_CHARACTERS

_DECIMAL = re.compile(r"\d{1,12}(?:\.\d{1,8})?", re.ASCII)
_WHOLE = {"type": "integer", "minimum": -LARGEST, "maximum": LARGEST}


def _decimal(value: Any) -> Decimal:
    """A text of digits with a point, or a JSON number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise PydanticCustomError("wrong_type", "no decimal")
    text = value if isinstance(value, str) else f"{Decimal(str(value)):f}"
    if not _DECIMAL.fullmatch(text):
        raise PydanticCustomError("decimal_invalid", "no decimal")
    return Decimal(text)


def _minor(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise PydanticCustomError("not_a_number", "no whole number")
    if abs(value) > LARGEST:
        raise PydanticCustomError("amount_too_large", "too large")
    return int(value)


DecimalText = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,8})?$"}, {"type": "number", "minimum": 0}]},
        mode="validation",
    ),
]
MinorUnits = Annotated[int, BeforeValidator(_minor), WithJsonSchema(_WHOLE, mode="validation")]
Currency = Annotated[str, Field(min_length=3, max_length=3, pattern="^[A-Z]{3}$", examples=["EUR"])]
Note = Annotated[str, Field(max_length=NOTE_LENGTH, json_schema_extra=SOME_TEXT)]


class MoneyBody(Body):
    """An amount in minor units of a currency."""

    may_be_missing = False
    amount: MinorUnits
    currency: Currency


class QuoteQuery(PageQuery):
    """Which quotes; a name given several times means any of the values."""

    status: list[QuoteStatus] = Field([], description="Any of these states.")
    q: Annotated[str, Field(max_length=200, json_schema_extra=ANY_TEXT)] = Field(
        "", description="Looked for in number and title."
    )


class AcceptRequest(Body):
    """A signature on exactly this content."""

    signer_name: Annotated[str, Field(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)]
    content_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] = Field(description="Of the quote as it was shown.")
    consent: bool = Field(description="Has to be true: you may sign for the company and agree to the terms.")
    signature: Annotated[str, Field(max_length=MOST_CHARACTERS)] = left_out(
        description="A drawn one, as a data URL of a PNG; without it the name is the signature."
    )
    selected_line_ids: Annotated[list[UUID], Field(max_length=MOST_LINES)] = left_out(
        description="Every line taken, required ones included; without it the lines as they are offered."
    )
    purchase_order: Annotated[str, Field(max_length=ORDER_LENGTH, json_schema_extra=ANY_TEXT)] = ""


class DeclineRequest(Body):
    """Why not."""

    reason: Note


class RevisionRequest(Body):
    """What shall change."""

    comment: Note


class QuoteWishBody(Body):
    """What a quote is wanted for."""

    subject: Annotated[str, Field(max_length=SUBJECT_LENGTH, json_schema_extra=SOME_TEXT)]
    requirements: Annotated[str, Field(max_length=WISH_LENGTH, json_schema_extra=SOME_TEXT)]
    budget: MoneyBody = left_out()
    wanted_by: Day = left_out()


class LineBody(Body):
    """A line as it is read; what is left out comes from the catalogue and the tenant's tax."""

    id: UUID = left_out(description="Of a line that the draft has already.")
    description: Annotated[str, Field(max_length=DESCRIPTION_LENGTH, json_schema_extra=SOME_TEXT)]
    quantity: DecimalText = Decimal(1)
    unit: Annotated[str, Field(max_length=UNIT_LENGTH, json_schema_extra=ANY_TEXT)] = ""
    unit_price: MoneyBody
    discount: MoneyBody = left_out(description="Without it what the item's quantity discounts say, else nothing.")
    tax_name: Annotated[str, Field(max_length=TAX_NAME_LENGTH, json_schema_extra=ANY_TEXT)] = ""
    tax_rate: DecimalText = left_out(description="In percent; without it the item's, else the tenant's standard rate.")
    optional: bool = False
    selected: bool = True
    catalog_item_id: UUID = left_out()
    total: MoneyBody = left_out(description="May be sent back as it was read; it is computed anew.")

    def as_line(self) -> LineDraft:
        """The line for the service."""
        return LineDraft(
            id=self.id,
            description=self.description,
            quantity=self.quantity,
            unit=self.unit,
            unit_price=self.unit_price.amount,
            discount=self.discount.amount if self.discount is not None else None,
            tax_name=self.tax_name,
            tax_rate=self.tax_rate,
            optional=self.optional,
            selected=self.selected,
            catalog_item_id=self.catalog_item_id,
        )


class QuotePatch(Body):
    """What changes in a draft."""

    title: Annotated[str, Field(max_length=TITLE_LENGTH, json_schema_extra=ANY_TEXT)] = left_out()
    introduction: Annotated[str, Field(max_length=TEXT_LENGTH, json_schema_extra=ANY_TEXT)] = left_out()
    terms: Annotated[str, Field(max_length=TEXT_LENGTH, json_schema_extra=ANY_TEXT)] = left_out()
    valid_until: Day = left_out(description="The whole day, in your time zone.")
    deposit_percent: DecimalText = left_out()
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=MOST_LINES)] = left_out()
    seen: int = left_out(description="`edits` of the draft you know; where it was saved since, this is a conflict.")

    def as_draft(self, **more: Any) -> QuoteDraft:
        """What is given, for the service."""
        return QuoteDraft(
            title=self.title,
            introduction=self.introduction,
            terms=self.terms,
            valid_until=self.valid_until,
            deposit_percent=self.deposit_percent,
            lines=[line.as_line() for line in self.lines] if self.lines is not None else None,
            **more,
        )


class QuoteBody(QuotePatch):
    """A quote for a customer."""

    customer_id: UUID
    currency: Currency = left_out(description="Without it the tenant's.")
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=MOST_LINES)]
    request_id: UUID = left_out(description="The customer's request that it answers.")


def foreign_currencies(lines: Sequence[LineBody], currency: str) -> list[str]:
    """Fields of lines that are in another currency than the quote."""
    return [
        f"lines.{place}.{name}.currency"
        for place, line in enumerate(lines)
        for name, given in (("unit_price", line.unit_price), ("discount", line.discount), ("total", line.total))
        if given is not None and given.currency != currency
    ]


class RefusalBody(Body):
    """Why there will be no quote."""

    reason: Annotated[str, Field(max_length=REFUSAL_LENGTH, json_schema_extra=SOME_TEXT)]
