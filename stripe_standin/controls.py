"""Controls outside of /v1: disturb deliveries, lose answers, move the clock, decide what banks decide. JSON only."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from stripe_standin import disputes, refunds
from stripe_standin.api import respond
from stripe_standin.clockwork import run_due, settle_debit
from stripe_standin.errors import ApiError, Body
from stripe_standin.faults import Faults
from stripe_standin.store import Store
from stripe_standin.world import World

DISTURBANCES: dict[str, type] = {"drop": int, "duplicate": int, "delay": float, "reverse": bool}


def build_controls(store: Store, faults: Faults, start: Callable[[], None]) -> Blueprint:
    """The blueprint of /_standin. `start` writes the settings of the start-up."""
    bp = Blueprint("controls", __name__, url_prefix="/_standin")

    def world() -> World:
        return World(store, address=request.host_url.rstrip("/"))

    @bp.post("/reset")
    def reset() -> Response:
        with store.transaction():
            store.clear()
            start()
        faults.clear()
        return respond(200, {"reset": True})

    @bp.get("/state")
    def state() -> Response:
        with store.transaction():
            return respond(200, _state(store) | {"held": faults.held})

    @bp.post("/deliveries")
    def deliveries() -> Response:
        given = _given(*DISTURBANCES)
        with store.transaction():
            for name, value in given.items():
                store.set(name, DISTURBANCES[name](value))
            return respond(200, _state(store))

    @bp.post("/fail-next")
    def fail_next() -> Response:
        faults.failing.append({"count": 1, "status": 500} | _given("status", "count", "path"))
        return respond(200, {"failing": len(faults.failing)})

    @bp.post("/lose-reply")
    def lose_reply() -> Response:
        faults.losing.append({"count": 1} | _given("count", "path"))
        return respond(200, {"losing": len(faults.losing)})

    @bp.post("/hold")
    def hold() -> Response:
        on = bool(_given("on").get("on"))
        faults.hold(on=on)
        return respond(200, {"on": on})

    @bp.post("/clock")
    def clock() -> Response:
        seconds = float(_given("advance").get("advance", 0))
        with store.transaction():
            store.set("offset", store.setting("offset", 0) + seconds)
            run_due(world())
            return respond(200, _state(store))

    @bp.post("/disputes")
    def open_dispute() -> Response:
        given = _given("payment_intent", "charge", "amount", "reason")
        with store.transaction():
            at = world()
            found = given.get("charge") or at.get("payment_intent", given["payment_intent"])["latest_charge"]
            charge = at.get("charge", found)
            return respond(
                200,
                disputes.open_dispute(
                    at, charge, given.get("amount") or charge["amount"], given.get("reason") or "fraudulent"
                ),
            )

    @bp.post("/disputes/<dispute_id>")
    def end_dispute(dispute_id: str) -> Response:
        with store.transaction():
            return respond(200, disputes.end_dispute(world(), dispute_id, _outcome("won", "lost")))

    @bp.post("/debits/<intent_id>")
    def debit(intent_id: str) -> Response:
        with store.transaction():
            return respond(200, settle_debit(world(), intent_id, failed=_outcome("succeeded", "failed") == "failed"))

    @bp.post("/refunds/<refund_id>")
    def refund(refund_id: str) -> Response:
        with store.transaction():
            return respond(200, refunds.settle(world(), refund_id, failed=_outcome("succeeded", "failed") == "failed"))

    @bp.errorhandler(ApiError)
    def refused(error: ApiError) -> Response:
        return respond(error.status, error.body)

    return bp


def _given(*names: str) -> dict[str, Any]:
    given = request.get_json()
    unknown = set(given) - set(names)
    if unknown:
        raise ApiError(400, f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(names)}.")
    return dict(given)


def _outcome(*names: str) -> str:
    outcome = str(_given("outcome").get("outcome"))
    if outcome not in names:
        raise ApiError(400, f"outcome is one of {', '.join(names)}.")
    return outcome


def _state(store: Store) -> Body:
    counts = dict(store.run("SELECT state, count(*) FROM deliveries GROUP BY state"))
    return {
        "now": int(store.now()),
        "offset": store.setting("offset", 0),
        "deliveries": counts,
        **{name: store.setting(name, 0) for name in DISTURBANCES},
    }
