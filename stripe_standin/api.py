"""The API: keys, parameters, idempotency, one transaction a request."""

import json
import secrets
import threading
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from stripe_standin.errors import ApiError, Body, ParameterError
from stripe_standin.forms import decode, fingerprint
from stripe_standin.routes import OPERATIONS, Operation
from stripe_standin.schema import api_version, check_params
from stripe_standin.store import Store
from stripe_standin.world import World

KEY_SECONDS = 24 * 3600
LONGEST_KEY = 255
OTHER_USE = "Keys for idempotent requests can only be used with the same parameters they were first used with."
IN_USE = "There is currently another in-progress request using this Idempotent Key."


class Api:
    """Runs operations against the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def answer(self, operation: Operation, **ids: str) -> Response:
        """The whole life of one request."""
        request_id = f"req_{secrets.token_hex(7)}"
        headers = {"Request-Id": request_id, "Stripe-Version": request.headers.get("Stripe-Version", api_version())}
        key = request.headers.get("Idempotency-Key") if operation.method == "POST" else None
        if key:
            headers["Idempotency-Key"] = key
        try:
            _check_secret_key()
            status, body, more = self._once(key, lambda: self._work(operation, ids, request_id, key))
        except ApiError as error:
            status, body, more = error.status, error.body, {}
        return respond(status, body, headers | more)

    def _once(self, key: str | None, work: Callable[[], tuple[int, Body, dict[str, str]]]) -> Any:
        if key is None:
            return work()
        if len(key) > LONGEST_KEY:
            raise ParameterError("Idempotency keys are at most 255 characters long.", None, None)
        with self._lock:
            if key in self._running:
                raise ApiError(409, IN_USE, kind="idempotency_error", code="idempotency_key_in_use")
            self._running.add(key)
        try:
            return work()
        finally:
            with self._lock:
                self._running.discard(key)

    def _work(
        self, operation: Operation, ids: dict[str, str], request_id: str, key: str | None
    ) -> tuple[int, Body, dict[str, str]]:
        pairs = request.args if operation.method != "POST" else request.form
        params = decode(list(pairs.items(multi=True)))
        digest = fingerprint(operation.method, request.path, params)
        with self._store.transaction() as store:
            earlier = self._earlier(store, key, digest)
            if earlier:
                return earlier
            world = World(store, address=request.host_url.rstrip("/"), request_id=request_id, key=key)
            typed = check_params(operation.params, params)
            status = 200
            try:
                with store.attempt():
                    body = operation.run(world, typed, *ids.values())
                    body = world.expand(body, typed.get("expand", []))
            except ParameterError:
                raise
            except ApiError as error:
                status, body = error.status, error.body
            if key:
                store.run(
                    "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?)", key, digest, status, json.dumps(body), store.now()
                )
            return status, body, {}

    def _earlier(self, store: Store, key: str | None, digest: str) -> tuple[int, Body, dict[str, str]] | None:
        if key is None:
            return None
        store.run("DELETE FROM idempotency WHERE created < ?", store.now() - KEY_SECONDS)
        for known, status, body in store.run("SELECT digest, status, body FROM idempotency WHERE key = ?", key):
            if known != digest:
                raise ApiError(400, OTHER_USE, kind="idempotency_error")
            return status, json.loads(body), {"Idempotent-Replayed": "true"}
        return None


def _check_secret_key() -> None:
    given = request.authorization
    key = (given.token or given.username) if given else None
    if not key:
        raise ApiError(401, "You did not provide an API key.")
    if not key.startswith(("sk_test_", "rk_test_")):
        raise ApiError(401, f"Invalid API Key provided: {key[:8]}***")


def respond(status: int, body: Body, headers: dict[str, str] | None = None) -> Response:
    """JSON with headers."""
    return Response(json.dumps(body, indent=2), status, headers or {}, mimetype="application/json")


def build_api(store: Store) -> Blueprint:
    """The blueprint of /v1."""
    bp, api = Blueprint("api", __name__), Api(store)
    for operation in OPERATIONS:

        def view(operation: Operation = operation, **ids: str) -> Response:
            return api.answer(operation, **ids)

        name = f"{operation.method} {operation.path}"
        bp.add_url_rule(operation.path, name.replace(".", "_"), view, methods=[operation.method])

    @bp.route("/v1/<path:path>", methods=["GET", "POST", "DELETE"])
    def unknown(path: str) -> Response:
        message = f"Unrecognized request URL ({request.method}: /v1/{path})."
        return respond(404, {"error": {"type": "invalid_request_error", "message": message}})

    return bp
