"""Work that one process does at a time: an advisory lock belongs to the connection that works; others stand by."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)
STANDBY_SECONDS = 1.0
RECONNECT_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0)
_TRY_LOCK = text("SELECT pg_try_advisory_lock(:key)")


async def work_alone(engine: Engine, name: str, lock_key: int, work: Callable[[Connection], Awaitable[None]]) -> None:
    """Take the lock and do `work`, which ends by cancellation or an error; a lost database is waited for."""
    failures = 0
    while True:
        try:
            connection = await asyncio.to_thread(engine.connect)
            try:
                while not await asyncio.to_thread(try_lock, connection, lock_key):
                    await asyncio.sleep(STANDBY_SECONDS)
                log.info("%s is active", name)
                failures = 0
                await work(connection)
            finally:
                # The lock belongs to the connection: it must not go back into a pool.
                await asyncio.shield(asyncio.to_thread(_discard, connection))
        except SQLAlchemyError as error:
            log.warning("%s lost its database: %s", name, type(error).__name__)
            await asyncio.sleep(pause_after(failures))
            failures += 1


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)]


def try_lock(connection: Connection, lock_key: int) -> bool:
    """Whether this connection holds the lock now."""
    taken = bool(connection.scalar(_TRY_LOCK, {"key": lock_key}))
    connection.commit()
    return taken


def _discard(connection: Connection) -> None:
    connection.invalidate()
    connection.close()
