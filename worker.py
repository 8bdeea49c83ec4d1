"""Composition root of the worker: workflows, activities, relay and heartbeats in one process."""

import asyncio
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from temporalio.client import Client
from temporalio.worker import Worker

from portal.config import ConfigurationError, Settings
from portal.integrations.mail import build_transport
from portal.models.session import TenantSessions, build_engine
from portal.workflows import registry, triggers
from portal.workflows.client import quieten_core
from portal.workflows.heartbeat import beat_forever
from portal.workflows.interceptors import Refusals
from portal.workflows.relay import Relay
from portal.workflows.serving import serve_forever
from portal.workflows.startup import wait_for_surroundings

AT_ONCE = 16


async def run(settings: Settings) -> None:
    """Do everything the worker does; ends by cancellation, or with the error of the first part that ends."""
    registry.require_senders()
    triggers.require_possible()
    quieten_core()
    engine = build_engine(settings.database_url, pool_size=AT_ONCE)
    client = await wait_for_surroundings(settings, engine)
    activities = registry.build_activities(
        TenantSessions(engine), build_transport(settings), base_url=settings.base_url
    )
    executor = ThreadPoolExecutor(AT_ONCE, "activity")

    def build_worker(client: Client) -> Worker:
        return Worker(
            client,
            task_queue=registry.TASK_QUEUE,
            workflows=registry.WORKFLOWS,
            activities=activities,
            activity_executor=executor,
            max_concurrent_activities=AT_ONCE,
            interceptors=[Refusals()],
            # After a crash, tasks kept for the dead process move to the living after two seconds, not ten.
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
            graceful_shutdown_timeout=timedelta(seconds=5),
        )

    relay = Relay(build_engine(settings.relay_database_url, pool_size=1), partial(triggers.pull, client))
    async with asyncio.TaskGroup() as parts:
        parts.create_task(serve_forever(client, build_worker))
        parts.create_task(relay.run())
        parts.create_task(beat_forever(engine, client))


async def main(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then stop the relay and let running activities end."""
    running = asyncio.create_task(run(settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    await asyncio.gather(running, return_exceptions=False)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    code = 1
    try:
        asyncio.run(main(Settings.from_env()))
    except asyncio.CancelledError:
        code = 0
    except ConfigurationError as error:
        logging.error("%s", error)
    except BaseException:
        logging.exception("worker ends")
    # The SDK's threads can abort a polite exit of the interpreter, so it is left at once, with the logs written.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)
