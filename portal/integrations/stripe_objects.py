"""Stripe's objects and errors as ours."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import stripe

from portal.integrations.payments import (
    AuthenticationNeeded,
    GatewayDispute,
    GatewayError,
    GatewayEventSeen,
    GatewayFailure,
    GatewayIntent,
    GatewayMethod,
    GatewayRefund,
    GatewayRefused,
    GatewaySession,
    GatewaySetup,
    GatewayUnavailable,
    PaymentDeclined,
)

Fields = Mapping[str, Any]


def to_intent(found: stripe.PaymentIntent) -> GatewayIntent:
    """A PaymentIntent, with what its charge tells where that was expanded."""
    fields = found.to_dict()
    charge = fields.get("latest_charge")
    expanded: Fields = charge if isinstance(charge, Mapping) else {}
    redirect = (fields.get("next_action") or {}).get("redirect_to_url") or {}
    return GatewayIntent(
        id=fields["id"],
        status=fields["status"],
        amount=fields["amount"],
        amount_received=fields.get("amount_received") or 0,
        currency=fields["currency"].upper(),
        created=_moment(fields["created"]),
        customer_id=_id(fields.get("customer")),
        method_id=_id(fields.get("payment_method")),
        method=_paid_with(expanded, _id(fields.get("payment_method"))),
        charge_id=_id(charge),
        amount_refunded=expanded.get("amount_refunded") or 0,
        disputed=bool(expanded.get("disputed")),
        redirect_url=redirect.get("url"),
        receipt_url=expanded.get("receipt_url"),
        failure=_failure(fields.get("last_payment_error")),
        metadata=_metadata(fields),
    )


def to_session(found: stripe.checkout.Session) -> GatewaySession:
    """A Checkout Session."""
    fields = found.to_dict()
    return GatewaySession(
        id=fields["id"],
        mode=fields["mode"],
        status=fields.get("status") or "open",
        payment_status=fields["payment_status"],
        url=fields.get("url"),
        expires_at=_moment(fields["expires_at"]),
        customer_id=_id(fields.get("customer")),
        intent_id=_id(fields.get("payment_intent")),
        setup_intent_id=_id(fields.get("setup_intent")),
        metadata=_metadata(fields),
    )


def to_setup(found: stripe.SetupIntent) -> GatewaySetup:
    """A SetupIntent."""
    fields = found.to_dict()
    return GatewaySetup(
        id=fields["id"],
        status=fields["status"],
        customer_id=_id(fields.get("customer")),
        method_id=_id(fields.get("payment_method")),
        failure=_failure(fields.get("last_setup_error")),
        metadata=_metadata(fields),
    )


def to_method(found: stripe.PaymentMethod) -> GatewayMethod:
    """A PaymentMethod."""
    fields = found.to_dict()
    return _method(fields["id"], fields, _id(fields.get("customer")))


def to_refund(found: stripe.Refund) -> GatewayRefund:
    """A Refund."""
    fields = found.to_dict()
    return GatewayRefund(
        id=fields["id"],
        status=fields.get("status") or "pending",
        amount=fields["amount"],
        currency=fields["currency"].upper(),
        created=_moment(fields["created"]),
        intent_id=_id(fields.get("payment_intent")),
        charge_id=_id(fields.get("charge")),
        failure_reason=fields.get("failure_reason"),
        metadata=_metadata(fields),
    )


def to_dispute(found: stripe.Dispute) -> GatewayDispute:
    """A Dispute."""
    fields = found.to_dict()
    due_by = (fields.get("evidence_details") or {}).get("due_by")
    return GatewayDispute(
        id=fields["id"],
        status=fields["status"],
        amount=fields["amount"],
        currency=fields["currency"].upper(),
        reason=fields["reason"],
        created=_moment(fields["created"]),
        intent_id=_id(fields.get("payment_intent")),
        charge_id=_id(fields.get("charge")),
        due_by=_moment(due_by) if due_by else None,
    )


def to_event(found: stripe.Event) -> GatewayEventSeen:
    """An Event: which object it is about, and nothing of what it says of it."""
    fields = found.to_dict()
    about: Fields = fields["data"]["object"]
    is_intent = about.get("object") == "payment_intent"
    return GatewayEventSeen(
        id=fields["id"],
        kind=fields["type"],
        object_id=about.get("id") or "",
        created=fields["created"],
        intent_id=about["id"] if is_intent else _id(about.get("payment_intent")),
        customer_id=_id(about.get("customer")),
    )


def to_error(error: stripe.StripeError) -> GatewayError:
    """Which of our errors an error of the SDK is."""
    status, code = error.http_status, error.code or ""
    told: Fields = {}
    if isinstance(error.json_body, Mapping) and isinstance(error.json_body.get("error"), Mapping):
        told = error.json_body["error"]
    if isinstance(error, stripe.CardError):
        intent_id = _id(told.get("payment_intent"))
        if "authentication_required" in (code, told.get("decline_code")):
            return AuthenticationNeeded(intent_id)
        return PaymentDeclined(code or "card_declined", told.get("decline_code"), told.get("advice_code"), intent_id)
    busy = status in (None, 409, 429) or status >= 500 or code == "lock_timeout"
    if isinstance(error, stripe.APIConnectionError) or busy:
        return GatewayUnavailable(f"{type(error).__name__} {status or ''}".strip())
    kind = told.get("type") or type(error).__name__
    return GatewayRefused(code or kind, error.user_message or "", param=told.get("param"), status=status)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _id(value: object) -> str | None:
    """The id of what may be an id, an expanded object, or nothing."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else None


def _metadata(fields: Fields) -> dict[str, str]:
    return dict(fields.get("metadata") or {})


def _failure(told: Fields | None) -> GatewayFailure | None:
    if not told:
        return None
    return GatewayFailure(
        told.get("code") or told.get("type") or "unknown", told.get("decline_code"), told.get("advice_code")
    )


def _method(method_id: str, fields: Fields, customer_id: str | None) -> GatewayMethod:
    kind = fields["type"]
    about: Fields = fields.get(kind) or {}
    return GatewayMethod(
        id=method_id,
        kind=kind,
        brand=about.get("brand") or about.get("bank_name") or about.get("bank_code") or "",
        last4=about.get("last4") or "",
        exp_month=about.get("exp_month"),
        exp_year=about.get("exp_year"),
        fingerprint=about.get("fingerprint") or "",
        customer_id=customer_id,
    )


def _paid_with(charge: Fields, method_id: str | None) -> GatewayMethod | None:
    details = charge.get("payment_method_details")
    if not details:
        return None
    return _method(method_id or "", details, _id(charge.get("customer")))
