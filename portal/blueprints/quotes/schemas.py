"""Quotes as the API gives them; money is `{amount, currency}` in minor units, decimals are texts."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import (
    ListOf,
    NextStep,
    Shape,
    UtcDateTime,
)
from portal.blueprints.billing.schemas import Money, Tax
from portal.blueprints.localisation import gettext
from portal.lib.wording.quotes import step_text
from portal.models import NextStep as Step
from portal.models import Quote, QuoteLine, QuoteStatus
from portal.services.quotes.clock import status_at
from portal.services.quotes.detail import QuoteDetail
from portal.services.quotes.lines import (
    plain_decimal,
)
from portal.services.quotes.listing import QuoteRow
from portal.services.quotes.requests import RequestRow, RequestState


def money(amount: int, quote: Quote) -> Money:
    """So many minor units of the quote's currency."""
    return Money(amount=amount, currency=quote.currency)


class QuoteLineShape(Shape):
    """One line; `total` is quantity times price less discount, before tax."""

    id: UUID
    description: str
    quantity: str
    unit: str
    unit_price: Money
    discount: Money
    tax_name: str
    tax_rate: str = Field(description="In percent.")
    optional: bool
    selected: bool
    total: Money

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
    total: Money
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
    subtotal: Money
    discount_total: Money
    tax_total: Money
    taxes: list[Tax]
    total: Money = Field(description="subtotal - discounts + tax, of the lines taken.")
    deposit: Money | None = Field(description="Due at once when it is accepted; null where none is asked for.")
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


def _taxes(quote: Quote) -> list[Tax]:
    return [
        Tax(name=row["name"], rate=row["rate"], net=money(row["net"], quote), tax=money(row["tax"], quote))
        for row in quote.taxes
    ]


class QuoteWishShape(Shape):
    """What everybody is given of a wish for a quote."""

    id: UUID
    number: str
    subject: str
    requirements: str
    budget: Money | None
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
    budget = Money(amount=request.budget, currency=request.currency) if request.budget else None
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
