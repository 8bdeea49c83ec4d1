"""Signed webhooks: sent in order, tried again with growing pauses for three days, disturbed on request."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from stripe_standin.clockwork import run_due
from stripe_standin.store import Body, Store
from stripe_standin.world import World

TICK_SECONDS = 0.1
TIMEOUT_SECONDS = 10
LONGEST_PAUSE = 3600
TRIES = 16
# In reverse order nothing goes out before it has been quiet for so long.
QUIET_SECONDS = 1.0


@dataclass(frozen=True)
class Endpoint:
    """Where deliveries go unless an endpoint was made over the API."""

    url: str
    secret: str


def sign(payload: bytes, secret: str, at: int) -> str:
    """The `Stripe-Signature` header."""
    told = hmac.new(secret.encode(), str(at).encode() + b"." + payload, hashlib.sha256).hexdigest()
    return f"t={at},v1={told}"


class Courier(threading.Thread):
    """The stand-in's clock and its postman."""

    def __init__(self, store: Store, world: Callable[[], World], default: Endpoint | None) -> None:
        super().__init__(daemon=True, name="courier")
        self._store = store
        self._world = world
        self._default = default
        self._session = requests.Session()
        self._session.trust_env = False

    def run(self) -> None:
        """Until the process ends."""
        while True:
            with self._store.transaction():
                run_due(self._world())
            if not self.send_next():
                time.sleep(TICK_SECONDS)

    def send_next(self) -> bool:
        """Send what is due first; False when nothing is."""
        with self._store.transaction() as store:
            taken = self._take(store)
        if taken is None:
            return False
        number, endpoint, event, copies, attempt = taken
        delivered = endpoint is None
        for _ in range(0 if endpoint is None else 1 + copies):
            delivered = self._post(endpoint, event)
        with self._store.transaction() as store:
            state = "delivered" if delivered else "waiting" if attempt + 1 < TRIES else "given_up"
            pause = min(2**attempt, LONGEST_PAUSE)
            store.run(
                "UPDATE deliveries SET state = ?, attempt = attempt + 1, due = ? WHERE seq = ?",
                state, store.now() + pause, number,
            )  # fmt: skip
        return True

    def _take(self, store: Store) -> tuple[int, Endpoint | None, Body, int, int] | None:
        now = store.now()
        reverse = store.setting("reverse", False)
        newest = store.run("SELECT max(made) FROM deliveries WHERE state = 'waiting'")[0][0]
        if newest is None or (reverse and now - newest < QUIET_SECONDS):
            return None
        due = store.run(
            "SELECT seq, event, endpoint, attempt FROM deliveries WHERE state = 'waiting' AND due <= ? "
            "ORDER BY seq * ? LIMIT 1",
            now,
            -1 if reverse else 1,
        )
        if not due:
            return None
        number, event_id, endpoint_id, attempt = due[0]
        if store.setting("drop", 0):
            store.set("drop", store.setting("drop", 0) - 1)
            store.run("UPDATE deliveries SET state = 'dropped' WHERE seq = ?", number)
            return None
        copies = 1 if store.setting("duplicate", 0) else 0
        if copies:
            store.set("duplicate", store.setting("duplicate", 0) - 1)
        return number, self._endpoint(store, endpoint_id), store.load(event_id) or {}, copies, attempt

    def _endpoint(self, store: Store, endpoint_id: str) -> Endpoint | None:
        if endpoint_id == "default":
            return self._default
        found = store.load(endpoint_id)
        return Endpoint(found["url"], store.hidden(endpoint_id)["secret"]) if found else None

    def _post(self, endpoint: Endpoint | None, event: Body) -> bool:
        if endpoint is None:
            return True
        payload = json.dumps(event, indent=2).encode()
        # Receivers compare with their own clock, which nobody moves.
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(payload, endpoint.secret, int(time.time())),
            "User-Agent": "Stripe/1.0 (stand-in)",
        }
        try:
            answer = self._session.post(
                endpoint.url, data=payload, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException:
            return False
        return 200 <= answer.status_code < 300
