"""The gateway as the ledger calls it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from portal.integrations.payments import (
    GatewayDispute,
    GatewayEventSeen,
    GatewayIntent,
    GatewayMethod,
    GatewayRefund,
    GatewaySession,
    GatewaySetup,
)
from portal.lib.money import Money


class PaymentGateway(Protocol):
    """Every call may raise GatewayUnavailable (try again with the same key) or GatewayRefused (never)."""

    @property
    def simulated(self) -> bool:
        """Whether no real money moves because the stand-in answers; pages say so."""
        ...

    def ensure_customer(self, *, key: str, name: str, email: str | None, metadata: Mapping[str, str]) -> str:
        """Create a customer (once per key) and return its id."""
        ...

    def create_payment_checkout(
        self,
        *,
        key: str,
        customer_id: str,
        amount: Money,
        description: str,
        success_url: str,
        cancel_url: str,
        expires_at: datetime,
        metadata: Mapping[str, str],
        method_types: Sequence[str] = (),
        installments: bool = False,
        save_method: bool = False,
        locale: str = "auto",
    ) -> GatewaySession:
        """A hosted page that takes one payment; `metadata` goes to session and intent. 30 min to 24 h long.

        `method_types` are the only ones it may show (empty: whatever the account has), `installments` offers cards'
        own plans.
        """
        ...

    def create_setup_checkout(
        self,
        *,
        key: str,
        customer_id: str,
        currency: str,
        success_url: str,
        cancel_url: str,
        metadata: Mapping[str, str],
        method_types: Sequence[str] = (),
        locale: str = "auto",
    ) -> GatewaySession:
        """A hosted page that saves a method and charges nothing."""
        ...

    def expire_checkout(self, session_id: str, *, key: str) -> GatewaySession:
        """Close an open hosted page; GatewayRefused where it is complete or expired already."""
        ...

    def retrieve_session(self, session_id: str) -> GatewaySession:
        """A hosted page as it is now."""
        ...

    def retrieve_intent(self, intent_id: str) -> GatewayIntent:
        """A payment as it is now, with its newest charge."""
        ...

    def retrieve_setup(self, setup_intent_id: str) -> GatewaySetup:
        """A method being saved as it is now."""
        ...

    def retrieve_method(self, method_id: str) -> GatewayMethod:
        """A saved method as it is now; `customer_id` is None once it is detached."""
        ...

    def retrieve_refund(self, refund_id: str) -> GatewayRefund:
        """A refund as it is now."""
        ...

    def retrieve_dispute(self, dispute_id: str) -> GatewayDispute:
        """A dispute as it is now."""
        ...

    def list_disputes(self, *, intent_id: str) -> Iterator[GatewayDispute]:
        """Every dispute about a payment, as it is now."""
        ...

    def charge_saved(
        self,
        *,
        key: str,
        customer_id: str,
        method: GatewayMethod,
        amount: Money,
        description: str,
        metadata: Mapping[str, str],
        return_url: str,
        off_session: bool,
    ) -> GatewayIntent:
        """Create and confirm at once. With the person there, `redirect_url` may lead to their bank.

        Raises PaymentDeclined or, without the person, AuthenticationNeeded; both carry the intent.
        """
        ...

    def confirm_again(
        self, intent_id: str, *, key: str, method_id: str | None, return_url: str, off_session: bool = False
    ) -> GatewayIntent:
        """Confirm the same intent once more, with another method where `method_id` says so."""
        ...

    def cancel_intent(self, intent_id: str, *, key: str) -> GatewayIntent:
        """End an intent that has taken no money."""
        ...

    def create_refund(
        self, *, key: str, intent_id: str, amount: int, reason: str | None, metadata: Mapping[str, str]
    ) -> GatewayRefund:
        """Give so many minor units back; GatewayRefused where that is more than is left."""
        ...

    def detach_method(self, method_id: str, *, key: str) -> GatewayMethod:
        """Forget a saved method for good."""
        ...

    def list_events(self, *, since: datetime) -> Iterator[GatewayEventSeen]:
        """Events of the subscribed kinds, newest first, at most 30 days back."""
        ...

    def list_intents(self, *, customer_id: str | None = None, since: datetime | None = None) -> Iterator[GatewayIntent]:
        """Payments with their newest charge, newest first."""
        ...

    def list_refunds(self, *, intent_id: str | None = None, since: datetime | None = None) -> Iterator[GatewayRefund]:
        """Refunds, newest first."""
        ...

    def construct_event(self, payload: bytes, signature: str | None) -> GatewayEventSeen:
        """Check a webhook's signature with each secret; EventRefused unless one fits."""
        ...
