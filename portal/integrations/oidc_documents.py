"""What providers publish of themselves: read within bounds, kept for a while, as is that they did not answer."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests

from portal.integrations.outbound import OutboundSession

FRESH_SECONDS, UNREACHABLE_SECONDS = 3600.0, 10.0
MOST_DOCUMENTS = 1000
# What reading a hostile document or token can end in, besides what the libraries call their errors.
BROKEN = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)


class OidcError(Exception):
    """The provider cannot be reached, or what it says does not hold; `code` is for people, the text for logs."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


class Documents:
    """JSON objects by address, for all requests of the process; `guard` puts the bounds around a session."""

    def __init__(self, guard: Callable[[OutboundSession], None]) -> None:
        self._guard = guard
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, dict[str, Any] | OidcError]] = {}

    def find(self, address: str) -> dict[str, Any]:
        """A document of a provider, or what went wrong the last time, as long as either counts."""
        with self._lock:
            at, known = self._known.get(address, (0.0, None))
        age = time.monotonic() - at
        if isinstance(known, dict) and age < FRESH_SECONDS:
            return known
        if isinstance(known, OidcError) and age < UNREACHABLE_SECONDS:
            raise OidcError(known.code, "kept from the last try")
        try:
            found = self.read(address)
        except OidcError as error:
            self._keep(address, error)
            raise
        self._keep(address, found)
        return found

    def _keep(self, address: str, found: dict[str, Any] | OidcError) -> None:
        with self._lock:
            if len(self._known) >= MOST_DOCUMENTS:
                self._known.clear()
            self._known[address] = (time.monotonic(), found)

    def read(self, address: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Ask for a JSON object. Raises OidcError."""
        try:
            with OutboundSession() as session:
                self._guard(session)
                answer = session.get(address, headers=headers)
                found = answer.json() if answer.status_code == 200 else None
        except requests.JSONDecodeError as error:
            raise OidcError("sso_misconfigured", "no JSON") from error
        except requests.RequestException as error:
            raise OidcError("sso_unreachable", type(error).__name__) from error
        except BROKEN as error:
            raise OidcError("sso_misconfigured", type(error).__name__) from error
        if answer.status_code != 200:
            raise OidcError("sso_unreachable", f"status {answer.status_code}")
        if not isinstance(found, dict):
            raise OidcError("sso_misconfigured", "no JSON object")
        return found

    def forget(self, address: str | None = None, *, older_than: float = 0.0) -> None:
        """Read it anew the next time (all of them without an address), if it is older than so many seconds."""
        with self._lock:
            if address is None:
                self._known.clear()
            elif time.monotonic() - self._known.get(address, (0.0, None))[0] >= older_than:
                self._known.pop(address, None)
