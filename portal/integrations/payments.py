"""What the ledger asks of a payment gateway, and what it gets back: objects of ours, refusals of ours.

Every answer is the gateway's present truth; nobody books from a webhook's or a return page's own words (research:
payments §1). Amounts are minor units, times are UTC, idempotency keys are the caller's and written down before the
call, so that a repeated call does its work once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# What the gateway is asked to tell; the inbox must know each of them.
SUBSCRIBED_EVENTS = (
    "payment_intent.succeeded",
    "payment_intent.processing",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "setup_intent.succeeded",
    "setup_intent.setup_failed",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.automatically_updated",
    "mandate.updated",
    "radar.early_fraud_warning.created",
)


class GatewayError(Exception):
    """Something at the gateway did not work; its subclasses say whether trying again helps."""


class GatewayUnavailable(GatewayError):
    """No answer, or "later": the outcome is unknown, and the same call with the same key is right."""


class GatewayRefused(GatewayError):
    """The gateway will answer the same again: a wrong parameter, state or key. `code` is the gateway's own."""

    def __init__(self, code: str, message: str = "", *, param: str | None = None, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.param = param
        self.status = status


class PaymentDeclined(GatewayError):
    """The bank or the gateway's own rules said no; `advice_code` says whether trying again may help."""

    def __init__(
        self, code: str, decline_code: str | None = None, advice_code: str | None = None, intent_id: str | None = None
    ) -> None:
        super().__init__(decline_code or code)
        self.code = code
        self.decline_code = decline_code
        self.advice_code = advice_code
        self.intent_id = intent_id


class AuthenticationNeeded(PaymentDeclined):
    """The bank wants to see the person: the same intent can be confirmed again while they are there."""

    def __init__(self, intent_id: str | None) -> None:
        super().__init__("authentication_required", "authentication_required", None, intent_id)


class EventRefused(ValueError):
    """What came in is not a message of our gateway: wrong signature, not its format, or of the other mode."""


@dataclass(frozen=True, slots=True)
class GatewayFailure:
    """Why the last try failed, in the gateway's codes."""

    code: str
    decline_code: str | None = None
    advice_code: str | None = None


@dataclass(frozen=True, slots=True)
class GatewayMethod:
    """A card or account: a token and what may be shown of it. `id` is empty where the gateway names none."""

    id: str
    kind: str
    brand: str = ""
    last4: str = ""
    exp_month: int | None = None
    exp_year: int | None = None
    fingerprint: str = ""
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class GatewayIntent:
    """One attempt series. `status` is the gateway's: requires_payment_method, requires_action, processing, …"""

    id: str
    status: str
    amount: int
    amount_received: int
    currency: str
    created: datetime
    customer_id: str | None = None
    method_id: str | None = None
    method: GatewayMethod | None = None
    charge_id: str | None = None
    amount_refunded: int = 0
    disputed: bool = False
    redirect_url: str | None = None
    receipt_url: str | None = None
    failure: GatewayFailure | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GatewaySession:
    """A hosted page. `status` open, complete or expired; `payment_status` paid, unpaid or no_payment_required."""

    id: str
    mode: str
    status: str
    payment_status: str
    url: str | None
    expires_at: datetime
    customer_id: str | None = None
    intent_id: str | None = None
    setup_intent_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GatewaySetup:
    """A method being saved without a payment."""

    id: str
    status: str
    customer_id: str | None = None
    method_id: str | None = None
    failure: GatewayFailure | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GatewayRefund:
    """Money on its way back: pending, requires_action, succeeded, failed or canceled."""

    id: str
    status: str
    amount: int
    currency: str
    created: datetime
    intent_id: str | None = None
    charge_id: str | None = None
    failure_reason: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GatewayDispute:
    """A payer's objection at their bank: needs_response, under_review, won, lost, warning_…"""

    id: str
    status: str
    amount: int
    currency: str
    reason: str
    created: datetime
    intent_id: str | None = None
    charge_id: str | None = None
    due_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class GatewayEventSeen:
    """That something happened to an object. `intent_id` and `customer_id` only say where to look."""

    id: str
    kind: str
    object_id: str
    created: int
    intent_id: str | None = None
    customer_id: str | None = None
