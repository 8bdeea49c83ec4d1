"""Controls outside of /v1: disturb deliveries, lose answers, move the clock, decide what banks decide. JSON only."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, request

from stripe_standin import disputes, refunds
from stripe_standin.api import respond
from stripe_standin.clockwork import run_due, settle_debit
from stripe_standin.errors import ApiError, Body
from stripe_standin.store import Store
from stripe_standin.world import World

DISTURBANCES: dict[str, type] = {"drop": int, "duplicate": int, "delay": float, "reverse": bool}


@dataclass
class Faults:
    """What the next requests of the API meet; forgotten with the process."""

    failing: list[Body] = field(default_factory=list)
    losing: list[Body] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, waiting: list[Body], path: str) -> Body | None:
        """The fault that this request meets, used up."""
        with self.lock:
            for fault in waiting:
                if path.startswith(fault.get("path", "/v1")):
                    fault["count"] -= 1
                    if fault["count"] <= 0:
                        waiting.remove(fault)
                    return fault
        return None


def install_faults(bp: Blueprint, faults: Faults) -> None:
    """Have the API's requests meet the faults."""

    @bp.before_request
    def fail() -> Response | None:
        fault = faults.take(faults.failing, request.path)
        if fault is None:
            return None
        time.sleep(float(fault.get("hold", 0)))
        if "status" not in fault:
            return None
        kind = "api_error" if fault["status"] >= 500 else "invalid_request_error"
        return respond(fault["status"], {"error": {"type": kind, "message": "Asked for by a control."}})

    @bp.after_request
    def lose(response: Response) -> Response:
        if faults.take(faults.losing, request.path):
            # The work is done and committed; nobody hears of it.
            connection: socket.socket = request.environ["werkzeug.socket"]
            connection.shutdown(socket.SHUT_RDWR)
        return response


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
        with faults.lock:
            faults.failing.clear()
            faults.losing.clear()
        return respond(200, {"reset": True})

    @bp.get("/state")
    def state() -> Response:
        with store.transaction():
            return respond(200, _state(store))

    @bp.post("/deliveries")
    def deliveries() -> Response:
        given = _given(*DISTURBANCES)
        with store.transaction():
            for name, value in given.items():
                store.set(name, DISTURBANCES[name](value))
            return respond(200, _state(store))

    @bp.post("/fail-next")
    def fail_next() -> Response:
        faults.failing.append({"count": 1} | _given("status", "count", "path", "hold"))
        return respond(200, {"failing": len(faults.failing)})

    @bp.post("/lose-reply")
    def lose_reply() -> Response:
        faults.losing.append({"count": 1} | _given("count", "path"))
        return respond(200, {"losing": len(faults.losing)})

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
