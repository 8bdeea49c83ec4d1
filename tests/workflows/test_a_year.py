"""A year of auto-pay by the real workflows, in the server whose days pass in milliseconds."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.models import OutboxEvent
from portal.models.session import TenantSessions
from portal.workflows.triggers import OutboxRow, pull
from tests.tills import Till, open_till
from tests.workflows.conftest import Desk
from tests.world import World
from tests.years import Year, yearly_till

pytestmark = [pytest.mark.temporal]
# The relay tells within milliseconds what happened; here it is told this often, which no timer of the year depends on.
STEP = timedelta(hours=12)
AWAY_FOR = timedelta(minutes=10)


class Lived(Year):
    """The year as the worker lives it; the story runs in a thread beside its loop."""

    def __init__(self, till: Till, year: int, desk: Desk, skipping: Any) -> None:
        super().__init__(till, year)
        self._desk, self._skipping, self._loop = desk, skipping, asyncio.get_running_loop()
        with till.begin() as session:
            self._told = session.scalar(select(func.max(OutboxEvent.seq))) or 0

    def until(self, end: datetime) -> None:
        """Let the time pass; what was done before is told first."""
        asyncio.run_coroutine_threadsafe(self._pass(end), self._loop).result()
        self.till.now = end

    def outage(self) -> None:
        """The gateway is away for ten minutes, from before the charge."""
        self.until(self.at(4, 14, 23))
        self.till.gateway.away = True
        self.until(self.at(4, 15) + AWAY_FOR)
        assert (
            self.till.rows(OutboxEvent, OutboxEvent.record_id == self.invoices[-1], OutboxEvent.kind == "invoice.paid")
            == []
        )
        self.till.gateway.away = False

    async def _pass(self, end: datetime) -> None:
        await self._tell()
        while (now := await self._skipping.get_current_time()) < end:
            await self._skipping.sleep(min(end - now, STEP))
            await self._tell()

    async def _tell(self) -> None:
        with self.till.begin() as session:
            query = select(OutboxEvent).where(OutboxEvent.seq > self._told).order_by(OutboxEvent.seq)
            rows = [
                OutboxRow(e.seq, e.id, e.tenant_id, e.kind, e.record_type, e.record_id, e.payload, e.attempts)
                for e in session.scalars(query)
            ]
        for row in rows:
            await pull(self._desk.client, row, task_queue=self._desk.queue)
            self._told = row.seq


def test_a_year_with_ten_minutes_without_the_gateway(
    skipping: Any, run: Any, desk_at: Any, sessions: TenantSessions, world: World
) -> None:
    async def live(till: Till) -> Year:
        async with desk_at(skipping.client, gateway=till.gateway) as desk:
            now = await skipping.get_current_time()
            year = Lived(till, now.year + 1, desk, skipping)
            await asyncio.to_thread(year.live)
            return year

    start = run(skipping.get_current_time())
    with yearly_till(open_till(sessions, world, start)) as till:
        run(live(till)).check()
