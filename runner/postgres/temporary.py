"""A throw-away PostgreSQL server for tests: fast, not durable, with the same roles as the real one."""

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.errors import SetupError
from runner.postgres import roles
from runner.postgres.cluster import Cluster
from runner.postgres.programs import clean_environ
from runner.processes import start_child, tail

UNSAFE_AND_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
START_SECONDS = 60


@dataclass(frozen=True)
class TemporaryServer:
    """A running server; every database of it knows the four roles and the extensions."""

    cluster: Cluster
    pid: int

    def create_database(self, name: str, template: str | None = None) -> None:
        """Make a database owned by the owner role, as a copy of `template` when one is named (nobody may be in it)."""
        source = f" TEMPLATE {template}" if template else ""
        self.cluster.execute(f"CREATE DATABASE {name} OWNER {roles.OWNER}{source};")
        self.cluster.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {roles.APP}, {roles.RELAY};")

    def drop_database(self, name: str) -> None:
        """Remove a database and throw out whoever is in it."""
        self.cluster.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE);")

    def superuser_url(self, database: str = "postgres") -> str:
        """The address under the role that may do everything."""
        return self.cluster.url(roles.SUPERUSER, database)

    def owner_url(self, database: str) -> str:
        """The address under the role that owns the tables."""
        return self.cluster.url(roles.OWNER, database)

    def app_url(self, database: str) -> str:
        """The address under the role of web and worker."""
        return self.cluster.url(roles.APP, database)

    def relay_url(self, database: str) -> str:
        """The address under the role that reads the outbox of all tenants."""
        return self.cluster.url(roles.RELAY, database)


@contextmanager
def start_temporary(settings: tuple[str, ...] = ()) -> Iterator[TemporaryServer]:
    """A fresh cluster in a temporary folder, gone with all its data afterwards, also when this process is killed.

    `settings` are further `name=value` pairs for the server. Takes about a second.
    """
    folder = Path(tempfile.mkdtemp(prefix="portico-pg-"))
    try:
        # The user nobody, where it has to step in, must be able to pass; everything below is private.
        folder.chmod(0o711)
        run = folder / "run"
        run.mkdir(mode=0o711)
        cluster = Cluster.open(folder / "data", run, settings=(*UNSAFE_AND_FAST, *settings))
        with _serving(cluster, folder / "postgres.log") as pid:
            cluster.execute(roles.roles_script(cluster.passwords))
            cluster.execute(roles.extensions_script(), database="template1")
            yield TemporaryServer(cluster, pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _serving(cluster: Cluster, log: Path) -> Iterator[int]:
    keywords = cluster.disguise.keywords()
    server = start_child(cluster.command(), log=log, environ=clean_environ(), orphan_signal=signal.SIGQUIT, **keywords)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not cluster.is_ready():
            if server.poll() is not None or time.monotonic() > deadline:
                raise SetupError(f"The temporary PostgreSQL server did not start:\n{tail(log)}")
            time.sleep(0.02)
        yield server.pid
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(30)
        cluster.remove_sockets()
