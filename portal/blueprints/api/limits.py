"""How often programs may ask: failures count, successes hardly do (contract §4, SEC-03).

- 150 failed calls a minute from one origin: further failures are answered 429, sign-ins not even tried.
- 150 failed calls a minute by one person: every call of theirs is answered 429.
- 10 failed sign-ins in five minutes for one identifier from one origin: no further try from there.
- 100 failed sign-ins in an hour for one identifier, wherever they come from: no further try, but from a browser
  its owner has signed in from before, so that nobody can be locked out of an account of their own.
- 60 requests in ten minutes from one origin for a new password or an account; what an unproven address is sent
  for the latter is limited to three mails in six hours, and the answer stays the same.
- 1,200 calls a minute by one person, whatever their outcome.

The origin is the address of the connection, or what the configured number of proxies says; headers that a
caller writes do not move it.
"""

from collections.abc import Callable

from flask import Flask, Response, g
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from portal.blueprints import http
from portal.blueprints.errors import problem
from portal.blueprints.guard import door
from portal.blueprints.rates import count, is_within, origin_key, seconds_to_wait
from portal.services.accounts.identity import canonical_identifier

FAILURES = RateLimitItemPerMinute(150, namespace="api-failures")
CALLS = RateLimitItemPerMinute(1200, namespace="api-calls")
SIGN_INS = RateLimitItemPerMinute(10, 5, namespace="api-sign-ins")
ACCOUNT = RateLimitItemPerHour(100, namespace="api-account-sign-ins")
REQUESTS = RateLimitItemPerMinute(60, 10, namespace="access-requests")
MAILED = RateLimitItemPerHour(3, 6, namespace="access-mails")
RATINGS = RateLimitItemPerMinute(60, namespace="password-ratings")
# A conflict is an honest answer to a double click, and a refusal for asking too often must not feed itself.
_NOT_COUNTED = frozenset({409, 429})


def init_limits(app: Flask) -> None:
    """Check before every call of the API and count after it."""
    app.before_request(_refuse_persistent)
    app.after_request(_count_failure)


def refuse_guessing(identifier: str, *, is_trusted: Callable[[], bool] = lambda: False) -> None:
    """Before a sign-in is tried: TooManyRequests after too many failures for the identifier or from the origin.

    `is_trusted` is only asked then; a browser of the person's own has a lock of its own (services, lockout).
    """
    wanted, origin = _login_key(identifier), origin_key()
    limits = (SIGN_INS, wanted, origin), (FAILURES, "origin", origin), (ACCOUNT, wanted)
    reached = next((limit for limit in limits if not is_within(*limit)), None)
    if reached is not None and not is_trusted():
        raise TooManyRequests(retry_after=seconds_to_wait(*reached))


def count_wrong_guess(identifier: str) -> None:
    """After a sign-in has failed; the API's answers count against the origin by themselves."""
    wanted = _login_key(identifier)
    count(SIGN_INS, wanted, origin_key())
    count(ACCOUNT, wanted)
    if door() != "api":
        count(FAILURES, "origin", origin_key())


def count_request() -> None:
    """Before somebody is mailed a link: TooManyRequests after too many requests from the origin."""
    if not count(REQUESTS, origin_key()):
        raise TooManyRequests(retry_after=seconds_to_wait(REQUESTS, origin_key()))


def may_mail(address: str) -> bool:
    """Count a mail to an address that nobody has proved; whether it may be sent."""
    return count(MAILED, str(http.tenant().id), address.strip().lower())


def may_rate() -> bool:
    """Count a password that is weighed while it is typed; whether it may be."""
    return count(RATINGS, origin_key())


def refuse_failing_origin() -> None:
    """Before a sign-in that names nobody is tried: TooManyRequests after too many failures from the origin."""
    if not is_within(FAILURES, "origin", origin_key()):
        raise TooManyRequests(retry_after=seconds_to_wait(FAILURES, "origin", origin_key()))


def count_failed_origin() -> None:
    """After a sign-in that names nobody has failed."""
    count(FAILURES, "origin", origin_key())


def _login_key(identifier: str) -> str:
    return f"{http.tenant().id}:{canonical_identifier(identifier)}"


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
