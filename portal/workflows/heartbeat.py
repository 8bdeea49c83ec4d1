"""Signs of life: rows that say the worker lives and Temporal answers, so that the web needs to ask neither."""

import asyncio
import logging

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from portal.lib.clock import utcnow

log = logging.getLogger(__name__)
EVERY_SECONDS = 2.0
_BEAT = text("INSERT INTO heartbeats (name, at) VALUES (:name, :at) ON CONFLICT (name) DO UPDATE SET at = excluded.at")


async def beat_forever(engine: Engine, client: Client) -> None:
    """Write a row for the worker, and one for Temporal when it answers, every two seconds until cancelled."""
    while True:
        names = ["worker", "temporal"] if await answers(client) else ["worker"]
        try:
            await asyncio.to_thread(_write, engine, names)
        except SQLAlchemyError as error:
            log.warning("heartbeat not written: %s", type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)


async def answers(client: Client) -> bool:
    """Whether the Temporal server takes calls now."""
    try:
        return await asyncio.wait_for(client.service_client.check_health(), timeout=EVERY_SECONDS)
    except (TimeoutError, RPCError, RuntimeError):
        return False


def _write(engine: Engine, names: list[str]) -> None:
    with engine.begin() as connection:
        connection.execute(_BEAT, [{"name": name, "at": utcnow()} for name in names])
