"""`python -m bench.promptness`: how soon after its commit an event has its workflow task, and how late escalations are.

Real PostgreSQL (durable), a real Temporal server on a file, a real worker. BENCH_EVENTS (60) tickets, four a second.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError

from bench.client import percentile
from portal.config import ROOT
from portal.demo.content import demo_uuid
from portal.demo.seed import seed_demo
from portal.integrations.storage import folder_storage
from portal.lib.clock import utcnow
from portal.models import Person
from portal.models.session import TenantSessions, build_engine, normalise_url
from portal.services.accounts.identity import build_identity, select_identity
from portal.services.accounts.passwords import Passwords
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.workflows.tickets.shared import clock_workflow_id
from runner.ports import choose_port
from runner.postgres import start_temporary
from runner.temporal import DevServer, find_server
from runner.temporal.server import NAMESPACE, PORT_NAMES

EVENTS = int(os.environ.get("BENCH_EVENTS", "60"))
BUDGET_MS = 300.0
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on")
TENANT = demo_uuid("demo", "tenant")


@dataclass
class Made:
    """A ticket, when its event was committed, and when it escalates."""

    id: UUID
    committed: datetime
    due: datetime


def main() -> int:
    """Print the two tables; exit code 1 when the event's 95th percentile is over its budget."""
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as folder, start_temporary(DURABLE) as server:
        server.create_database("bench")
        ports: dict[str, int] = {}
        for name in PORT_NAMES:
            ports[name] = choose_port(ports.values())
        temporal = DevServer(find_server(), ports, Path(folder) / "temporal.db")
        environ = os.environ | {
            "PORTAL_ENV": "test",
            "PORTAL_SECRET_KEY": "benchmarks need no secret, but a long one",
            "PORTAL_DATABASE_URL": server.app_url("bench"),
            "PORTAL_OWNER_DATABASE_URL": server.owner_url("bench"),
            "PORTAL_RELAY_DATABASE_URL": server.relay_url("bench"),
            "PORTAL_DATA_DIR": folder,
            "PORTAL_TEMPORAL_ADDRESS": temporal.address,
            "PORTAL_TEMPORAL_NAMESPACE": NAMESPACE,
        }
        words = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
        subprocess.run(words, cwd=ROOT, env=environ, check=True, capture_output=True)
        owner = create_engine(normalise_url(server.owner_url("bench")), poolclass=NullPool)
        storage = folder_storage(Path(folder) / "files")
        seed_demo(owner, password="portico-demo", passwords=Passwords(1, 8), storage=storage, now=utcnow())
        with (Path(folder) / "log").open("wb") as log:
            children = [subprocess.Popen(temporal.command(), stdout=log, stderr=log)]
            try:
                children.append(subprocess.Popen([sys.executable, "worker.py"], cwd=ROOT, env=environ, stderr=log))
                return asyncio.run(_measure(server.app_url("bench"), temporal.address))
            finally:
                for child in reversed(children):
                    child.terminate()
                    child.wait(15)


async def _measure(database: str, address: str) -> int:
    sessions = TenantSessions(build_engine(database, pool_size=2))
    await asyncio.to_thread(_settle, sessions)
    made = await asyncio.to_thread(_open_tickets, sessions)
    await asyncio.sleep(3)
    client = await Client.connect(address, namespace=NAMESPACE)
    starts = [(await _started(client, one) - one.committed).total_seconds() * 1000 for one in made]
    await asyncio.sleep(max(0.0, (max(one.due for one in made) - utcnow()).total_seconds()) + 4)
    late = [(_escalated(sessions, one) - one.due).total_seconds() * 1000 for one in made]
    for name, values in (("event committed -> workflow task started", starts), ("escalation after its due time", late)):
        print(
            f"{name}: p50 {percentile(values, 0.5):.0f} ms, p95 {percentile(values, 0.95):.0f} ms, max {max(values):.0f} ms"
        )
    return 0 if percentile(starts, 0.95) <= BUDGET_MS else 1


def _settle(sessions: TenantSessions) -> None:
    """Wait until the worker is up and the seed's events are told."""
    waiting = text("SELECT count(*) FROM outbox_events WHERE processed_at IS NULL")
    deadline = time.monotonic() + 60
    while True:
        with sessions.begin(TENANT) as session:
            if not session.connection().scalar(waiting):
                break
        if time.monotonic() > deadline:
            raise RuntimeError("the worker did not come up")
        time.sleep(0.2)
    time.sleep(2)


def _open_tickets(sessions: TenantSessions) -> list[Made]:
    with sessions.begin(TENANT) as session:
        row = session.execute(select_identity().where(Person.email == "ben@acme.example")).one()
        actor = build_identity(row).actor
    made = []
    for number in range(EVENTS):
        with sessions.begin(TENANT) as session:
            request = NewTicket(f"Drill {number}", "Measured.", "drill")
            ticket = create_ticket(session, request, actor=actor, now=utcnow())
        assert ticket.first_response_due_at is not None
        made.append(Made(ticket.id, utcnow(), ticket.first_response_due_at))
        time.sleep(0.25)
    return made


async def _started(client: Client, one: Made) -> datetime:
    try:
        async for event in client.get_workflow_handle(clock_workflow_id(one.id, 1)).fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
                return event.event_time.ToDatetime(tzinfo=UTC)
    except RPCError as error:
        raise RuntimeError(f"no clock runs for ticket {one.id}") from error
    raise RuntimeError(f"the clock of ticket {one.id} never began")


def _escalated(sessions: TenantSessions, one: Made) -> datetime:
    with sessions.begin(TENANT) as session:
        found: datetime | None = session.connection().scalar(
            text("SELECT min(created_at) FROM outbox_events WHERE record_id = :id AND kind = 'ticket.escalated'"),
            {"id": one.id},
        )
    if found is None:
        raise RuntimeError(f"ticket {one.id} did not escalate")
    return found


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The SDK's threads can abort a polite exit of the interpreter.
    os._exit(code)
