"""The poller beside the relay: empties the tenants' mailboxes; one process does it at a time."""

import asyncio
import logging
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from portal.integrations.imap import ImapMailbox
from portal.lib.clock import utcnow
from portal.models.session import TenantSessions
from portal.services.mail_in.delivering import MailNotTaken
from portal.services.mail_in.polling import list_polled, poll_mailbox
from portal.services.mail_in.taking import MailTools
from portal.workflows.alone import work_alone

log = logging.getLogger(__name__)
EVERY_SECONDS = 15.0
AT_ONCE = 4
LOCK_KEY = 0x6D61696C696E  # "mailin"


class MailPoller:
    """Polls until cancelled; a mailbox that does not answer keeps no other one waiting."""

    def __init__(
        self,
        lock_engine: Engine,
        engine: Engine,
        tools: MailTools,
        *,
        allow_private: bool,
        every: float = EVERY_SECONDS,
    ) -> None:
        self._lock_engine = lock_engine
        self._sessions = TenantSessions(engine)
        self._tools = tools
        self._open = partial(ImapMailbox, allow_private=allow_private)
        self._every = every
        self._room = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Poll while this process holds the lock."""
        await work_alone(self._lock_engine, "mail poller", LOCK_KEY, self._poll)

    async def _poll(self, connection: Connection) -> None:
        while True:
            # The lock lives as long as its connection does; a lost one is noticed here, and by another process.
            await asyncio.to_thread(_still_there, connection)
            await self.poll_once()
            await asyncio.sleep(self._every)

    async def poll_once(self) -> None:
        """One round over all mailboxes."""
        tenant_ids = await asyncio.to_thread(list_polled, self._sessions)
        await asyncio.gather(*(self._poll_one(tenant_id) for tenant_id in tenant_ids))

    async def _poll_one(self, tenant_id: UUID) -> None:
        async with self._room:
            try:
                polled = await asyncio.to_thread(
                    poll_mailbox,
                    self._sessions,
                    tenant_id,
                    tools=self._tools,
                    open_mailbox=self._open,
                    clock=utcnow,
                )
            except (MailNotTaken, SQLAlchemyError) as error:
                log.warning("mailbox of tenant %s waits: %s", tenant_id, type(error).__name__)
                return
            if polled.error:
                log.warning("mailbox of tenant %s: %s", tenant_id, polled.error)


def _still_there(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))
    connection.commit()
