"""The sealer beside the relay: links new audit entries into their tenants' chains and keeps their witnesses.

One sealer is active at a time: the lock belongs to the connection that seals, so whoever loses it can seal no more.
"""

import asyncio
import logging

from sqlalchemy import Connection, Engine

from portal.lib.clock import utcnow
from portal.services.audit.anchors import AnchorFolder, UnreadableAnchors
from portal.services.audit.sealing import SealingRounds
from portal.services.audit.witnessing import Witnessing
from portal.workflows.alone import work_alone

log = logging.getLogger(__name__)
EVERY_SECONDS = 1.0
LOCK_KEY = 0x7365616C6572  # "sealer"


class Sealer:
    """Seals every second until cancelled; a lost database is waited for."""

    def __init__(self, engine: Engine, anchors: AnchorFolder) -> None:
        self._engine = engine
        self._anchors = anchors

    async def run(self) -> None:
        """Seal while this process holds the lock."""
        await work_alone(self._engine, "sealer", LOCK_KEY, self._seal)

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
