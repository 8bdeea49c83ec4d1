"""Stripe behind the gateway's protocol: one code path for the real one and the stand-in, by settings alone."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import requests
import stripe

from portal.config import Settings
from portal.integrations.payment_gateway import PaymentGateway
from portal.integrations.payments import (
    SUBSCRIBED_EVENTS,
    EventRefused,
    GatewayDispute,
    GatewayEventSeen,
    GatewayIntent,
    GatewayMethod,
    GatewayRefund,
    GatewaySession,
    GatewaySetup,
)
from portal.integrations.stripe_objects import (
    to_dispute,
    to_error,
    to_event,
    to_intent,
    to_method,
    to_refund,
    to_session,
    to_setup,
)
from portal.lib.money import Money

TIMEOUT_SECONDS = 20
NETWORK_RETRIES = 2
PAGE = 100
# Languages of the portal that the hosted page has; others get the browser's.
LOCALES = frozenset({"en", "es", "fr", "de"})
# What Stripe takes as a refund's reason; everything else stays with us.
REFUND_REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer"})


def build_payment_gateway(settings: Settings) -> PaymentGateway | None:
    """The gateway of the settings; None where payments are not configured."""
    return StripeGateway(settings) if settings.stripe_secret_key else None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except stripe.StripeError as error:
        raise to_error(error) from error


class StripeGateway:
    """Stripe's API over its own SDK. Safe to share between threads."""

    def __init__(self, settings: Settings, *, timeout: float = TIMEOUT_SECONDS) -> None:
        assert settings.stripe_secret_key
        self._secrets = settings.stripe_webhook_secrets
        self._live = settings.payments_live
        self.simulated = settings.payments_simulated
        session = requests.Session()
        # A proxy of the environment cannot reach our own loopback interface.
        session.trust_env = not self.simulated
        self._client = stripe.StripeClient(
            settings.stripe_secret_key,
            base_addresses={"api": settings.stripe_api_base} if settings.stripe_api_base else None,
            max_network_retries=NETWORK_RETRIES,
            http_client=stripe.RequestsClient(timeout=timeout, session=session),
        )

    def ensure_customer(self, *, key: str, name: str, email: str | None, metadata: Mapping[str, str]) -> str:
        """Create a customer (once per key) and return its id."""
        params: stripe.params.CustomerCreateParams = {"name": name, "metadata": dict(metadata)}
        if email:
            params["email"] = email
        with _translated():
            return self._client.v1.customers.create(params, _once(key)).id

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
        """A hosted page that takes one payment."""
        price = {
            "currency": amount.currency.lower(),
            "unit_amount": amount.amount,
            "product_data": {"name": description},
        }
        intent: dict[str, Any] = {"description": description, "metadata": dict(metadata)}
        if save_method:
            intent["setup_future_usage"] = "off_session"
        page = _page("payment", customer_id, success_url, cancel_url, metadata, locale, method_types)
        if installments:
            page["payment_method_options"] = {"card": {"installments": {"enabled": True}}}
        page |= {
            "line_items": [{"price_data": price, "quantity": 1}],
            "payment_intent_data": intent,
            "expires_at": int(expires_at.timestamp()),
        }
        return self._create_checkout(key, page)

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
        page = _page("setup", customer_id, success_url, cancel_url, metadata, locale, method_types)
        page |= {"currency": currency.lower(), "setup_intent_data": {"metadata": dict(metadata)}}
        return self._create_checkout(key, page)

    def _create_checkout(self, key: str, params: Any) -> GatewaySession:
        with _translated():
            return to_session(self._client.v1.checkout.sessions.create(params, _once(key)))

    def expire_checkout(self, session_id: str, *, key: str) -> GatewaySession:
        """Close an open hosted page."""
        with _translated():
            return to_session(self._client.v1.checkout.sessions.expire(session_id, None, _once(key)))

    def retrieve_session(self, session_id: str) -> GatewaySession:
        """A hosted page as it is now."""
        with _translated():
            return to_session(self._client.v1.checkout.sessions.retrieve(session_id))

    def retrieve_intent(self, intent_id: str) -> GatewayIntent:
        """A payment as it is now, with its newest charge."""
        with _translated():
            return to_intent(self._client.v1.payment_intents.retrieve(intent_id, {"expand": ["latest_charge"]}))

    def retrieve_setup(self, setup_intent_id: str) -> GatewaySetup:
        """A method being saved as it is now."""
        with _translated():
            return to_setup(self._client.v1.setup_intents.retrieve(setup_intent_id))

    def retrieve_method(self, method_id: str) -> GatewayMethod:
        """A saved method as it is now."""
        with _translated():
            return to_method(self._client.v1.payment_methods.retrieve(method_id))

    def retrieve_refund(self, refund_id: str) -> GatewayRefund:
        """A refund as it is now."""
        with _translated():
            return to_refund(self._client.v1.refunds.retrieve(refund_id))

    def retrieve_dispute(self, dispute_id: str) -> GatewayDispute:
        """A dispute as it is now."""
        with _translated():
            return to_dispute(self._client.v1.disputes.retrieve(dispute_id))

    def list_disputes(self, *, intent_id: str) -> Iterator[GatewayDispute]:
        """Every dispute about a payment, newest first."""
        params: Any = {"limit": PAGE, "payment_intent": intent_id}
        with _translated():
            for dispute in self._client.v1.disputes.list(params).auto_paging_iter():
                yield to_dispute(dispute)

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
        """Create and confirm at once."""
        params: Any = {
            "amount": amount.amount,
            "currency": amount.currency.lower(),
            "customer": customer_id,
            "payment_method": method.id,
            # Only what is saved: no dynamic method may ask for a page of its own.
            "allowed_payment_method_types": [method.kind],
            "description": description,
            "metadata": dict(metadata),
            "confirm": True,
            "return_url": return_url,
            "expand": ["latest_charge"],
        }
        if off_session:
            params["off_session"] = True
        with _translated():
            return to_intent(self._client.v1.payment_intents.create(params, _once(key)))

    def confirm_again(
        self, intent_id: str, *, key: str, method_id: str | None, return_url: str, off_session: bool = False
    ) -> GatewayIntent:
        """Confirm the same intent once more."""
        params: Any = {"return_url": return_url, "expand": ["latest_charge"]}
        if method_id:
            params["payment_method"] = method_id
        if off_session:
            params["off_session"] = True
        with _translated():
            return to_intent(self._client.v1.payment_intents.confirm(intent_id, params, _once(key)))

    def cancel_intent(self, intent_id: str, *, key: str) -> GatewayIntent:
        """End an intent that has taken no money."""
        with _translated():
            return to_intent(self._client.v1.payment_intents.cancel(intent_id, None, _once(key)))

    def create_refund(
        self, *, key: str, intent_id: str, amount: int, reason: str | None, metadata: Mapping[str, str]
    ) -> GatewayRefund:
        """Give so many minor units back."""
        params: Any = {"payment_intent": intent_id, "amount": amount, "metadata": dict(metadata)}
        if reason in REFUND_REASONS:
            params["reason"] = reason
        with _translated():
            return to_refund(self._client.v1.refunds.create(params, _once(key)))

    def detach_method(self, method_id: str, *, key: str) -> GatewayMethod:
        """Forget a saved method for good."""
        with _translated():
            return to_method(self._client.v1.payment_methods.detach(method_id, None, _once(key)))

    def list_events(self, *, since: datetime) -> Iterator[GatewayEventSeen]:
        """Events of the subscribed kinds, newest first."""
        params: Any = {"created": _from(since), "limit": PAGE}
        with _translated():
            for event in self._client.v1.events.list(params).auto_paging_iter():
                if event.type in SUBSCRIBED_EVENTS:
                    yield to_event(event)

    def list_intents(self, *, customer_id: str | None = None, since: datetime | None = None) -> Iterator[GatewayIntent]:
        """Payments with their newest charge, newest first."""
        params: Any = {"limit": PAGE, "expand": ["data.latest_charge"]}
        if customer_id:
            params["customer"] = customer_id
        if since:
            params["created"] = _from(since)
        with _translated():
            for intent in self._client.v1.payment_intents.list(params).auto_paging_iter():
                yield to_intent(intent)

    def list_refunds(self, *, intent_id: str | None = None, since: datetime | None = None) -> Iterator[GatewayRefund]:
        """Refunds, newest first."""
        params: Any = {"limit": PAGE}
        if intent_id:
            params["payment_intent"] = intent_id
        if since:
            params["created"] = _from(since)
        with _translated():
            for refund in self._client.v1.refunds.list(params).auto_paging_iter():
                yield to_refund(refund)

    def construct_event(self, payload: bytes, signature: str | None) -> GatewayEventSeen:
        """Check a webhook's signature with each secret; EventRefused unless one fits."""
        for secret in self._secrets:
            try:
                event = self._client.construct_event(payload, signature, secret)
                if event.livemode is not self._live:
                    raise EventRefused("an event of the other mode")
                return to_event(event)
            except stripe.SignatureVerificationError:
                continue
            except EventRefused:
                raise
            except (ValueError, KeyError, AttributeError, TypeError) as error:
                raise EventRefused("no event of the gateway") from error
        raise EventRefused("no secret fits the signature")


def _page(
    mode: str,
    customer_id: str,
    success_url: str,
    cancel_url: str,
    metadata: Mapping[str, str],
    locale: str,
    method_types: Sequence[str],
) -> dict[str, Any]:
    # Since 2026-10-28.endive a filter of what the account has; `payment_method_types` itself is refused.
    narrowed = {"allowed_payment_method_types": list(method_types)} if method_types else {}
    return narrowed | {
        "mode": mode,
        "ui_mode": "hosted_page",
        "customer": customer_id,
        "success_url": success_url,
        "cancel_url": cancel_url,
        "metadata": dict(metadata),
        "locale": locale if locale in LOCALES else "auto",
    }


def _once(key: str) -> stripe.RequestOptions:
    return {"idempotency_key": key}


def _from(since: datetime) -> dict[str, int]:
    return {"gte": int(since.timestamp())}
