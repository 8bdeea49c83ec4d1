"""How often strangers may ask to be sent something: the answer is the same for everybody, so is the limit."""

from limits import RateLimitItemPerHour
from werkzeug.exceptions import TooManyRequests

from portal.blueprints import http
from portal.blueprints.rates import count, origin_key, seconds_to_wait

BY_ORIGIN = RateLimitItemPerHour(60, namespace="asking-origin")
BY_NAME = RateLimitItemPerHour(10, namespace="asking-name")


def refuse_asking(name: str) -> None:
    """Count one try; TooManyRequests after ten an hour for one customer (by whatever was typed), sixty from here."""
    tenant = str(http.tenant().id)
    if not count(BY_ORIGIN, tenant, origin_key()):
        raise TooManyRequests(retry_after=seconds_to_wait(BY_ORIGIN, tenant, origin_key()))
    if name and not count(BY_NAME, tenant, name.lower()):
        raise TooManyRequests(retry_after=seconds_to_wait(BY_NAME, tenant, name.lower()))
