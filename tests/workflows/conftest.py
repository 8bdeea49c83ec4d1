"""Temporal for the tests: one loop, one time-skipping server, one real server, started when first asked for."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from portal.config import Settings
from portal.integrations.payment_gateway import PaymentGateway
from portal.integrations.seal import PadesSeal
from portal.integrations.storage import build_storage
from portal.models import OutboxEvent, TicketEvent
from portal.models.session import TenantSessions
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.workflows.files.activities import FileTools
from portal.workflows.registry import build_activities
from portal.workflows.serving import build_worker
from portal.workflows.triggers import OutboxRow, pull
from tests.outbox import FolderOfMails, Records, Texts, outlets_to
from tests.world import World

Run = Callable[..., Any]


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """Run a coroutine on the loop that all clients of this session belong to."""
    with asyncio.Runner() as runner:
        yield runner.run
    # The SDK's threads abort a Python that ends right after the last call.
    time.sleep(0.3)


# One for each file: a run that ends with an activity under way keeps the clock of its server from skipping.
@pytest.fixture(scope="module")
def skipping(run: Run) -> Iterator[WorkflowEnvironment]:
    """Temporal's test server, in which days pass in milliseconds; its clock only ever goes forward."""
    from runner.temporal import test_server_path

    start = WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(test_server_path()), data_converter=pydantic_data_converter
    )
    environment = run(start)
    environment.sleep = partial(_pass_time, environment, environment.sleep)
    yield environment
    run(environment.shutdown())


async def _pass_time(
    environment: WorkflowEnvironment, sleep: Callable[[timedelta], Awaitable[None]], span: timedelta
) -> None:
    """As the environment's own, which on a busy machine gives up before the time has passed."""
    target = await environment.get_current_time() + span
    while (left := target - await environment.get_current_time()) > timedelta(0):
        try:
            await sleep(left)
        except RPCError as error:
            if error.status not in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
                raise


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a real development server in memory, with the namespace `portico`."""
    from runner.temporal import start_dev_server

    with start_dev_server() as address:
        yield address


@pytest.fixture(scope="session")
def client(run: Run, server: str) -> Client:
    """A client of the real server."""
    found: Client = run(Client.connect(server, namespace="portico", data_converter=pydantic_data_converter))
    return found


class Starts(Interceptor):
    """Which runs were started, or signalled into life."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """Part of every call."""
        return _Noted(next, self.ids)


class _Noted(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, ids: set[str]) -> None:
        super().__init__(next)
        self._ids = ids

    async def start_workflow(self, input: StartWorkflowInput) -> Any:
        self._ids.add(input.id)
        return await super().start_workflow(input)


class Desk:
    """Tickets of the world with their clocks running in a Temporal server; every change is told like the relay would."""

    def __init__(self, client: Client, sessions: TenantSessions, world: World, queue: str) -> None:
        self._starts = Starts()
        self.client = Client(**(client.config() | {"interceptors": [self._starts]}))  # type: ignore[arg-type]
        self.sessions, self.world, self.queue = sessions, world, queue
        self._told: set[UUID] = set()

    def actor(self, name: str) -> Any:
        """A person of the world."""
        return self.world.people[name].actor

    async def open(self, at: datetime, category: str = "drill", who: str = "bob") -> UUID:
        """A new ticket, its clock started."""
        with self.sessions.begin(self.world.demo) as session:
            ticket = create_ticket(session, NewTicket("VPN", "Down.", category), actor=self.actor(who), now=at)
        await self.tell(ticket.id)
        return ticket.id

    async def do(self, service: Callable[..., Any], ticket_id: UUID, **arguments: Any) -> Any:
        """Call a service on the ticket and tell its events."""
        with self.sessions.begin(self.world.demo) as session:
            result = service(session, ticket_id, **arguments)
        await self.tell(ticket_id)
        return result

    async def end(self) -> None:
        """Leave no run behind: the test server does not skip past one that nobody works on."""
        for workflow_id in self._starts.ids:
            with suppress(RPCError):
                await self.client.get_workflow_handle(workflow_id).terminate()

    async def tell(self, ticket_id: UUID) -> None:
        """Pull the triggers of the ticket's events that were not told yet."""
        for row in self.events(ticket_id):
            if row.id not in self._told:
                self._told.add(row.id)
                await pull(self.client, row, task_queue=self.queue)

    def events(self, ticket_id: UUID, kind: str | None = None) -> list[OutboxRow]:
        """The ticket's events in their order."""
        with self.sessions.begin(self.world.demo) as session:
            rows = session.scalars(
                select(OutboxEvent).where(OutboxEvent.record_id == ticket_id).order_by(OutboxEvent.seq)
            )
            return [
                OutboxRow(e.seq, e.id, e.tenant_id, e.kind, e.record_type, e.record_id, e.payload, e.attempts)
                for e in rows
                if kind in (None, e.kind)
            ]

    def kinds(self, ticket_id: UUID) -> list[str]:
        """What happened to the ticket."""
        return [row.kind for row in self.events(ticket_id)]

    def escalated_at(self, ticket_id: UUID) -> list[datetime]:
        """When levels of the ladder were reached."""
        with self.sessions.begin(self.world.demo) as session:
            return list(
                session.scalars(
                    select(TicketEvent.at)
                    .where(TicketEvent.ticket_id == ticket_id, TicketEvent.kind == "escalated")
                    .order_by(TicketEvent.at, TicketEvent.id)
                )
            )


@pytest.fixture
def mails(tmp_path: Any) -> FolderOfMails:
    """Where mails of the test go."""
    return FolderOfMails(tmp_path / "mail")


@pytest.fixture
def texts() -> Texts:
    """Where text messages of the test go."""
    return Texts()


@pytest.fixture
def tools(settings: Settings) -> FileTools:
    """Files in the folder of the tests; no scanner."""
    return FileTools(build_storage(settings))


@pytest.fixture
def records() -> Records:
    """The DNS of the test."""
    return Records()


@pytest.fixture
def desk_at(
    sessions: TenantSessions,
    world: World,
    mails: FolderOfMails,
    texts: Texts,
    records: Records,
    tools: FileTools,
    settings: Settings,
) -> Callable[..., Any]:
    """`async with desk_at(client) as desk`: a worker of all our workflows at a queue of its own."""

    @asynccontextmanager
    async def open_desk(client: Client, gateway: PaymentGateway | None = None) -> AsyncIterator[Desk]:
        queue = f"test-{uuid4()}"
        outlets = outlets_to(mails.transport, texts)
        activities = build_activities(
            sessions,
            outlets,
            records,
            base_url="http://127.0.0.1:8000",
            tools=tools,
            seal=PadesSeal(settings),
            gateway=gateway,
        )
        with ThreadPoolExecutor(16) as executor:
            async with build_worker(client, activities, executor, task_queue=queue):
                desk = Desk(client, sessions, world, queue)
                try:
                    yield desk
                finally:
                    await desk.end()

    return open_desk


async def eventually(check: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true answer of `check`, asked every 50 ms."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.05)
    return found


def seconds(number: float) -> timedelta:
    """A short word for a span."""
    return timedelta(seconds=number)
