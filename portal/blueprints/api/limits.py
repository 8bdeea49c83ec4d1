"""How often programs may ask: failures count, successes hardly do (contract §4, SEC-03).

- 150 failed calls a minute from one origin: further failures are answered 429, sign-ins not even tried.
- 150 failed calls a minute by one person: every call of theirs is answered 429.
- 10 failed sign-ins in five minutes for one identifier: no further try, whoever it comes from.
- 1,200 calls a minute by one person, whatever their outcome.

The origin is the address of the connection, or what the configured number of proxies says; headers that a
caller writes do not move it.
"""

from flask import Flask, Response, g
from limits import RateLimitItem, RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from portal.blueprints import http
from portal.blueprints.errors import problem
from portal.blueprints.guard import door
from portal.blueprints.rates import count, is_within, origin_key, seconds_to_wait

FAILURES = RateLimitItemPerMinute(150, namespace="api-failures")
CALLS = RateLimitItemPerMinute(1200, namespace="api-calls")
SIGN_INS = RateLimitItemPerMinute(10, 5, namespace="api-sign-ins")
# A conflict is an honest answer to a double click, and a refusal for asking too often must not feed itself.
_NOT_COUNTED = frozenset({409, 429})


def init_limits(app: Flask) -> None:
    """Check before every call of the API and count after it."""
    app.before_request(_refuse_persistent)
    app.after_request(_count_failure)


def refuse_guessing(identifier: str) -> None:
    """Before a sign-in is tried: TooManyRequests after too many failures for the identifier or from the origin."""
    _require(SIGN_INS, _login_key(identifier))
    _require(FAILURES, "origin", origin_key())


def count_wrong_guess(identifier: str) -> None:
    """After a sign-in has failed; the API's answers count against the origin by themselves."""
    count(SIGN_INS, _login_key(identifier))
    if door() != "api":
        count(FAILURES, "origin", origin_key())


def refuse_failing_origin() -> None:
    """Before a sign-in that names nobody is tried: TooManyRequests after too many failures from the origin."""
    _require(FAILURES, "origin", origin_key())


def count_failed_origin() -> None:
    """After a sign-in that names nobody has failed."""
    count(FAILURES, "origin", origin_key())


def _login_key(identifier: str) -> str:
    return f"{http.tenant().id}:{identifier.strip().lower()}"


def _refuse_persistent() -> None:
    found = http.identity()
    if door() != "api" or found is None:
        return
    person = str(found.user.id)
    _require(FAILURES, "person", person)
    if not count(CALLS, person):
        raise TooManyRequests(retry_after=seconds_to_wait(CALLS, person))


def _count_failure(response: Response) -> Response:
    if door() != "api" or not 400 <= response.status_code < 500 or response.status_code in _NOT_COUNTED:
        return response
    found = http.identity()
    if found is not None:
        count(FAILURES, "person", str(found.user.id))
    if count(FAILURES, "origin", origin_key()) or "tenant" not in g:
        return response
    answer = problem(429, "rate_limited")
    answer.headers["Retry-After"] = str(seconds_to_wait(FAILURES, "origin", origin_key()))
    return answer


def _require(item: RateLimitItem, *key: str) -> None:
    if not is_within(item, *key):
        raise TooManyRequests(retry_after=seconds_to_wait(item, *key))
