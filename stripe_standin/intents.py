"""PaymentIntents: made, confirmed, changed, cancelled."""

import secrets

from stripe_standin import methods
from stripe_standin.amounts import check_amount
from stripe_standin.cards import Decline
from stripe_standin.charging import charge, decline, unauthenticated
from stripe_standin.errors import ApiError, Body, ParameterError
from stripe_standin.kinds import CARD, DEBITS, KINDS, USUAL
from stripe_standin.world import World, changed, wrong_state

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
KEPT = (
    "customer", "description", "receipt_email", "setup_future_usage", "statement_descriptor",
    "statement_descriptor_suffix", "shipping", "transfer_group",
)  # fmt: skip
NEEDS_RETURN_URL = (
    "This PaymentIntent is configured to accept payment methods that may redirect. You must provide a `return_url`, "
    "restrict `allowed_payment_method_types`, or set `automatic_payment_methods[allow_redirects]` to `never`."
)
NOT_AUTHENTICATED = Decline(
    "payment_intent_authentication_failure", "", "", "We are unable to authenticate your payment method."
)
NOT_PAID = Decline("payment_intent_payment_attempt_failed", "", "", "The customer did not complete this payment.")
OTHER_CUSTOMER = (
    "The provided PaymentMethod belongs to a Customer; you must provide that customer to use it with a PaymentIntent."
)


def create(world: World, params: Body) -> Body:
    """POST /v1/payment_intents."""
    only_with_confirm(params)
    currency = check_amount(params["amount"], params["currency"])
    if params.get("customer"):
        methods.present_customer(world, params["customer"])
    intent = new_intent(world, params, currency)
    if params.get("payment_method"):
        method = methods.usable_method(world, params["payment_method"])
        refuse_foreign(intent, method)
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    world.save(intent, "payment_intent.created")
    return confirm(world, params, intent["id"]) if params.get("confirm") else intent


def only_with_confirm(params: Body) -> None:
    """Some parameters say how to confirm and mean nothing otherwise."""
    for name in ("off_session", "return_url", "error_on_requires_action", "mandate_data", "mandate"):
        if name in params and not params.get("confirm"):
            message = f"You cannot provide `{name}` without also setting `confirm` to `true`."
            raise ParameterError(message, None, name)


def new_intent(world: World, params: Body, currency: str) -> Body:
    """An intent that nobody has paid with yet; not yet saved."""
    allowed = params.get("allowed_payment_method_types") or None
    automatic = {"enabled": True, "allow_redirects": "always"} | params.get("automatic_payment_methods", {})
    intent = world.make(
        "payment_intent",
        amount=params["amount"],
        amount_capturable=0,
        amount_received=0,
        capture_method="automatic_async",
        confirmation_method="automatic",
        currency=currency,
        payment_method_types=allowed or list(USUAL),
        allowed_payment_method_types=allowed,
        automatic_payment_methods=None if allowed else automatic,
        status="requires_payment_method",
    )
    intent["client_secret"] = f"{intent['id']}_secret_{secrets.token_hex(8)}"
    return changed(intent, params, *KEPT)


def retrieve(world: World, params: Body, intent_id: str) -> Body:
    """GET /v1/payment_intents/:id."""
    return world.get("payment_intent", intent_id)


def update(world: World, params: Body, intent_id: str) -> Body:
    """POST /v1/payment_intents/:id, until money moves."""
    intent = world.get("payment_intent", intent_id)
    if intent["status"] not in CONFIRMABLE and set(params) - {"metadata", "description"}:
        raise wrong_state("payment_intent", f"This PaymentIntent has a status of {intent['status']}.", intent)
    if "amount" in params or "currency" in params:
        intent["amount"] = params.get("amount", intent["amount"])
        intent["currency"] = check_amount(intent["amount"], params.get("currency") or intent["currency"])
    if params.get("payment_method"):
        method = methods.usable_method(world, params["payment_method"])
        intent |= {"payment_method": method["id"], "status": "requires_confirmation", "next_action": None}
    return world.save(changed(intent, params, *KEPT))


def list_intents(world: World, params: Body) -> Body:
    """GET /v1/payment_intents."""
    return world.listed("payment_intent", params, "/v1/payment_intents")


def cancel(world: World, params: Body, intent_id: str) -> Body:
    """POST /v1/payment_intents/:id/cancel."""
    intent = world.get("payment_intent", intent_id)
    if intent["status"] not in CONFIRMABLE:
        message = f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}."
        raise wrong_state("payment_intent", message, intent)
    intent |= {"status": "canceled", "canceled_at": world.now, "next_action": None}
    intent["cancellation_reason"] = params.get("cancellation_reason")
    return world.save(intent, "payment_intent.canceled")


def refuse_foreign(intent: Body, method: Body) -> None:
    """A method that somebody saved is for their own payments."""
    if method["customer"] not in (None, intent["customer"]):
        raise ApiError(400, OTHER_CUSTOMER, param="payment_method")


def confirm(world: World, params: Body, intent_id: str) -> Body:
    """POST /v1/payment_intents/:id/confirm: the outcome is the test number's."""
    intent = world.get("payment_intent", intent_id)
    if intent["status"] not in CONFIRMABLE:
        message = f"This PaymentIntent's status is {intent['status']}; it cannot be confirmed."
        raise wrong_state("payment_intent", message, intent)
    method = _method(world, intent, params)
    automatic = intent["automatic_payment_methods"] or {}
    if automatic.get("enabled") and automatic["allow_redirects"] == "always" and not params.get("return_url"):
        raise ParameterError(NEEDS_RETURN_URL, None, "return_url")
    _check_mandate(world, method, params)
    intent |= {"payment_method": method["id"], "next_action": None, "last_payment_error": None}
    changed(intent, params, "receipt_email", "setup_future_usage")
    off_session = params.get("off_session") not in (None, False)
    number = methods.number_of(world, method)
    saved = bool(world.store.hidden(method["id"]).get("off_session"))
    if must_ask(number.asks, off_session=off_session, saved=saved):
        if off_session or params.get("error_on_requires_action"):
            raise unauthenticated(world, intent, method)
        return ask(world, intent, params.get("return_url"))
    return settle(world, intent, method, answer=True)


def _method(world: World, intent: Body, params: Body) -> Body:
    given = params.get("payment_method") or intent["payment_method"]
    if not given:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise wrong_state("payment_intent", message, intent)
    method = methods.usable_method(world, given)
    methods.refuse_used(world, method)
    refuse_foreign(intent, method)
    if method["type"] not in intent["payment_method_types"]:
        raise ApiError(
            400, f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent.",
            code="payment_intent_incompatible_payment_method", param="payment_method",
        )  # fmt: skip
    kind = KINDS[method["type"]]
    if not kind.takes(intent["currency"]):
        allowed = ", ".join(sorted(kind.currencies))
        raise ApiError(400, f"{method['type']} can only be used with {allowed}.", param="payment_method")
    return method


def _check_mandate(world: World, method: Body, params: Body) -> None:
    hidden = world.store.hidden(method["id"])
    if method["type"] not in DEBITS or hidden.get("mandate"):
        return
    if not params.get("mandate_data"):
        raise ApiError(400, "A mandate is needed: pass mandate_data.", code="payment_intent_mandate_invalid")
    world.store.save(method, hidden=hidden | {"mandate": True})


def must_ask(asks: str, *, off_session: bool, saved: bool) -> bool:
    """Whether the bank wants to see the person before it pays."""
    if asks == "in_person":
        return not off_session
    return asks == "always" or (asks == "unless_saved" and not (off_session and saved))


def ask(world: World, intent: Body, return_url: str | None) -> Body:
    """Wait for the person at their bank."""
    action: Body = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    if return_url:
        url = f"{world.address}/3ds/{intent['id']}/{intent['client_secret']}"
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
    intent |= {"status": "requires_action", "next_action": action}
    return world.save(intent, "payment_intent.requires_action")


def settle(world: World, intent: Body, method: Body, *, answer: bool) -> Body:
    """Ask the bank for the money. `answer`: a no is an answer of the API, else only the intent tells it."""
    number = methods.number_of(world, method)
    if number.decline and number.kind == "card":
        error = decline(world, intent, method, number.decline)
        if answer:
            raise error
        return world.get("payment_intent", intent["id"])
    if intent["setup_future_usage"] and intent["customer"]:
        methods.belongs_to(world, method, intent["customer"], off_session=intent["setup_future_usage"] == "off_session")
    elif method["customer"] is None:
        world.store.save(method, hidden=world.store.hidden(method["id"]) | {"spent": True})
    return charge(world, intent, method, number)


def authenticated(world: World, intent_id: str, *, approved: bool) -> Body:
    """The person's answer at their bank; a second one changes nothing."""
    intent = world.get("payment_intent", intent_id)
    if intent["status"] != "requires_action":
        return intent
    method = world.get("payment_method", intent["payment_method"])
    if approved:
        return settle(world, intent, method, answer=False)
    error = NOT_AUTHENTICATED if method["type"] == CARD else NOT_PAID
    decline(world, intent, method, error, charged=False)
    return world.get("payment_intent", intent_id)
