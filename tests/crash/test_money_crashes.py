"""From an accepted quote to the receipt, whatever dies and wherever: each thing once, and nothing left behind.

The crash points by the names of the list of what must be survived, and where they lie:

| point | the process dies | armed as |
|---|---|---|
| accept.pre_commit | web, the acceptance written but not committed | the same |
| accept.post_commit | web, right after that commit | the same |
| relay.pre_start | worker, before Temporal hears of an event | the same, at the last event of the acceptance's batch |
| relay.post_start | worker, before the event is marked as told | the same, at the last event of the acceptance's batch |
| invoice.pre_commit | worker, the invoice written but not committed | quote_invoice.pre_commit |
| invoice.pre_report | worker, the invoice committed, Temporal not told | quote_invoice.post_commit |
| seal.pre_rename | worker, the sealed file stored but not recorded | the same |
| mail.post_send | worker, a mail sent but not marked | the same, at the second mail |
| pay.pre_call | worker, the payment reserved, the gateway not asked | the same |
| pay.post_charge | worker, money taken, nothing of it booked | the same |
| pay.post_commit | worker, booked, Temporal not told | the same |
| hook.pre_commit | web, an event of the gateway's not committed | the same |
| hook.post_commit | web, the event committed but not acknowledged | the same |
| receipt.pre_report | worker, the receipt sent and marked, Temporal not told | the same |

Besides, every process is killed at moments drawn from a seed: `PORTAL_CRASH_SEED` is the first seed (each run takes
the next one) and `PORTAL_CRASH_RUNS` how many runs there are.
"""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from portal.models import OutboxEvent, Quote
from tests.conftest import migrate
from tests.crash.conftest import BUSY, Plant, build_plant, wait_until
from tests.crash.money import Shop, open_shop
from tests.crash.servers import RestartablePostgres, RestartableTemporal

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(900)]

# What waits for a timer comes first; most of it is waiting.
IN_WORKER = {
    "pay.pre_call": "pay.pre_call",
    "pay.post_charge": "pay.post_charge",
    "seal.pre_rename": "seal.pre_rename",
    "pay.post_commit": "pay.post_commit",
    "relay.pre_start": "relay.pre_start:{batch}",
    "relay.post_start": "relay.post_start:{batch}",
    "invoice.pre_commit": "quote_invoice.pre_commit",
    "invoice.pre_report": "quote_invoice.post_commit",
    "mail.post_send": "mail.post_send:2",
    "receipt.pre_report": "receipt.pre_report",
}
IN_WEB = ("accept.pre_commit", "accept.post_commit", "hook.pre_commit", "hook.post_commit")
POINTS = (*IN_WORKER, *IN_WEB)
SIDE_BY_SIDE = 4

SEED = int(os.environ.get("PORTAL_CRASH_SEED", "20261121"))
RUNS = int(os.environ.get("PORTAL_CRASH_RUNS", "3"))
SEEDS = range(SEED, SEED + RUNS)
VICTIMS = ("worker", "temporal", "postgres", "web", "standin")
QUOTES = 2
# Seconds within which quotes are accepted and processes killed, and how long those stay away.
ACCEPTED_WITHIN, KILLED_WITHIN, AWAY = 4.0, 6.0, (0.1, 1.5)
# All is well again so many seconds after the last start, without a human.
WHOLE_WITHIN = 60


def die_in_worker(shop: Shop, quote: Quote, armed: str) -> None:
    """Let a worker die at the point, and start another."""
    shop.open_door()
    shop.accept(quote)
    worker = shop.plant.start_worker(armed.format(batch=len(shop.plant.rows(OutboxEvent.id))))
    assert worker.wait(30 * BUSY) == -signal.SIGKILL, "the crash point was not reached"
    shop.plant.start_worker()


def die_in_web(shop: Shop, quote: Quote, point: str) -> None:
    """Let the web process die at the point, and start another; what was asked of it is asked again."""
    shop.plant.start_worker()
    shop.start_web(point)
    shop.wait_for_web()
    asked = point.startswith("accept.")
    if asked:
        assert shop.ask_to_accept(quote) == 0
    else:
        shop.accept(quote)
    wait_until(shop.web_died, 30, f"death at {point}")
    shop.kill_web()
    if asked:
        [(state,)] = shop.plant.rows(Quote.status)
        assert state == ("sent" if point == "accept.pre_commit" else "accepted")
    shop.start_web()
    if asked:
        shop.accept_surely(quote)


def die_and_come_back(plant: Plant, point: str) -> None:
    """Run an accepted quote through a death at the point, and look at what came of it."""
    shop = open_shop(plant)
    try:
        quote = shop.offer()
        if point in IN_WORKER:
            die_in_worker(shop, quote, IN_WORKER[point])
        else:
            die_in_web(shop, quote, point)
        wait_until(shop.is_whole, WHOLE_WITHIN, f"everything done after {point}")
        shop.check([quote])
    finally:
        shop.end()


def draw(seed: int) -> list[tuple[float, str, str]]:
    """What happens when (seconds): quotes are accepted, each process is killed and, a while later, started again."""
    chance = Random(seed)
    steps = [(chance.uniform(0, ACCEPTED_WITHIN), "accept", "") for _ in range(QUOTES)]
    for victim in VICTIMS:
        at = chance.uniform(0, KILLED_WITHIN)
        steps += [(at, "kill", victim), (at + chance.uniform(*AWAY), "start", victim)]
    return sorted(steps)


class Town:
    """A shop with servers of its own, all of which can be killed; it stays from run to run as long as all is well."""

    def __init__(self, postgres: RestartablePostgres, temporal: RestartableTemporal, folders: Any) -> None:
        self._postgres, self._temporal, self._folders = postgres, temporal, folders
        self._shop: Shop | None = None

    def run(self, seed: int) -> None:
        """Play what the seed says, and look at what came of it."""
        shop = self._shop = self._shop or self._open()
        try:
            quotes = [shop.offer() for _ in range(QUOTES)]
            self._play(shop, list(quotes), draw(seed))
            wait_until(lambda: self._is_whole(shop), WHOLE_WITHIN, f"everything done after seed {seed}")
            shop.check(quotes)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """The shop is closed; the next run opens another one."""
        if self._shop is not None:
            self._shop.end()
            self._shop = None

    def _open(self) -> Shop:
        name, databases = f"town_{uuid4().hex[:8]}", self._postgres.databases
        databases.create_database(name, template="template")
        shop = open_shop(build_plant(databases, name, self._temporal, self._folders.mktemp("town")))
        shop.start_web()
        shop.plant.start_ready_worker()
        shop.wait_for_web()
        return shop

    def _play(self, shop: Shop, quotes: list[Quote], steps: list[tuple[float, str, str]]) -> None:
        began, accepted, down = time.monotonic(), [], set()
        with ThreadPoolExecutor(QUOTES) as customers:
            try:
                for at, what, victim in steps:
                    time.sleep(max(0.0, began + at - time.monotonic()))
                    if what == "accept":
                        accepted.append(customers.submit(shop.accept_surely, quotes.pop()))
                    elif what == "kill":
                        self._kill(shop, victim)
                        down.add(victim)
                    else:
                        self._start(shop, victim)
                        down.remove(victim)
            finally:
                # Also where a step has failed: the next run needs the servers.
                for victim in down:
                    self._start(shop, victim)
            for one in accepted:
                one.result()

    def _kill(self, shop: Shop, victim: str) -> None:
        if victim == "worker":
            shop.plant.workers[-1].kill()
            shop.plant.workers.pop().wait(20)
        elif victim == "web":
            shop.kill_web()
        else:
            self._server(shop, victim).kill()

    def _start(self, shop: Shop, victim: str) -> None:
        if victim == "worker":
            shop.plant.start_worker()
        elif victim == "web":
            shop.start_web()
        else:
            self._server(shop, victim).start()

    def _server(self, shop: Shop, victim: str) -> Any:
        return {"temporal": self._temporal, "postgres": self._postgres, "standin": shop.standin}[victim]

    def _is_whole(self, shop: Shop) -> bool:
        # What gave up meanwhile is started again, as whoever runs the product does.
        if shop.plant.workers[-1].poll() is not None:
            shop.plant.start_worker()
        if shop.web.poll() is not None:
            shop.start_web()
        return shop.is_whole()


def asked_for(request: pytest.FixtureRequest, name: str) -> list[Any]:
    """The values of a parameter of this file's tests that are to be run."""
    items = [item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function)]
    return [item.callspec.params[name] for item in items if name in item.callspec.params]


@pytest.fixture(scope="module")
def kills(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[int, Future[None]]]:
    """The runs of the seeds, one after the other on servers of their own."""
    seeds = asked_for(request, "seed")
    if not seeds:
        yield {}
        return
    with RestartablePostgres.running() as postgres, RestartableTemporal.running() as temporal:
        postgres.databases.create_database("template")
        migrate(postgres.databases.owner_url("template"))
        town = Town(postgres, temporal, tmp_path_factory)
        pool = ThreadPoolExecutor(1)
        try:
            yield {seed: pool.submit(town.run, seed) for seed in seeds}
        finally:
            pool.shutdown(cancel_futures=True)
            town.end()


@pytest.fixture(scope="module")
def deaths(request: pytest.FixtureRequest, new_plant: Any) -> Iterator[dict[str, Future[None]]]:
    """Every point in a world of its own, some at a time."""
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    try:
        yield {point: pool.submit(die_and_come_back, new_plant(), point) for point in asked_for(request, "point")}
    finally:
        pool.shutdown(cancel_futures=True)


# `kills` is asked for so that its runs go on beside.
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.usefixtures("kills")
def test_a_process_killed_at(deaths: Any, point: str) -> None:
    deaths[point].result()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_process_killed_at_moments_of_a_seed(kills: Any, seed: int) -> None:
    print(f"PORTAL_CRASH_SEED={seed} PORTAL_CRASH_RUNS=1: {draw(seed)}")  # noqa: T201 - to have the same once more
    kills[seed].result()
