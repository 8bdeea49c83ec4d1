"""Quotes as the team is given them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import ListOf, Named, Shape, UtcDateTime
from portal.blueprints.quotes.requests import QuoteQuery
from portal.blueprints.quotes.schemas import (
    QuoteItem,
    QuoteShape,
    QuoteWishShape,
    item_values,
    quote_values,
    request_values,
)
from portal.services.quotes.detail import QuoteDetail
from portal.services.quotes.lines import plain_decimal
from portal.services.quotes.listing import QuoteRow
from portal.services.quotes.requests import RequestRow
from portal.services.quotes.viewing import ViewRow


class StaffQuoteQuery(QuoteQuery):
    """Which quotes of which customer."""

    customer_id: UUID | None = Field(None, description="Of this customer only.")


class StaffQuoteItem(QuoteItem):
    """A quote of the team's list."""

    customer: Named
    viewed_at: UtcDateTime | None

    @classmethod
    def of_row(cls, row: QuoteRow, now: datetime) -> "StaffQuoteItem":
        """The row as the team is told."""
        customer = Named(id=row.quote.customer_id, name=row.company_name)
        return cls(**item_values(row, now, staff=True), customer=customer, viewed_at=row.quote.viewed_at)


class StaffQuotes(ListOf[StaffQuoteItem]):
    """A page of quotes."""


class QuoteLook(Shape):
    """That somebody of the customer looked at it."""

    name: str
    at: UtcDateTime
    seconds: int


class StaffQuote(QuoteShape):
    """A version of a quote with all it says, and how it stands with the customer."""

    customer: Named
    locale: str
    deposit_percent: str
    edits: int = Field(description="Savings of the draft; send it as `seen` when you change it.")
    request_id: UUID | None
    viewed_at: UtcDateTime | None
    views: list[QuoteLook]
    signer_name: str | None
    decided_by: str
    created_by: str

    @classmethod
    def of(cls, found: QuoteDetail, views: Sequence[ViewRow]) -> "StaffQuote":
        """The quote as the team is told."""
        quote = found.quote
        return cls(
            **quote_values(found, staff=True),
            customer=Named(id=found.company.id, name=found.company.name),
            locale=quote.locale,
            deposit_percent=plain_decimal(quote.deposit_percent),
            edits=quote.edits,
            request_id=quote.request_id,
            viewed_at=quote.viewed_at,
            views=[QuoteLook(name=view.name, at=view.at, seconds=view.seconds) for view in views],
            signer_name=found.signature.signer_name if found.signature else None,
            decided_by=found.decided_by,
            created_by=found.author,
        )


class StaffQuoteWish(QuoteWishShape):
    """A wish of a customer."""

    customer: Named
    requester: str

    @classmethod
    def of(cls, row: RequestRow) -> "StaffQuoteWish":
        """The wish as the team is told."""
        customer = Named(id=row.request.customer_id, name=row.company_name)
        return cls(**request_values(row), customer=customer, requester=row.person_name)


class StaffQuoteWishes(Shape):
    """The newest wishes, at most 50."""

    items: list[StaffQuoteWish]
