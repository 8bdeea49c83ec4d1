"""Real worker processes against a real Temporal server and PostgreSQL, to be killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.pool import NullPool

from portal.config import ROOT, Settings
from portal.models import Heartbeat, MailMessage, Notification, OutboxEvent, TicketEvent
from portal.models.session import TenantSessions, engine_options, normalise_url
from portal.services.tickets.opening import NewTicket, create_ticket
from tests.conftest import CHEAP, settings_for
from tests.world import World, build_world

# The ladder of the drill: warning after 2 s, first level at 3, second at 4; nothing for the solution.
LADDER = """
UPDATE sla_policies SET first_response_seconds = 3, warn_before_seconds = 1, resolution_seconds = NULL,
    levels = '[{"metric": "first_response", "after_seconds": 0, "notify_role": "manager", "assign_role": "manager"},
               {"metric": "first_response", "after_seconds": 1, "notify_role": "tenant_admin", "assign_role": null}]'
WHERE name = 'Drill'
"""
LEVELS = 2
QUIET_SECONDS = 1.5
# What is due within a time may take so much longer on a busy machine; `bench.promptness` measures on a calm one.
BUSY = 6


@dataclass
class Plant:
    """A database with the world in it, and the workers that serve it."""

    settings: Settings
    world: World
    engine: Engine
    environ: dict[str, str]
    name: str
    workers: list[Any] = field(default_factory=list)
    # What was there when everything seemed to be done, and since when.
    calm: tuple[Any, float] = (None, 0.0)

    def start_worker(self, fault: str | None = None) -> Any:
        """A worker process, armed to die at a crash point."""
        environ = self.environ | ({"PORTAL_FAULT": fault} if fault else {})
        log = (self.settings.data_dir / "worker.log").open("ab")
        worker = subprocess.Popen([sys.executable, "worker.py"], cwd=ROOT, env=environ, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    def start_ready_worker(self, fault: str | None = None) -> Any:
        """A worker that is at work when this returns."""
        began = datetime.now(UTC)
        worker = self.start_worker(fault)
        wait_until(
            lambda: max((at for (at,) in self.rows(Heartbeat.at)), default=began) > began, 20, "the worker is up"
        )
        return worker

    def open_ticket(self, at: datetime | None = None) -> UUID:
        """A drill, opened by bob."""
        actor = self.world.people["bob"].actor
        with TenantSessions(self.engine).begin(self.world.demo) as session:
            return create_ticket(session, NewTicket("Drill", "x", "drill"), actor=actor, now=at or datetime.now(UTC)).id

    def rows(self, *columns: Any) -> list[Any]:
        """Rows of tenant demo."""
        with TenantSessions(self.engine).begin(self.world.demo) as session:
            return list(session.execute(select(*columns)))

    def escalations(self, ticket_id: UUID) -> list[datetime]:
        """When levels were reached."""
        rows = self.rows(TicketEvent.ticket_id, TicketEvent.kind, TicketEvent.at)
        return sorted(at for ticket, kind, at in rows if ticket == ticket_id and kind == "escalated")

    def settled(self, tickets: int = 1) -> bool:
        """Whether every ladder was climbed, every event told and every mail sent."""
        # In the order in which one thing brings about the next, so that nothing slips in between.
        lines = [kind for (kind,) in self.rows(TicketEvent.kind)]
        due = {
            event
            for event, kind in self.rows(OutboxEvent.id, OutboxEvent.kind)
            if kind in ("ticket.created", "ticket.escalated", "ticket.sla_warned")
        }
        told = {event for (event,) in self.rows(Notification.event_id)}
        waiting = [1 for (at,) in self.rows(OutboxEvent.processed_at) if at is None]
        unsent = [1 for (state,) in self.rows(MailMessage.state) if state != "sent"]
        done = lines.count("escalated") >= LEVELS * tickets and not waiting and not unsent and due <= told
        # Who was assigned is told by a run of its own, which may still be on its way: nothing moves for a while.
        seen = (len(lines), len(unsent), len(self.rows(MailMessage.id)), len(self.rows(Notification.id)), done)
        if self.calm[0] != seen:
            self.calm = (seen, time.monotonic())
        return done and time.monotonic() - self.calm[1] >= QUIET_SECONDS

    def end(self) -> None:
        """No worker stays."""
        for worker in self.workers:
            worker.kill()
            worker.wait(10)
        self.engine.dispose()

    def mail_files(self) -> list[Path]:
        """What lies in the mail folder."""
        return list((self.settings.data_dir / "mail").glob("*"))


def wait_until(check: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true answer, or failure that names what was waited for; a busy machine is given more time."""
    deadline = time.monotonic() + BUSY * seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {BUSY * seconds} s: {what}"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def temporal() -> Iterator[Any]:
    """A development server with its own file, which tests kill and start again."""
    from tests.crash.servers import RestartableTemporal

    with RestartableTemporal.running() as server:
        yield server


@pytest.fixture(scope="module")
def new_plant(
    database: Any, new_database: Any, temporal: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Plant]]:
    """Make a database of its own, with a namespace of its own in the Temporal server."""
    plants: list[Plant] = []

    def make() -> Plant:
        name = new_database(f"crash_{uuid4().hex[:8]}")
        plants.append(build_plant(database, name, temporal, tmp_path_factory.mktemp("crash")))
        return plants[-1]

    yield make
    for plant in plants:
        plant.end()
        database.drop_database(plant.name)


@pytest.fixture
def plant(new_plant: Callable[[], Plant]) -> Iterator[Plant]:
    """A world of the test's own, without workers yet."""
    made = new_plant()
    yield made
    made.end()


def build_plant(server: Any, name: str, temporal: Any, folder: Path) -> Plant:
    """The small world in a migrated database of a server, and a namespace of the same name for its workers."""
    settings = settings_for(server, name, folder)
    world = _small_world(settings)
    temporal.create_namespace(name)
    # No limit for who only looks: on a busy machine this process may stand still for long.
    looking = engine_options(2, spare=2) | {"connect_args": {}, "pool_pre_ping": True}
    engine = create_engine(normalise_url(settings.database_url), **looking)
    return Plant(settings, world, engine, _environ(settings, temporal.address, name), name)


def _small_world(settings: Settings) -> World:
    owner = create_engine(normalise_url(settings.owner_database_url), poolclass=NullPool)
    world = build_world(owner, CHEAP, now=datetime.now(UTC) - timedelta(days=1))
    with owner.begin() as connection:
        for tenant in (world.demo, world.nova):
            connection.execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": str(tenant)})
            connection.execute(text(LADDER))
    return world


def _environ(settings: Settings, temporal_address: str, namespace: str) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "TEMPORAL_", "PG"))}
    return environ | {
        "PORTAL_ENV": "test",
        "PORTAL_SECRET_KEY": settings.secret_key,
        "PORTAL_DATABASE_URL": settings.database_url,
        "PORTAL_RELAY_DATABASE_URL": settings.relay_database_url,
        "PORTAL_DATA_DIR": str(settings.data_dir),
        "PORTAL_TEMPORAL_ADDRESS": temporal_address,
        "PORTAL_TEMPORAL_NAMESPACE": namespace,
    }
