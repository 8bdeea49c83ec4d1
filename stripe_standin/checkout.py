"""Checkout Sessions with a hosted page: one payment, or a method to save."""

import secrets
import time
from typing import Any

from stripe_standin import intents, methods, setups
from stripe_standin.amounts import check_amount
from stripe_standin.cards import TestNumber
from stripe_standin.errors import ApiError, Body, ParameterError
from stripe_standin.kinds import DEBITS, eligible
from stripe_standin.world import World, changed

SHORTEST, LONGEST = 30 * 60, 24 * 3600
# Between the caller's clock and ours lies the way here.
SLACK = 30


def create(world: World, params: Body) -> Body:
    """POST /v1/checkout/sessions."""
    mode = params.get("mode", "payment")
    if mode not in ("payment", "setup") or params.get("ui_mode", "hosted_page") != "hosted_page":
        raise ApiError(400, "The stand-in knows mode payment and setup, with ui_mode hosted_page.", param="mode")
    if not params.get("success_url"):
        raise ParameterError("Missing required param: success_url.", "parameter_missing", "success_url")
    if params.get("customer"):
        methods.present_customer(world, params["customer"])
    lasts = _lasts(params)
    amount, currency = _total(params) if mode == "payment" else (None, params.get("currency"))
    types = _types(params, mode, currency)
    session = world.make(
        "checkout.session",
        amount_subtotal=amount,
        amount_total=amount,
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        currency=currency,
        custom_fields=[],
        custom_text=dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        expires_at=world.now + lasts,
        mode=mode,
        allowed_payment_method_types=params.get("allowed_payment_method_types") or None,
        payment_method_options=params.get("payment_method_options"),
        payment_method_types=types,
        payment_status="unpaid" if mode == "payment" else "no_payment_required",
        shipping_options=[],
        status="open",
        ui_mode="hosted_page",
    )
    session["id"] = f"cs_test_{secrets.token_hex(24)}"
    session["url"] = f"{world.address}/c/pay/{session['id']}"
    changed(session, params, "customer", "customer_email", "client_reference_id", "success_url", "cancel_url", "locale")
    if mode == "setup":
        data = params.get("setup_intent_data", {}) | {"customer": params.get("customer")}
        setup = setups.new_setup(world, data) | {"payment_method_types": types}
        world.save(setup, "setup_intent.created")
        session["setup_intent"] = setup["id"]
    name = _name(params)
    world.save(session, hidden={"intent": params.get("payment_intent_data", {}), "name": name})
    world.store.wake("session", session["id"], world.store.now() + lasts)
    return session


def _types(params: Body, mode: str, currency: str | None) -> list[str]:
    """What the page shows; a list that leaves nothing is refused."""
    kept = mode == "setup" or bool(params.get("payment_intent_data", {}).get("setup_future_usage"))
    # An empty list narrows nothing.
    allowed = params.get("allowed_payment_method_types") or None
    types = eligible(allowed, currency.lower() if currency else None, kept=kept)
    if not types:
        raise ApiError(
            400, "No valid payment method types for this Checkout Session.", param="allowed_payment_method_types"
        )
    return types


def _lasts(params: Body) -> int:
    """How long it is open, by the caller's clock, which nobody moves."""
    seconds = params.get("expires_at", int(time.time()) + LONGEST) - int(time.time())
    if not SHORTEST - SLACK <= seconds <= LONGEST + SLACK:
        raise ApiError(
            400, "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
            param="expires_at",
        )  # fmt: skip
    return int(seconds)


def _total(params: Body) -> tuple[int, str]:
    lines = params.get("line_items") or []
    if not lines or any("price_data" not in line for line in lines):
        raise ParameterError("Pass line_items with price_data.", "parameter_missing", "line_items")
    currencies = {line["price_data"]["currency"].lower() for line in lines}
    if len(currencies) != 1:
        raise ApiError(400, "All line items must have the same currency.", param="line_items")
    total = sum(line["price_data"].get("unit_amount", 0) * line.get("quantity", 1) for line in lines)
    currency = currencies.pop()
    return total, check_amount(total, currency, "line_items[0][price_data][unit_amount]")


def _name(params: Body) -> str:
    lines = params.get("line_items") or [{}]
    return str(lines[0].get("price_data", {}).get("product_data", {}).get("name", ""))


def retrieve(world: World, params: Body, session_id: str) -> Body:
    """GET /v1/checkout/sessions/:id."""
    return world.get("checkout.session", session_id)


def list_sessions(world: World, params: Body) -> Body:
    """GET /v1/checkout/sessions."""
    wanted = {name: params[name] for name in ("payment_intent", "status") if name in params}
    asked = {name: value for name, value in params.items() if name != "payment_intent"}
    return world.listed(
        "checkout.session", asked, "/v1/checkout/sessions",
        lambda found: all(found[name] == value for name, value in wanted.items()),
    )  # fmt: skip


def expire(world: World, params: Body, session_id: str) -> Body:
    """POST /v1/checkout/sessions/:id/expire."""
    session = world.get("checkout.session", session_id)
    if session["status"] != "open":
        raise ApiError(
            400, f'Only Checkout Sessions with a status in ["open"] can be expired; it is {session["status"]}.'
        )
    return close(world, session)


def close(world: World, session: Body) -> Body:
    """Nobody can pay on it any more; what it had begun is cancelled."""
    world.store.settled("session", session["id"])
    for kind, module in (("payment_intent", intents), ("setup_intent", setups)):
        if session[kind] and world.get(kind, session[kind])["status"] in intents.CONFIRMABLE:
            module.cancel(world, {"cancellation_reason": "abandoned"}, session[kind])
    return world.save(session | {"status": "expired", "url": None}, "checkout.session.expired")


def pay(world: World, session: Body, number: TestNumber, about: dict[str, Any]) -> Body:
    """What the person typed on the page; the intent or set-up as it is afterwards."""
    if number.kind not in session["payment_method_types"]:
        raise ApiError(400, f"This page does not take {number.kind}.", param="payment_method")
    method = methods.new_method(world, number, **about)
    if number.kind in DEBITS:
        world.store.save(method, hidden=world.store.hidden(method["id"]) | {"mandate": True})
    page = f"{world.address}/c/pay/{session['id']}"
    params = {"payment_method": method["id"], "return_url": page}
    if session["mode"] == "setup":
        return _outcome(world, "setup_intent", session["setup_intent"], setups.confirm, params)
    if not session["payment_intent"]:
        data = world.store.hidden(session["id"])["intent"] | {"customer": session["customer"]}
        intent = intents.new_intent(world, data | {"amount": session["amount_total"]}, session["currency"])
        intent["payment_method_types"] = session["payment_method_types"]
        world.save(intent, "payment_intent.created")
        session["payment_intent"] = intent["id"]
        world.save(session)
    return _outcome(world, "payment_intent", session["payment_intent"], intents.confirm, params)


def _outcome(world: World, kind: str, object_id: str, confirm: Any, params: Body) -> Body:
    try:
        confirm(world, params, object_id)
    except ApiError as error:
        if not error.keeps:
            raise
    return world.get(kind, object_id)


def follow(world: World, session_id: str) -> Body:
    """Bring a session up to what its intent or set-up has come to."""
    session = world.get("checkout.session", session_id)
    kind = "setup_intent" if session["mode"] == "setup" else "payment_intent"
    if session["status"] != "open" or not session[kind]:
        return session
    status = world.get(kind, session[kind])["status"]
    if status not in ("succeeded", "processing"):
        return session
    world.store.settled("session", session_id)
    session |= {"status": "complete", "url": None}
    if session["mode"] == "payment" and status == "succeeded":
        session["payment_status"] = "paid"
    return world.save(session, "checkout.session.completed")


def of_intent(world: World, intent_id: str) -> Body | None:
    """The session that an intent or set-up belongs to."""
    for kind in ("payment_intent", "setup_intent"):
        for (found,) in world.store.run(
            "SELECT id FROM objects WHERE kind = 'checkout.session' AND json_extract(body, ?) = ?",
            f"$.{kind}",
            intent_id,
        ):
            return world.get("checkout.session", found)
    return None


def debit_settled(world: World, intent: Body) -> None:
    """Days after the page: the money of a session came, or did not."""
    session = of_intent(world, intent["id"])
    if session is None:
        return
    if intent["status"] == "succeeded":
        world.save(session | {"payment_status": "paid"}, "checkout.session.async_payment_succeeded")
    else:
        world.tell("checkout.session.async_payment_failed", session)
