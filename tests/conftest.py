"""The test world: a real PostgreSQL, a migrated template, a copy per worker, a transaction per test."""

import gc
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from flask import g, has_request_context
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.pool import NullPool
from xdist.scheduler import LoadScopeScheduling

from portal.authz import Actor
from portal.config import ROOT, Settings
from portal.models.session import TenantSession, TenantSessions, build_engine, normalise_url
from portal.services.accounts.passwords import Passwords
from tests.world import PASSWORD, World, build_world

# The cheapest hash that is still argon2id: tests sign in hundreds of times.
CHEAP = Passwords(time_cost=1, memory_kib=8)


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL of this session with the migrated database `template`."""
    from runner.postgres import start_temporary

    with start_temporary() as server:
        server.create_database("template")
        migrate(server.owner_url("template"))
        yield server


def migrate(url: str) -> None:
    """Bring a database up to the newest migration."""
    os.environ["PORTAL_MIGRATION_URL"] = url
    try:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "migrations"))
        command.upgrade(config, "head")
    finally:
        del os.environ["PORTAL_MIGRATION_URL"]


@pytest.fixture(scope="session")
def new_database(database: Any) -> Callable[[str], str]:
    """Make an own database (by name) with the small world in it, for tests that need real commits."""
    lock = threading.Lock()

    def make(name: str) -> str:
        with lock:
            database.create_database(name, template="template")
        return name

    return make


@pytest.fixture(scope="session")
def settings(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the session's database `main`."""
    database.create_database("main", template="template")
    return settings_for(database, "main", tmp_path_factory.mktemp("data"))


def settings_for(database: Any, name: str, data_dir: Path) -> Settings:
    """Settings of any database of the test server."""
    return Settings(
        environment="test",
        secret_key="a secret for the tests, long enough to be one",
        database_url=database.app_url(name),
        owner_database_url=database.owner_url(name),
        relay_database_url=database.relay_url(name),
        data_dir=data_dir,
        base_url="http://127.0.0.1:8000",
        password_time_cost=CHEAP.time_cost,
        password_memory_kib=CHEAP.memory_kib,
        demo_password=PASSWORD,
        pool_size=5,
    )


class Renewal:
    """Puts the session's database back to the small world, and what remembers it: a file that used it leaves nothing."""

    def __init__(self) -> None:
        self.is_due = False
        self.steps: list[Callable[[], None]] = []

    def run(self) -> None:
        """The newest step first: caches forget and pools let go before the database is made again."""
        if self.is_due:
            for step in reversed(self.steps):
                step()
        self.is_due = False


@pytest.fixture(scope="session")
def renewal() -> Renewal:
    """What is to be done between two files."""
    return Renewal()


@pytest.fixture(scope="module", autouse=True)
def _begin_anew(renewal: Renewal) -> Iterator[None]:
    """Each file meets the small world alone: what the tests of others committed fills none of its lists."""
    yield
    renewal.run()


@pytest.fixture(scope="session")
def world(database: Any, settings: Settings, renewal: Renewal) -> World:
    """Two tenants with their people: alice, bob (Acme), charlie (Globex), sam, mia, …; nia and noor elsewhere."""
    # Made where nobody else ever is: a database that somebody is in cannot be copied.
    database.create_database("beginning", template="template")
    engine = create_engine(normalise_url(database.owner_url("beginning")), poolclass=NullPool)
    world = build_world(engine, CHEAP, now=datetime.now(UTC))
    engine.dispose()

    def renew() -> None:
        database.drop_database("main")
        database.create_database("main", template="beginning")
        shutil.rmtree(settings.data_dir)
        settings.data_dir.mkdir()

    renew()
    renewal.steps.append(renew)
    return world


@pytest.fixture(scope="session")
def engine(settings: Settings, world: World, renewal: Renewal) -> Iterator[Engine]:
    """The application's engine (role without ownership)."""
    engine = build_engine(settings.database_url, pool_size=5)
    renewal.steps.append(engine.dispose)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine, world: World) -> Iterator[TenantSession]:
    """A session of tenant `demo` whose commits are savepoints of a transaction that is rolled back."""
    with engine.connect() as connection:
        outer = connection.begin()
        with TenantSession(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            session.use_tenant(world.demo)
            yield session
        outer.rollback()


@pytest.fixture
def sessions(engine: Engine) -> TenantSessions:
    """Real transactions, for races; what they write stays until the test session ends."""
    return TenantSessions(engine)


@pytest.fixture
def now() -> datetime:
    """The instant of the test: a working Tuesday morning, aware, whole seconds."""
    return datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def app(settings: Settings, world: World, renewal: Renewal) -> Any:
    """The application on the session's database."""
    from portal.app import create_app

    app = create_app(settings)
    app.config["TESTING"] = False
    app.config["RATELIMIT_ENABLED"] = True
    _allow_one_connection_each(app.extensions["portal_engine"])
    renewal.steps += [app.extensions["portal_engine"].dispose, app.extensions["portal_tenants"].forget]
    return app


def _allow_one_connection_each(engine: Engine) -> None:
    """Fail a request that takes a second connection while it holds one: a process has few, and could wait for itself."""

    @event.listens_for(engine, "checkout")
    def take(connection: Any, record: Any, proxy: Any) -> None:
        if has_request_context():
            held = g.get("held_connection")
            # One that was lost, or given back, is valid no more.
            assert held is None or not held.is_valid, "this request holds a connection"
            g.held_connection = proxy


@pytest.fixture(autouse=True)
def _forget_limits(request: pytest.FixtureRequest, renewal: Renewal) -> None:
    """Rate limits and locks of one test do not reach the next."""
    renewal.is_due |= "world" in request.fixturenames
    if "app" in request.fixturenames:
        from portal.extensions import limiter

        request.getfixturevalue("app")
        limiter.reset()
        with request.getfixturevalue("root").begin() as connection:
            connection.execute(text("DELETE FROM sign_in_locks"))


@pytest.fixture(scope="session")
def root(database: Any, world: World, renewal: Renewal) -> Iterator[Engine]:
    """The session's database without row-level security, to tidy up."""
    engine = create_engine(normalise_url(database.superuser_url("main")))
    renewal.steps.append(engine.dispose)
    yield engine
    engine.dispose()


@pytest.fixture
def letters(app: Any, world: World) -> Any:
    """The letterbox of everybody who was written to."""
    from tests.invited import Letterbox

    return Letterbox(app, world)


@pytest.fixture
def actor_of(world: World) -> Callable[[str], Actor]:
    """The actor of a person of the world, by first name."""
    return lambda name: world.people[name].actor


@pytest.fixture
def statements(engine: Engine) -> Iterator[list[str]]:
    """Every SQL statement that any engine runs during the test."""
    from sqlalchemy import event

    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


# Rules first, on a database nobody has written to; then what commits; the browser last.
ORDER = ("lib", "architecture", "demo", "models", "services", "integrations", "live", "", "admin", "blueprints", "sso",
         "stripe_contract", "runner", "workflows", "crash", "browser")  # fmt: skip
# These mostly wait, for servers, workers and the browser; all others compute.
WAITING = frozenset({"stripe_contract", "runner", "workflows", "crash", "browser"})
# Files whose every test is as long as a file of others, and needs nothing of the one before.
LONG = frozenset({"tests/blueprints/test_api_fuzz.py"})


def pytest_collection_finish() -> None:
    """What was imported and collected stays for the whole session: the collector need not look through it."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the folders in the order above, each as it was collected; side by side, what takes longest comes first."""
    root, beside = Path(__file__).parent, hasattr(config, "workerinput")

    def place(item: pytest.Item) -> tuple[int, int]:
        folder = _folder(str(item.path.relative_to(root)))
        late = 0 if folder == "browser" else 1 if folder in WAITING else 2
        return late if beside else 0, ORDER.index(folder)

    items.sort(key=place)


class SideBySide(LoadScopeScheduling):
    """One process takes the browser, one all else that waits, so that no two kill servers at a time; the rest by files.

    Groups of our own, since pytest 9.2 no longer reads the names that `--dist=loadgroup` writes (xdist 3.8).
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::")[0]
        folder = _folder(path.removeprefix("tests/"))
        by_file = nodeid if path in LONG else path
        return folder if folder == "browser" else "waiting" if folder in WAITING else by_file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SideBySide:
    """Hook of xdist: how tests are given to the processes."""
    return SideBySide(config, log)


def _folder(path: str) -> str:
    return path.split("/")[0] if "/" in path else ""
