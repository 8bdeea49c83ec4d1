"""Charges: money that came, is on its way, or was refused; debits settle by the clock."""

from typing import Any

from stripe_standin.cards import Decline, TestNumber
from stripe_standin.disputes import open_dispute
from stripe_standin.errors import ApiError, Body
from stripe_standin.methods import card_error, number_of
from stripe_standin.world import World

SHOWN = ("brand", "last4", "exp_month", "exp_year", "fingerprint", "funding", "country", "bank_name", "bank_code")


def new_charge(world: World, intent: Body, method: Body, status: str, **more: Any) -> Body:
    """A charge of an intent; not yet saved."""
    about = method[method["type"]]
    body = world.make(
        "charge",
        amount=intent["amount"],
        amount_captured=0 if status == "failed" else intent["amount"],
        amount_refunded=0,
        billing_details=method["billing_details"],
        captured=status != "failed",
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        metadata=intent["metadata"],
        paid=status == "succeeded",
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={
            "type": method["type"],
            method["type"]: {name: about[name] for name in SHOWN if name in about},
        },
        refunded=False,
        status=status,
        **more,
    )
    plan = world.store.hidden(method["id"]).get("plan")
    if plan:
        terms = {"count": plan, "interval": "month", "type": "fixed_count"}
        body["payment_method_details"]["card"]["installments"] = {"plan": terms}
    body["receipt_url"] = f"{world.address}/receipts/{body['id']}" if body["paid"] else None
    # Only there where it is asked for.
    body.pop("refunds", None)
    return body


def charge(world: World, intent: Body, method: Body, number: TestNumber) -> Body:
    """Take the money: at once from a card, later from an account."""
    outcome = {
        "advice_code": None, "network_status": "approved_by_network", "reason": None, "risk_level": "normal",
        "seller_message": "Payment complete.", "type": "authorized",
    }  # fmt: skip
    status = "pending" if number.delay else "succeeded"
    body = new_charge(world, intent, method, status, outcome=outcome)
    intent |= {"latest_charge": body["id"], "next_action": None, "last_payment_error": None}
    if number.delay:
        world.save(body, "charge.pending")
        world.store.wake("debit", intent["id"], world.store.now() + number.delay)
        return world.save(intent | {"status": "processing"}, "payment_intent.processing")
    world.save(body, "charge.succeeded")
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    world.save(intent, "payment_intent.succeeded")
    if number.dispute:
        open_dispute(world, body, body["amount"], number.dispute)
    if number.fraud_warning:
        warning = world.make("radar.early_fraud_warning", actionable=True, charge=body["id"], fraud_type="misc")
        warning["payment_intent"] = intent["id"]
        world.save(warning, "radar.early_fraud_warning.created")
    return intent


def decline(world: World, intent: Body, method: Body, why: Decline, *, charged: bool = True) -> ApiError:
    """Write down a bank's no; the error to answer with. `charged`: the bank was asked for the money at all."""
    told: Body = {
        "type": "card_error" if charged else "invalid_request_error",
        "code": why.code,
        "message": why.message,
        "payment_method": method,
    }
    if why.decline_code:
        told |= {"decline_code": why.decline_code, "advice_code": why.advice_code or None}
    if charged:
        outcome = {
            "advice_code": why.advice_code or None, "network_status": "declined_by_network",
            "reason": why.decline_code, "risk_level": "normal", "seller_message": why.message,
            "type": "issuer_declined",
        }  # fmt: skip
        failed = new_charge(
            world, intent, method, "failed", outcome=outcome, failure_code=why.code, failure_message=why.message
        )
        world.save(failed, "charge.failed")
        told["charge"] = failed["id"]
        intent["latest_charge"] = failed["id"]
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_payment_error": told,
    }
    world.save(intent, "payment_intent.payment_failed")
    return card_error(why, charge=told.get("charge"), payment_intent=intent, payment_method=method)


def unauthenticated(world: World, intent: Body, method: Body) -> ApiError:
    """The bank wants to see the person, and they are not there."""
    why = Decline(
        "authentication_required",
        "authentication_required",
        "",
        "Your card was declined. This transaction requires authentication.",
    )
    return decline(world, intent, method, why)


def settle_debit(world: World, intent_id: str, *, failed: bool | None = None) -> Body:
    """The bank's answer to a debit: the test number's, or as told."""
    intent = world.get("payment_intent", intent_id)
    if intent["status"] != "processing":
        raise ApiError(400, "This debit is not on its way.", code="payment_intent_unexpected_state")
    world.store.settled("debit", intent_id)
    body = world.get("charge", intent["latest_charge"])
    method = world.get("payment_method", intent["payment_method"])
    why = number_of(world, method).decline
    if failed or (failed is None and why):
        reason = why or Decline("debit_not_authorized", "debit_not_authorized", "", "The debit was not authorised.")
        told = {
            "type": "card_error", "code": reason.code, "decline_code": reason.decline_code,
            "message": reason.message, "charge": body["id"], "payment_method": method,
        }  # fmt: skip
        body |= {"status": "failed", "paid": False, "failure_code": reason.code, "failure_message": reason.message}
        world.save(body, "charge.failed")
        intent |= {"status": "requires_payment_method", "payment_method": None, "last_payment_error": told}
        return world.save(intent, "payment_intent.payment_failed")
    body |= {"status": "succeeded", "paid": True, "receipt_url": f"{world.address}/receipts/{body['id']}"}
    world.save(body, "charge.succeeded")
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    return world.save(intent, "payment_intent.succeeded")


def retrieve(world: World, params: Body, charge_id: str) -> Body:
    """GET /v1/charges/:id."""
    return world.get("charge", charge_id)


def list_charges(world: World, params: Body) -> Body:
    """GET /v1/charges."""
    return world.listed("charge", params, "/v1/charges")
