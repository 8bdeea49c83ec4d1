"""What can have happened to money that came or went (names: contract §6)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from portal.events.base import Event


@dataclass(frozen=True)
class PaymentFact(Event):
    """Common to all; amounts are minor units."""

    record_type: ClassVar[str] = "payment"

    company_id: UUID
    amount: int
    currency: str


@dataclass(frozen=True)
class PaymentStarted(PaymentFact):
    """An amount is reserved, and the gateway is about to be asked."""

    kind: ClassVar[str] = "payment.started"


@dataclass(frozen=True)
class PaymentChanged(PaymentFact):
    """The payment is on its way, and nothing is decided yet."""

    kind: ClassVar[str] = "payment.status_changed"

    from_status: str
    to_status: str


@dataclass(frozen=True)
class PaymentSucceeded(PaymentFact):
    """The money is there; `excess` is what no invoice took and became credit."""

    kind: ClassVar[str] = "payment.succeeded"

    excess: int


@dataclass(frozen=True)
class PaymentFailed(PaymentFact):
    """No money came, and what was reserved is free again; `code` says why."""

    kind: ClassVar[str] = "payment.failed"

    code: str


@dataclass(frozen=True)
class PaymentCancelled(PaymentFact):
    """Nobody went on with it."""

    kind: ClassVar[str] = "payment.cancelled"


@dataclass(frozen=True)
class CreditUsed(PaymentFact):
    """What a company had to its credit paid (a part of) an invoice."""

    kind: ClassVar[str] = "payment.credit_used"

    invoice_id: UUID


@dataclass(frozen=True)
class PaymentReversed(PaymentFact):
    """A transfer was booked for the wrong invoices or the wrong company; entries took it back."""

    kind: ClassVar[str] = "payment.reversed"


@dataclass(frozen=True)
class RefundRequested(PaymentFact):
    """Somebody of the team wants money to go back; a second one has to agree."""

    kind: ClassVar[str] = "payment.refund_requested"

    refund_id: UUID


@dataclass(frozen=True)
class RefundApproved(PaymentFact):
    """Money shall go back, and nobody else has to agree any more."""

    kind: ClassVar[str] = "payment.refund_approved"

    refund_id: UUID


@dataclass(frozen=True)
class RefundDeclined(PaymentFact):
    """A colleague did not agree to a refund."""

    kind: ClassVar[str] = "payment.refund_declined"

    refund_id: UUID


@dataclass(frozen=True)
class PaymentRefunded(PaymentFact):
    """Money went back, or is on its way."""

    kind: ClassVar[str] = "payment.refunded"

    refund_id: UUID


@dataclass(frozen=True)
class RefundFailed(PaymentFact):
    """Money that should go back did not."""

    kind: ClassVar[str] = "payment.refund_failed"

    refund_id: UUID


@dataclass(frozen=True)
class PaymentDisputed(PaymentFact):
    """The payer objects at their bank; nothing is booked before that decides."""

    kind: ClassVar[str] = "payment.disputed"

    chargeback_id: UUID


@dataclass(frozen=True)
class PaymentChargedBack(PaymentFact):
    """The payer's bank took the money back, and it is owed again."""

    kind: ClassVar[str] = "payment.charged_back"

    chargeback_id: UUID


@dataclass(frozen=True)
class PaymentDisputeWon(PaymentFact):
    """The payer's bank left us the money, or gave it back."""

    kind: ClassVar[str] = "payment.dispute_won"

    chargeback_id: UUID


@dataclass(frozen=True)
class MethodFact(Event):
    """Something about a saved card or account; `expires` is the end of a card (2028-08), as it is now."""

    record_type: ClassVar[str] = "payment_method"

    company_id: UUID
    expires: str = ""


@dataclass(frozen=True)
class MethodAdded(MethodFact):
    """A method was saved."""

    kind: ClassVar[str] = "payment_method.added"


@dataclass(frozen=True)
class MethodUpdated(MethodFact):
    """A method became the default one, or auto-pay uses another one now."""

    kind: ClassVar[str] = "payment_method.updated"


@dataclass(frozen=True)
class MethodExpiring(MethodFact):
    """A card ends soon, and its company is told."""

    kind: ClassVar[str] = "payment_method.expiring"


@dataclass(frozen=True)
class MethodRemoved(MethodFact):
    """A method may not be charged any more."""

    kind: ClassVar[str] = "payment_method.removed"


@dataclass(frozen=True)
class AutoPaySaved(Event):
    """A company switched auto-pay on or off, or changed how it is charged; `record_id` is the company."""

    kind: ClassVar[str] = "auto_pay.saved"
    record_type: ClassVar[str] = "auto_pay"

    company_id: UUID
    enabled: bool
