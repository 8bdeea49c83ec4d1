"""SetupIntents: a method is saved and nothing charged."""

import secrets

from stripe_standin import methods
from stripe_standin.errors import ApiError, Body, ParameterError
from stripe_standin.intents import CONFIRMABLE, NEEDS_RETURN_URL
from stripe_standin.kinds import USUAL
from stripe_standin.world import World, changed, wrong_state


def create(world: World, params: Body) -> Body:
    """POST /v1/setup_intents."""
    if params.get("customer"):
        methods.present_customer(world, params["customer"])
    setup = new_setup(world, params)
    if params.get("payment_method"):
        method = methods.usable_method(world, params["payment_method"])
        setup |= {"payment_method": method["id"], "status": "requires_confirmation"}
    world.save(setup, "setup_intent.created")
    return confirm(world, params, setup["id"]) if params.get("confirm") else setup


def new_setup(world: World, params: Body) -> Body:
    """A set-up that has no method yet; not yet saved."""
    allowed = params.get("allowed_payment_method_types") or None
    automatic = {"enabled": True, "allow_redirects": "always"} | params.get("automatic_payment_methods", {})
    setup = world.make(
        "setup_intent",
        payment_method_types=allowed or list(USUAL),
        allowed_payment_method_types=allowed,
        automatic_payment_methods=None if allowed else automatic,
        status="requires_payment_method",
        usage=params.get("usage", "off_session"),
    )
    setup["client_secret"] = f"{setup['id']}_secret_{secrets.token_hex(8)}"
    return changed(setup, params, "customer", "description")


def confirm(world: World, params: Body, setup_id: str) -> Body:
    """POST /v1/setup_intents/:id/confirm."""
    setup = world.get("setup_intent", setup_id)
    given = params.get("payment_method") or setup["payment_method"]
    if setup["status"] not in CONFIRMABLE or not given:
        raise wrong_state("setup_intent", "This SetupIntent cannot be confirmed.", setup)
    method = methods.usable_method(world, given)
    methods.refuse_used(world, method)
    if method["customer"] not in (None, setup["customer"]):
        raise ApiError(400, "The payment method belongs to another customer.", param="payment_method")
    automatic = setup["automatic_payment_methods"] or {}
    if automatic.get("enabled") and automatic["allow_redirects"] == "always" and not params.get("return_url"):
        raise ParameterError(NEEDS_RETURN_URL.replace("PaymentIntent", "SetupIntent"), None, "return_url")
    setup |= {"payment_method": method["id"], "next_action": None, "last_setup_error": None}
    if methods.number_of(world, method).asks in ("always", "unless_saved"):
        return _ask(world, setup, params.get("return_url"))
    return save_method(world, setup, method, answer=True)


def _ask(world: World, setup: Body, return_url: str | None) -> Body:
    action: Body = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    if return_url:
        url = f"{world.address}/3ds/{setup['id']}/{setup['client_secret']}"
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
    return world.save(setup | {"status": "requires_action", "next_action": action}, "setup_intent.requires_action")


def save_method(world: World, setup: Body, method: Body, *, answer: bool) -> Body:
    """The bank agrees, or does not; `answer` as with payments."""
    number = methods.number_of(world, method)
    setup |= {"next_action": None}
    if number.decline and number.declines_when_saved:
        error = methods.card_error(number.decline, payment_method=method)
        told = error.body["error"]
        setup |= {"status": "requires_payment_method", "payment_method": None, "last_setup_error": dict(told)}
        world.save(setup, "setup_intent.setup_failed")
        told["setup_intent"] = setup
        if answer:
            raise error
        return setup
    hidden = world.store.hidden(method["id"])
    world.store.save(method, hidden=hidden | {"off_session": setup["usage"] == "off_session", "mandate": True})
    if setup["customer"]:
        methods.belongs_to(world, method, setup["customer"], off_session=setup["usage"] == "off_session")
    return world.save(setup | {"status": "succeeded"}, "setup_intent.succeeded")


def authenticated(world: World, setup_id: str, *, approved: bool) -> Body:
    """The person's answer at their bank; a second one changes nothing."""
    setup = world.get("setup_intent", setup_id)
    if setup["status"] != "requires_action":
        return setup
    method = world.get("payment_method", setup["payment_method"])
    if approved:
        return save_method(world, setup, method, answer=False)
    told = {
        "type": "invalid_request_error", "code": "setup_intent_authentication_failure",
        "message": "We are unable to authenticate your payment method.", "payment_method": method,
    }  # fmt: skip
    setup |= {"status": "requires_payment_method", "payment_method": None, "next_action": None}
    return world.save(setup | {"last_setup_error": told}, "setup_intent.setup_failed")


def retrieve(world: World, params: Body, setup_id: str) -> Body:
    """GET /v1/setup_intents/:id."""
    return world.get("setup_intent", setup_id)


def list_setups(world: World, params: Body) -> Body:
    """GET /v1/setup_intents."""
    method = params.get("payment_method")
    return world.listed(
        "setup_intent", params, "/v1/setup_intents", lambda found: method in (None, found["payment_method"])
    )


def cancel(world: World, params: Body, setup_id: str) -> Body:
    """POST /v1/setup_intents/:id/cancel."""
    setup = world.get("setup_intent", setup_id)
    if setup["status"] not in CONFIRMABLE:
        raise wrong_state("setup_intent", f"This SetupIntent has a status of {setup['status']}.", setup)
    setup |= {"status": "canceled", "next_action": None, "cancellation_reason": params.get("cancellation_reason")}
    return world.save(setup, "setup_intent.canceled")
