"""Refunds: never more than is left of a charge."""

from stripe_standin.cards import TOKENS
from stripe_standin.errors import ApiError, Body, ParameterError
from stripe_standin.world import World, changed

PENDING_SECONDS = 60
FAILING_SECONDS = 60


def create(world: World, params: Body) -> Body:
    """POST /v1/refunds: of a payment intent or a charge; the rest where no amount is named."""
    charge = _charge(world, params)
    if charge["status"] != "succeeded":
        raise ApiError(400, "This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
    if charge["disputed"] and not _was_won(world, charge):
        raise ApiError(400, "The charge has been charged back; cannot issue a refund.", code="charge_disputed")
    left = charge["amount"] - charge["amount_refunded"]
    if not left:
        raise ApiError(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = params.get("amount", left)
    if amount < 1:
        raise ParameterError("Invalid positive integer", "parameter_invalid_integer", "amount")
    if amount > left:
        raise ApiError(
            400, f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount"
        )
    behaviour = _behaviour(world, charge)
    status = "pending" if behaviour == "pending" else "succeeded"
    refund = world.make(
        "refund", amount=amount, charge=charge["id"], currency=charge["currency"], status=status,
        payment_intent=charge["payment_intent"], reason=params.get("reason"),
    )  # fmt: skip
    if behaviour == "pending":
        world.store.wake("refund", refund["id"], world.store.now() + PENDING_SECONDS)
    if behaviour == "fails_later":
        world.store.wake("refund", refund["id"], world.store.now() + FAILING_SECONDS)
    world.save(changed(refund, params), "refund.created")
    _count(world, charge, amount)
    world.tell("charge.refunded", charge)
    return refund


def _charge(world: World, params: Body) -> Body:
    if bool(params.get("charge")) == bool(params.get("payment_intent")):
        raise ParameterError(
            "One of the following params should be provided for this request: payment_intent or charge.",
            "parameter_missing",
            "payment_intent",
        )
    if params.get("charge"):
        return world.get("charge", params["charge"], "charge")
    intent = world.get("payment_intent", params["payment_intent"], "payment_intent")
    if not intent["latest_charge"]:
        raise ApiError(400, "This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
    return world.get("charge", intent["latest_charge"])


def _was_won(world: World, charge: Body) -> bool:
    found = world.listed("dispute", {"payment_intent": charge["payment_intent"], "limit": 1}, "")["data"]
    return bool(found) and found[0]["status"] == "won"


def _behaviour(world: World, charge: Body) -> str:
    number = TOKENS[world.store.hidden(charge["payment_method"])["token"]]
    return "pending" if number.delay else number.refund


def _count(world: World, charge: Body, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    world.save(charge)


def settle(world: World, refund_id: str, *, failed: bool | None = None) -> Body:
    """What the bank does with a refund later: the test number's outcome, or as told."""
    refund = world.get("refund", refund_id)
    world.store.settled("refund", refund_id)
    charge = world.get("charge", refund["charge"])
    if failed is None:
        failed = _behaviour(world, charge) == "fails_later"
    if refund["status"] in ("failed", "canceled") or (refund["status"] == "succeeded" and not failed):
        raise ApiError(400, "This refund is decided.")
    if not failed:
        return world.save(refund | {"status": "succeeded"}, "refund.updated")
    _count(world, charge, -refund["amount"])
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    return world.save(refund, "refund.updated", "refund.failed")


def retrieve(world: World, params: Body, refund_id: str) -> Body:
    """GET /v1/refunds/:id."""
    return world.get("refund", refund_id)


def update(world: World, params: Body, refund_id: str) -> Body:
    """POST /v1/refunds/:id: metadata alone."""
    return world.save(changed(world.get("refund", refund_id), params), "refund.updated")


def list_refunds(world: World, params: Body) -> Body:
    """GET /v1/refunds."""
    charge = params.get("charge")
    return world.listed("refund", params, "/v1/refunds", lambda found: charge in (None, found["charge"]))
