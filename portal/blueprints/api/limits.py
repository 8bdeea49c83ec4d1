"""How often programs may ask: failures count, successes hardly do (contract §4, SEC-03).

- 150 failed calls a minute from one origin: further failures are answered 429, sign-ins not even tried.
- 150 failed calls a minute by one person: every call of theirs is answered 429.
- 10 failed sign-ins in five minutes for one identifier: no further try, whoever it comes from.
- 1,200 calls a minute by one person, whatever their outcome.

The origin is the address of the connection, or what the configured number of proxies says; headers that a
caller writes do not move it.
"""

import ipaddress
import math
import time

import structlog
from flask import Flask, Response, g, request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from werkzeug.exceptions import TooManyRequests

from portal.blueprints import http
from portal.blueprints.errors import problem
from portal.blueprints.guard import door
from portal.extensions import limiter

log = structlog.get_logger()
FAILURES = RateLimitItemPerMinute(150, namespace="api-failures")
CALLS = RateLimitItemPerMinute(1200, namespace="api-calls")
SIGN_INS = RateLimitItemPerMinute(10, 5, namespace="api-sign-ins")
# A conflict is an honest answer to a double click, and a refusal for asking too often must not feed itself.
_NOT_COUNTED = frozenset({409, 429})


def init_limits(app: Flask) -> None:
    """Check before every call of the API and count after it."""
    app.before_request(_refuse_persistent)
    app.after_request(_count_failure)


def origin_key() -> str:
    """The caller's address; a whole /64 for IPv6, where one customer has that many."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


def refuse_guessing(identifier: str) -> None:
    """Before a sign-in is tried: TooManyRequests after too many failures for the identifier or from the origin."""
    _require(SIGN_INS, _login_key(identifier))
    _require(FAILURES, "origin", origin_key())


def count_wrong_guess(identifier: str) -> None:
    """After a sign-in has failed; the API's answers count against the origin by themselves."""
    _hit(SIGN_INS, _login_key(identifier))
    if door() != "api":
        _hit(FAILURES, "origin", origin_key())


def _login_key(identifier: str) -> str:
    return f"{http.tenant().id}:{identifier.strip().lower()}"


def _refuse_persistent() -> None:
    found = http.identity()
    if door() != "api" or found is None:
        return
    person = str(found.user.id)
    _require(FAILURES, "person", person)
    if not _hit(CALLS, person):
        raise TooManyRequests(retry_after=_wait(CALLS, person))


def _count_failure(response: Response) -> Response:
    if door() != "api" or not 400 <= response.status_code < 500 or response.status_code in _NOT_COUNTED:
        return response
    found = http.identity()
    if found is not None:
        _hit(FAILURES, "person", str(found.user.id))
    if _hit(FAILURES, "origin", origin_key()) or "tenant" not in g:
        return response
    answer = problem(429, "rate_limited")
    answer.headers["Retry-After"] = str(_wait(FAILURES, "origin", origin_key()))
    return answer


def _require(item: RateLimitItem, *key: str) -> None:
    try:
        allowed = limiter.limiter.test(item, *key)
    except StorageError:
        log.warning("rate_limits_unavailable")
        return
    if not allowed:
        raise TooManyRequests(retry_after=_wait(item, *key))


def _hit(item: RateLimitItem, *key: str) -> bool:
    """Count one; whether it was within the limit. Without its store the product goes on unlimited."""
    try:
        return limiter.limiter.hit(item, *key)
    except StorageError:
        log.warning("rate_limits_unavailable")
        return True


def _wait(item: RateLimitItem, *key: str) -> int:
    """Whole seconds until a try is worth it again."""
    return max(1, math.ceil(limiter.limiter.get_window_stats(item, *key).reset_time - time.time()))
