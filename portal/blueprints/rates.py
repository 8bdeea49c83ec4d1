"""Counting within moving windows, by the store that all web processes share; without it nothing is limited."""

import ipaddress
import math
import time

import structlog
from flask import request
from limits import RateLimitItem
from limits.errors import StorageError

from portal.extensions import limiter

log = structlog.get_logger()


def origin_key() -> str:
    """The caller's address; a whole /64 for IPv6, where one customer has that many."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


def is_within(item: RateLimitItem, *key: str) -> bool:
    """Whether one more would be within the limit; nothing is counted."""
    try:
        return limiter.limiter.test(item, *key)
    except StorageError:
        log.warning("rate_limits_unavailable")
        return True


def count(item: RateLimitItem, *key: str) -> bool:
    """Count one; whether it was within the limit."""
    try:
        return limiter.limiter.hit(item, *key)
    except StorageError:
        log.warning("rate_limits_unavailable")
        return True


def seconds_to_wait(item: RateLimitItem, *key: str) -> int:
    """Whole seconds until a try is worth it again."""
    return max(1, math.ceil(limiter.limiter.get_window_stats(item, *key).reset_time - time.time()))
