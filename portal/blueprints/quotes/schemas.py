"""Quotes as the API gives and takes them; money is `{amount, currency}` in minor units, decimals are texts."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from portal.blueprints.api.schemas import (
    ANY_TEXT,
    SOME_TEXT,
    Body,
    ListOf,
    NextStep,
    PageQuery,
    Shape,
    UtcDateTime,
    left_out,
)
from portal.blueprints.localisation import gettext
from portal.lib.money import LARGEST
from portal.lib.wording.quotes import step_text
from portal.models import NextStep as Step
from portal.models import Quote, QuoteLine, QuoteStatus
from portal.services.quotes.accepting import NAME_LENGTH, ORDER_LENGTH
from portal.services.quotes.clock import status_at
from portal.services.quotes.deciding import NOTE_LENGTH
from portal.services.quotes.detail import QuoteDetail
from portal.services.quotes.drafting import TEXT_LENGTH, TITLE_LENGTH, QuoteDraft
from portal.services.quotes.lines import (
    DESCRIPTION_LENGTH,
    MOST_LINES,
    TAX_NAME_LENGTH,
    UNIT_LENGTH,
    LineDraft,
    plain_decimal,
)
from portal.services.quotes.listing import QuoteRow
from portal.services.quotes.requests import REFUSAL_LENGTH, SUBJECT_LENGTH, RequestRow, RequestState
from portal.services.quotes.requests import TEXT_LENGTH as WISH_LENGTH
from portal.services.quotes.signature_images import MOST_CHARACTERS

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DECIMAL = re.compile(r"\d{1,12}(?:\.\d{1,8})?", re.ASCII)
_WHOLE = {"type": "integer", "minimum": -LARGEST, "maximum": LARGEST}


def _day(value: Any) -> date:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("date_invalid", "no date")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("date_invalid", "no date") from None


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


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"}, mode="validation")]
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


class MoneyShape(Shape):
    """An amount in minor units of a currency."""

    amount: int
    currency: str


def money(amount: int, quote: Quote) -> MoneyShape:
    """So many minor units of the quote's currency."""
    return MoneyShape(amount=amount, currency=quote.currency)


class QuoteLineShape(Shape):
    """One line; `total` is quantity times price less discount, before tax."""

    id: UUID
    description: str
    quantity: str
    unit: str
    unit_price: MoneyShape
    discount: MoneyShape
    tax_name: str
    tax_rate: str = Field(description="In percent.")
    optional: bool
    selected: bool
    total: MoneyShape

    @classmethod
    def of(cls, line: QuoteLine, quote: Quote) -> "QuoteLineShape":
        """The line as the API tells."""
        return cls(
            id=line.id,
            description=line.description,
            quantity=plain_decimal(line.quantity),
            unit=line.unit,
            unit_price=money(line.unit_price, quote),
            discount=money(line.discount, quote),
            tax_name=line.tax_name,
            tax_rate=plain_decimal(line.tax_rate),
            optional=line.optional,
            selected=line.selected,
            total=money(line.total, quote),
        )


class TaxShape(Shape):
    """The tax of all lines of one rate."""

    name: str
    rate: str
    net: MoneyShape
    tax: MoneyShape


def step_shape(step: Step | None, *, staff: bool) -> NextStep | None:
    """What happens by itself, as the API tells."""
    if step is None:
        return None
    return NextStep(kind=step.kind, at=step.at, text=step_text(step.kind, gettext, staff=staff))


class QuoteItem(Shape):
    """What everybody is given of a quote of a list."""

    id: UUID
    number: str
    version: int
    title: str
    status: QuoteStatus
    currency: str
    total: MoneyShape
    valid_until: date
    sent_at: UtcDateTime | None
    next_step: NextStep | None


def item_values(row: QuoteRow, now: datetime, *, staff: bool) -> dict[str, Any]:
    """The fields of `QuoteItem`."""
    quote = row.quote
    return {
        "id": quote.id,
        "number": quote.number,
        "version": quote.version,
        "title": quote.title,
        "status": status_at(quote, now),
        "currency": quote.currency,
        "total": money(quote.total, quote),
        "valid_until": quote.valid_until,
        "sent_at": quote.sent_at,
        "next_step": step_shape(row.step, staff=staff),
    }


class CustomerQuoteItem(QuoteItem):
    """A quote of a list."""

    @classmethod
    def of_row(cls, row: QuoteRow, now: datetime) -> "CustomerQuoteItem":
        """The row as customers are told."""
        return cls(**item_values(row, now, staff=False))


class CustomerQuotes(ListOf[CustomerQuoteItem]):
    """A page of quotes."""


class VersionShape(Shape):
    """Another version of the same quote."""

    id: UUID
    version: int
    status: QuoteStatus


class QuoteShape(Shape):
    """What everybody is given of a version; it never changes once it was sent."""

    id: UUID
    number: str
    version: int
    previous_id: UUID | None = Field(description="The version this one takes the place of.")
    title: str
    introduction: str
    status: QuoteStatus
    currency: str
    lines: list[QuoteLineShape]
    subtotal: MoneyShape
    discount_total: MoneyShape
    tax_total: MoneyShape
    taxes: list[TaxShape]
    total: MoneyShape = Field(description="subtotal - discounts + tax, of the lines taken.")
    deposit: MoneyShape | None = Field(description="Due at once when it is accepted; null where none is asked for.")
    valid_until: date
    terms: str
    content_sha256: str | None = Field(description="Send it back to accept exactly this content.")
    sent_at: UtcDateTime | None
    decided_at: UtcDateTime | None
    decision_note: str = Field(description="Why it was declined, or what shall change.")
    purchase_order: str
    next_step: NextStep | None
    invoice_id: UUID | None
    versions: list[VersionShape]


class CustomerQuote(QuoteShape):
    """A version of a quote with all it says."""

    may_decide: bool = Field(description="Whether you may accept or decline it now.")

    @classmethod
    def of(cls, found: QuoteDetail) -> "CustomerQuote":
        """The quote as customers are told."""
        return cls(**quote_values(found, staff=False), may_decide=found.may_decide)


def quote_values(found: QuoteDetail, *, staff: bool) -> dict[str, Any]:
    """What customers and the team are both given."""
    quote = found.quote
    return {
        "id": quote.id,
        "number": quote.number,
        "version": quote.version,
        "previous_id": quote.previous_id,
        "title": quote.title,
        "introduction": quote.introduction,
        "status": found.status,
        "currency": quote.currency,
        "lines": [QuoteLineShape.of(line, quote) for line in found.lines],
        "subtotal": money(quote.subtotal, quote),
        "discount_total": money(quote.discount_total, quote),
        "tax_total": money(quote.tax_total, quote),
        "taxes": _taxes(quote),
        "total": money(quote.total, quote),
        "deposit": money(quote.deposit, quote) if quote.deposit else None,
        "valid_until": quote.valid_until,
        "terms": quote.terms,
        "content_sha256": quote.content_sha256.hex() if quote.content_sha256 else None,
        "sent_at": quote.sent_at,
        "decided_at": quote.decided_at,
        "decision_note": quote.decision_note,
        "purchase_order": quote.purchase_order,
        "next_step": step_shape(found.step, staff=staff),
        "invoice_id": quote.invoice_id,
        "versions": [VersionShape(id=one.id, version=one.version, status=one.status) for one in found.versions],
    }


def _taxes(quote: Quote) -> list[TaxShape]:
    return [
        TaxShape(name=row["name"], rate=row["rate"], net=money(row["net"], quote), tax=money(row["tax"], quote))
        for row in quote.taxes
    ]


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


class QuoteWishShape(Shape):
    """What everybody is given of a wish for a quote."""

    id: UUID
    number: str
    subject: str
    requirements: str
    budget: MoneyShape | None
    wanted_by: date | None
    status: RequestState
    quote_id: UUID | None
    refusal: str
    created_at: UtcDateTime
    answered_at: UtcDateTime | None


class CustomerQuoteWish(QuoteWishShape):
    """A wish for a quote, and what became of it."""

    @classmethod
    def of(cls, row: RequestRow) -> "CustomerQuoteWish":
        """The wish as the API tells."""
        return cls(**request_values(row))


def request_values(row: RequestRow) -> dict[str, Any]:
    """What customers and the team are both given of a wish."""
    request = row.request
    budget = MoneyShape(amount=request.budget, currency=request.currency) if request.budget else None
    return {
        "id": request.id,
        "number": request.number,
        "subject": request.subject,
        "requirements": request.requirements,
        "budget": budget,
        "wanted_by": request.wanted_by,
        "status": row.state,
        "quote_id": request.quote_id,
        "refusal": request.refusal,
        "created_at": request.created_at,
        "answered_at": request.answered_at,
    }


class CustomerQuoteWishes(Shape):
    """The newest wishes, at most 50."""

    items: list[CustomerQuoteWish]


class LineBody(Body):
    """A line as it is read; what is left out comes from the catalogue and the tenant's tax."""

    id: UUID = left_out(description="Of a line that the draft has already.")
    description: Annotated[str, Field(max_length=DESCRIPTION_LENGTH, json_schema_extra=SOME_TEXT)]
    quantity: DecimalText = Decimal(1)
    unit: Annotated[str, Field(max_length=UNIT_LENGTH, json_schema_extra=ANY_TEXT)] = ""
    unit_price: MoneyBody
    discount: MoneyBody = left_out()
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
            discount=self.discount.amount if self.discount is not None else 0,
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
