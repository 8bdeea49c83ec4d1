"""Keeping a worker at its queue: after an outage of Temporal its pollers begin anew instead of backing off on."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from portal.workflows.heartbeat import answers
from portal.workflows.interceptors import Refusals
from portal.workflows.registry import TASK_QUEUE, WORKFLOWS

log = logging.getLogger(__name__)
AT_ONCE = 16
CHECK_SECONDS = 0.5
# The SDK's pollers wait up to ten seconds between tries once a server has been away for some time.
OUTAGE_SECONDS = 2.0


async def serve_forever(client: Client, activities: Sequence[Callable[..., Any]]) -> None:
    """Run a worker; replace it whenever Temporal was away and is back. Ends only by cancellation or failure."""
    executor = ThreadPoolExecutor(AT_ONCE, "activity")
    while True:
        async with build_worker(client, activities, executor):
            log.info("worker is up")
            await _outage_is_over(client)
        log.info("Temporal is back")


def build_worker(
    client: Client,
    activities: Sequence[Callable[..., Any]],
    executor: ThreadPoolExecutor,
    *,
    task_queue: str = TASK_QUEUE,
) -> Worker:
    """A worker of all our workflows; at most `AT_ONCE` activities run at a time."""
    return Worker(
        client,
        task_queue=task_queue,
        # Only a label here; left out, the SDK hashes every loaded module, which takes most of a second.
        build_id="portico",
        workflows=WORKFLOWS,
        activities=activities,
        activity_executor=executor,
        max_concurrent_activities=AT_ONCE,
        interceptors=[Refusals()],
        # After a crash, tasks kept for the dead process move to the living after two seconds, not ten.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        graceful_shutdown_timeout=timedelta(seconds=5),
    )


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
