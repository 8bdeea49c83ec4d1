"""What can have happened to a quote, or to a customer's wish for one (names: contract §6)."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self
from uuid import UUID

from portal.events.base import Event
from portal.models import Quote, QuoteRequest


@dataclass(frozen=True)
class QuoteFact(Event):
    """Common to all: whose quote it is, and which of its versions."""

    record_type: ClassVar[str] = "quote"

    company_id: UUID
    version: int

    @classmethod
    def about(cls, quote: Quote, **more: Any) -> Self:
        """The fact about this version; `more` are the fields of the kind."""
        return cls(record_id=quote.id, company_id=quote.customer_id, version=quote.version, **more)


@dataclass(frozen=True)
class QuoteDrafted(QuoteFact):
    """Somebody of the team began a quote, or its next version; customers do not hear of it."""

    kind: ClassVar[str] = "quote.drafted"


@dataclass(frozen=True)
class QuoteEdited(QuoteFact):
    """A draft was changed; customers do not hear of it."""

    kind: ClassVar[str] = "quote.edited"


@dataclass(frozen=True)
class QuoteDiscarded(QuoteFact):
    """A draft was thrown away; customers never saw it."""

    kind: ClassVar[str] = "quote.discarded"


@dataclass(frozen=True)
class QuoteSent(QuoteFact):
    """The customer has it; from now on it never changes."""

    kind: ClassVar[str] = "quote.sent"


@dataclass(frozen=True)
class QuoteViewed(QuoteFact):
    """Somebody of the customer looked at it for the first time; the team hears of it."""

    kind: ClassVar[str] = "quote.viewed"


@dataclass(frozen=True)
class QuoteReminded(QuoteFact):
    """Its validity ends soon and nobody has decided; `before` is the ISO 8601 duration that was left."""

    kind: ClassVar[str] = "quote.reminded"

    before: str


@dataclass(frozen=True)
class QuoteAccepted(QuoteFact):
    """The customer signed; invoice and sealed document follow from it."""

    kind: ClassVar[str] = "quote.accepted"

    signature_id: UUID


@dataclass(frozen=True)
class QuoteDeclined(QuoteFact):
    """The customer does not want it."""

    kind: ClassVar[str] = "quote.declined"


@dataclass(frozen=True)
class QuoteRevisionRequested(QuoteFact):
    """The customer wants it otherwise."""

    kind: ClassVar[str] = "quote.revision_requested"


@dataclass(frozen=True)
class QuoteSuperseded(QuoteFact):
    """A later version takes its place."""

    kind: ClassVar[str] = "quote.superseded"

    next_id: UUID


@dataclass(frozen=True)
class QuoteExpired(QuoteFact):
    """Its validity ended and nobody had decided."""

    kind: ClassVar[str] = "quote.expired"


@dataclass(frozen=True)
class QuoteClockChanged(QuoteFact):
    """Its timer has to be set anew; nobody is told."""

    kind: ClassVar[str] = "quote.clock_changed"


@dataclass(frozen=True)
class QuoteInvoiced(QuoteFact):
    """What was accepted is billed."""

    kind: ClassVar[str] = "quote.invoiced"

    invoice_id: UUID


@dataclass(frozen=True)
class QuoteRequestFact(Event):
    """Common to what happens to a wish for a quote."""

    record_type: ClassVar[str] = "quote_request"

    company_id: UUID
    requester_id: UUID

    @classmethod
    def about(cls, request: QuoteRequest, **more: Any) -> Self:
        """The fact about this request."""
        return cls(record_id=request.id, company_id=request.customer_id, requester_id=request.user_id, **more)


@dataclass(frozen=True)
class QuoteRequested(QuoteRequestFact):
    """A customer asks for a quote."""

    kind: ClassVar[str] = "quote_request.created"


@dataclass(frozen=True)
class QuoteRequestAnswered(QuoteRequestFact):
    """The quote that answers the request was sent."""

    kind: ClassVar[str] = "quote_request.answered"

    quote_id: UUID


@dataclass(frozen=True)
class QuoteRequestRefused(QuoteRequestFact):
    """There will be no quote."""

    kind: ClassVar[str] = "quote_request.refused"
