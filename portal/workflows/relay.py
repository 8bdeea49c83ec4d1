"""The relay: carries committed events to Temporal and to open pages, in order per record, losing none.

One relay is active at a time (session advisory lock; others stand by). Rows are marked one by one after
Temporal took them: sequence numbers become visible out of order, so there is no watermark. A relay that dies
before it marked a row tells the event again; starts and signals are made to be repeated.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, text
from temporalio.service import RPCError, RPCStatusCode

from portal.integrations.realtime import CHANNEL, LiveEntry, pack
from portal.lib.faults import crash_point
from portal.workflows.alone import pause_after, work_alone
from portal.workflows.triggers import OutboxRow

log = logging.getLogger(__name__)
POLL_SECONDS = 0.1
BATCH = 200
AT_ONCE = 8
PULL_SECONDS = 3.0
LOCK_KEY = 0x706F7274616C  # "portal"
LONGEST_BACKOFF_SECONDS = 300
# The server is not there, rather than that it refuses this one event.
_OUTAGE = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.NOT_FOUND,
    }
)

# What waits behind an event of the same record that failed waits with it; other records go on.
_PENDING = text(
    """
    SELECT e.seq, e.id, e.tenant_id, e.kind, e.record_type, e.record_id, e.payload, e.attempts
    FROM outbox_events e
    WHERE e.processed_at IS NULL AND e.available_at <= now() AND NOT EXISTS (
        SELECT FROM outbox_events ahead
        WHERE ahead.processed_at IS NULL AND ahead.available_at > now() AND ahead.tenant_id = e.tenant_id
          AND ahead.record_id = e.record_id AND ahead.seq < e.seq)
    ORDER BY e.seq LIMIT :batch FOR UPDATE OF e SKIP LOCKED
    """
)
_DONE = text("UPDATE outbox_events SET processed_at = now(), last_error = NULL WHERE seq = ANY(:seqs)")
_FAILED = text(
    """
    UPDATE outbox_events SET attempts = attempts + 1, last_error = :error,
        available_at = now() + least(power(2, least(attempts, 10)), :longest) * interval '1 second'
    WHERE seq = :seq
    """
)
_NOTIFY = text("SELECT pg_notify(:channel, :payload)")

# Only staff may know that these happened.
STAFF_ONLY = frozenset(
    {
        "ticket.note_added",
        "ticket.sla_warned",
        "ticket.linked",
        "ticket.unlinked",
        "ticket.side_message",
        "ticket.side_closed",
        "ticket.mentioned",
        "ticket.time_changed",
        "mail.bounced",
        "quote.drafted",
        "quote.edited",
        "quote.discarded",
        "quote.viewed",
        "quote.clock_changed",
    }
)

Pull = Callable[[OutboxRow], Awaitable[None]]


@dataclass
class _Outcome:
    done: list[int] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)
    outage: str = ""


class Relay:
    """Polls the outbox and hands each event to `pull`; runs until cancelled."""

    def __init__(self, engine: Engine, pull: Pull) -> None:
        self._engine = engine
        self._pull = pull
        self._at_once = asyncio.Semaphore(AT_ONCE)
        # Told to open pages already, not yet taken by Temporal: an outage there must not silence pages here.
        self._announced: set[int] = set()

    async def run(self) -> None:
        """Relay while this process holds the lock; a lost database is waited for."""
        await work_alone(self._engine, "relay", LOCK_KEY, self._relay)

    async def _relay(self, connection: Connection) -> None:
        outages = 0
        while True:
            if outages:
                # While Temporal is away an attempt takes seconds; open pages do not wait for it.
                await asyncio.to_thread(self._announce, connection)
            found, outage = await self.relay_once(connection)
            if outage:
                if outages == 0:
                    log.warning("relay waits for Temporal: %s", outage)
                await asyncio.sleep(pause_after(outages))
                outages += 1
                continue
            outages = 0
            if not found:
                await asyncio.sleep(POLL_SECONDS)

    async def relay_once(self, connection: Connection) -> tuple[int, str]:
        """One batch in one transaction; returns how many rows moved, and why Temporal could not be reached."""
        rows = await asyncio.to_thread(_read, connection)
        if not rows:
            await asyncio.to_thread(connection.rollback)
            return 0, ""
        outcome = await self._tell(rows)
        fresh = [row for row in rows if row.seq not in self._announced]
        await asyncio.to_thread(_write, connection, outcome, pack(map(live_entry, fresh)))
        self._announced.update(row.seq for row in rows)
        self._announced.difference_update(outcome.done)
        return len(outcome.done) + len(outcome.failed), outcome.outage

    def _announce(self, connection: Connection) -> None:
        rows = [row for row in _read(connection) if row.seq not in self._announced]
        _write(connection, _Outcome(), pack(map(live_entry, rows)))
        self._announced.update(row.seq for row in rows)

    async def _tell(self, rows: list[OutboxRow]) -> _Outcome:
        records: dict[UUID, list[OutboxRow]] = {}
        for row in rows:
            records.setdefault(row.record_id, []).append(row)
        outcome = _Outcome()
        await asyncio.gather(*(self._tell_record(of_one, outcome) for of_one in records.values()))
        return outcome

    async def _tell_record(self, rows: list[OutboxRow], outcome: _Outcome) -> None:
        """The events of one record in their order; the first that fails ends it."""
        async with self._at_once:
            for row in rows:
                if outcome.outage:
                    return
                try:
                    crash_point("relay.pre_start")
                    async with asyncio.timeout(PULL_SECONDS):
                        await self._pull(row)
                    crash_point("relay.post_start")
                except TimeoutError:
                    outcome.outage = "no answer in time"
                    return
                except RPCError as error:
                    if error.status in _OUTAGE:
                        outcome.outage = error.message
                    else:
                        outcome.failed.append((row.seq, str(error)))
                    return
                except Exception as error:
                    log.exception("event %s (%s) cannot be passed on", row.id, row.kind)
                    outcome.failed.append((row.seq, f"{type(error).__name__}: {error}"))
                    return
                outcome.done.append(row.seq)


def live_entry(row: OutboxRow) -> LiveEntry:
    """What open pages are told of an event: ids and the kind."""
    payload = row.payload
    return LiveEntry(
        tenant_id=row.tenant_id,
        kind=row.kind,
        record_type=row.record_type,
        record_id=row.record_id,
        staff_only=row.kind in STAFF_ONLY or payload.get("changed") == ["tags"],
        company_id=_uuid(payload.get("company_id")),
        requester_id=_uuid(payload.get("requester_id")),
        user_ids=tuple(UUID(user_id) for user_id in payload.get("user_ids", ())),
    )


def _uuid(value: Any) -> UUID | None:
    return UUID(value) if value else None


def _read(connection: Connection) -> list[OutboxRow]:
    return [OutboxRow(*row) for row in connection.execute(_PENDING, {"batch": BATCH})]


def _write(connection: Connection, outcome: _Outcome, payloads: list[str]) -> None:
    if outcome.done:
        connection.execute(_DONE, {"seqs": outcome.done})
    for seq, error in outcome.failed:
        connection.execute(_FAILED, {"seq": seq, "error": error[:500], "longest": LONGEST_BACKOFF_SECONDS})
    for payload in payloads:
        connection.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})
    connection.commit()
