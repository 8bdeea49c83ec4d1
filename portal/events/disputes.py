"""What can have happened to a customer's objection or wish for more time (names: contract §6)."""

from dataclasses import dataclass
from typing import ClassVar, Self
from uuid import UUID

from portal.events.base import Event
from portal.models import Dispute, ExtensionRequest


@dataclass(frozen=True)
class DisputeFact(Event):
    """Common to all; the amount is in minor units, and one of the two ids says what it is about."""

    record_type: ClassVar[str] = "dispute"

    company_id: UUID
    invoice_id: UUID | None
    payment_id: UUID | None
    amount: int
    currency: str

    @classmethod
    def about(cls, dispute: Dispute) -> Self:
        """The fact about this dispute."""
        return cls(
            record_id=dispute.id,
            company_id=dispute.customer_id,
            invoice_id=dispute.invoice_id,
            payment_id=dispute.payment_id,
            amount=dispute.amount,
            currency=dispute.currency,
        )


@dataclass(frozen=True)
class DisputeOpened(DisputeFact):
    """A customer objects; what it is about is frozen."""

    kind: ClassVar[str] = "dispute.opened"


@dataclass(frozen=True)
class DisputeTaken(DisputeFact):
    """Somebody of the team looks into it."""

    kind: ClassVar[str] = "dispute.under_review"


@dataclass(frozen=True)
class DisputeEvidenceAdded(DisputeFact):
    """One side added files; which ones is in the audit entry."""

    kind: ClassVar[str] = "dispute.evidence_added"


@dataclass(frozen=True)
class DisputeResolved(DisputeFact):
    """The team decided; the outcome is in the audit entry and in the row."""

    kind: ClassVar[str] = "dispute.resolved"


@dataclass(frozen=True)
class DisputeWithdrawn(DisputeFact):
    """The customer objects no more."""

    kind: ClassVar[str] = "dispute.withdrawn"


@dataclass(frozen=True)
class ExtensionFact(Event):
    """Common to what happens to a request for a later due date."""

    record_type: ClassVar[str] = "extension_request"

    company_id: UUID
    invoice_id: UUID

    @classmethod
    def about(cls, wish: ExtensionRequest) -> Self:
        """The fact about this request."""
        return cls(record_id=wish.id, company_id=wish.customer_id, invoice_id=wish.invoice_id)


@dataclass(frozen=True)
class ExtensionAsked(ExtensionFact):
    """A customer asks to pay later."""

    kind: ClassVar[str] = "extension.requested"


@dataclass(frozen=True)
class ExtensionGranted(ExtensionFact):
    """The due date moved."""

    kind: ClassVar[str] = "extension.granted"


@dataclass(frozen=True)
class ExtensionRefused(ExtensionFact):
    """The due date stays."""

    kind: ClassVar[str] = "extension.refused"


@dataclass(frozen=True)
class ExtensionWithdrawn(ExtensionFact):
    """The customer asks no more."""

    kind: ClassVar[str] = "extension.withdrawn"
