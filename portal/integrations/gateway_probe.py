"""Whether the payment gateway's address answers: asked in the background, so that no request waits for it."""

import threading
import time

import requests

from portal.config import Settings

STRIPE = "https://api.stripe.com"
FRESH_SECONDS = 5.0
TIMEOUT_SECONDS = 3.0


class GatewayProbe:
    """The last known answer; one question at a time, and none while the answer is fresh."""

    def __init__(self, settings: Settings) -> None:
        self._address = (settings.stripe_api_base or STRIPE) if settings.stripe_secret_key else None
        self._trust_environment = settings.stripe_api_base is None
        self._state = "unavailable"
        self._asked_at = float("-inf")
        self._lock = threading.Lock()

    def state(self) -> str:
        """`off` where payments are not configured, else `ok` or `unavailable` as of some seconds ago."""
        if self._address is None:
            return "off"
        now = time.monotonic()
        with self._lock:
            due = now - self._asked_at > FRESH_SECONDS
            if due:
                self._asked_at = now
        if due:
            threading.Thread(target=self._ask, args=(self._address,), daemon=True, name="gateway-probe").start()
        return self._state

    def _ask(self, address: str) -> None:
        with requests.Session() as session:
            # A proxy of the environment cannot reach our own loopback interface.
            session.trust_env = self._trust_environment
            try:
                # Any answer will do: who is not signed in is refused, but by somebody who is there.
                session.get(address, timeout=TIMEOUT_SECONDS, allow_redirects=False)
                self._state = "ok"
            except requests.RequestException:
                self._state = "unavailable"
