"""The inbox beside the relay: looks into what the gateway told, in the order it came; one process does it at a time."""

import asyncio
import logging

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from portal.lib.clock import utcnow
from portal.services.payments.inbox import Office, list_waiting, look_into
from portal.workflows.alone import work_alone

log = logging.getLogger(__name__)
EVERY_SECONDS = 0.5
AT_ONCE = 4
LOCK_KEY = 0x696E626F78  # "inbox"


class GatewayInbox:
    """Looks until cancelled; an event whose object cannot be read keeps no other one waiting."""

    def __init__(self, lock_engine: Engine, office: Office, *, every: float = EVERY_SECONDS) -> None:
        self._lock_engine = lock_engine
        self._office = office
        self._every = every
        self._room = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Look while this process holds the lock."""
        await work_alone(self._lock_engine, "gateway inbox", LOCK_KEY, self._look)

    async def _look(self, connection: Connection) -> None:
        while True:
            # The lock lives as long as its connection does; a lost one is noticed here, and by another process.
            await asyncio.to_thread(_still_there, connection)
            if not await self.look_once():
                await asyncio.sleep(self._every)

    async def look_once(self) -> int:
        """Everything that waits now; how many events that were."""
        waiting = await asyncio.to_thread(list_waiting, self._office.sessions, now=utcnow())
        await asyncio.gather(*(self._look_into(event_id) for event_id in waiting))
        return len(waiting)

    async def _look_into(self, event_id: str) -> None:
        async with self._room:
            try:
                await asyncio.to_thread(look_into, self._office, event_id, now=utcnow())
            except SQLAlchemyError as error:
                log.warning("event %s of the gateway waits: %s", event_id, type(error).__name__)


def _still_there(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))
    connection.commit()
