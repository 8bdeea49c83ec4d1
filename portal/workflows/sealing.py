"""The sealer beside the relay: links new audit entries into their tenants' chains and keeps their witnesses.

One sealer is active at a time: the lock belongs to the connection that seals, so whoever loses it can seal no more.
"""

import asyncio
import logging

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from portal.lib.clock import utcnow
from portal.services.audit.anchors import AnchorFolder, UnreadableAnchors
from portal.services.audit.sealing import SealingRounds
from portal.services.audit.witnessing import Witnessing

log = logging.getLogger(__name__)
EVERY_SECONDS = 1.0
STANDBY_SECONDS = 2.0
RECONNECT_SECONDS = (0.25, 0.5, 1.0, 2.0, 5.0)
LOCK_KEY = 0x7365616C6572  # "sealer"
_TRY_LOCK = text("SELECT pg_try_advisory_lock(:key)")


class Sealer:
    """Seals every second until cancelled; a lost database is waited for."""

    def __init__(self, engine: Engine, anchors: AnchorFolder) -> None:
        self._engine = engine
        self._anchors = anchors

    async def run(self) -> None:
        """Take the lock and seal."""
        failures = 0
        while True:
            try:
                connection = await asyncio.to_thread(self._engine.connect)
                try:
                    while not await asyncio.to_thread(try_lock, connection):
                        await asyncio.sleep(STANDBY_SECONDS)
                    log.info("sealer is active")
                    failures = 0
                    await self._seal(connection)
                finally:
                    await asyncio.shield(asyncio.to_thread(_discard, connection))
            except SQLAlchemyError as error:
                log.warning("sealer lost its database: %s", type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
                failures += 1

    async def _seal(self, connection: Connection) -> None:
        rounds, witnessing = SealingRounds(connection), Witnessing(connection, self._anchors)
        while True:
            grown = await asyncio.to_thread(rounds.run_once, now=utcnow())
            try:
                await asyncio.to_thread(witnessing.note, grown, now=utcnow())
            except (OSError, UnreadableAnchors) as error:
                # Entries are sealed all the same; `portal audit verify` says what is wrong with the files.
                log.error("anchors not written: %s", error)
            await asyncio.sleep(EVERY_SECONDS)


def try_lock(connection: Connection) -> bool:
    """Whether this connection is now the one that may seal."""
    taken = bool(connection.scalar(_TRY_LOCK, {"key": LOCK_KEY}))
    connection.commit()
    return taken


def _discard(connection: Connection) -> None:
    connection.invalidate()
    connection.close()
