"""Keeping a worker at its queue: after an outage of Temporal its pollers begin anew instead of backing off on."""

import asyncio
import logging
import time
from collections.abc import Callable

from temporalio.client import Client
from temporalio.worker import Worker

from portal.workflows.heartbeat import answers

log = logging.getLogger(__name__)
CHECK_SECONDS = 0.5
# The SDK's pollers wait up to ten seconds between tries once a server has been away for some time.
OUTAGE_SECONDS = 2.0


async def serve_forever(client: Client, build_worker: Callable[[Client], Worker]) -> None:
    """Run a worker; replace it whenever Temporal was away and is back. Ends only by cancellation or failure."""
    while True:
        async with build_worker(client):
            log.info("worker is up")
            await _outage_is_over(client)
        log.info("Temporal is back")


async def _outage_is_over(client: Client) -> None:
    away_since: float | None = None
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        there = await answers(client)
        if there and away_since is not None and time.monotonic() - away_since >= OUTAGE_SECONDS:
            return
        if there:
            away_since = None
        elif away_since is None:
            log.warning("Temporal does not answer")
            away_since = time.monotonic()
