"""Servers that can be killed and brought back on what they have written: Temporal and PostgreSQL."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner.ports import choose_port
from runner.postgres import Cluster, TemporaryServer, roles
from runner.postgres.programs import clean_environ as without_postgres
from runner.processes import start_child
from runner.temporal import DevServer, find_server
from runner.temporal.binary import clean_environ
from runner.temporal.server import PORT_NAMES

START_SECONDS = 180
# A killed process loses nothing that was handed to the system, so nothing has to reach the disk; the rest is as usual.
SETTINGS = ("fsync=off", "autovacuum=off")


class RestartableTemporal:
    """Its process, and the words that start it."""

    def __init__(self, server: Any, folder: Path) -> None:
        self._server, self._folder = server, folder
        self._process: Any = None

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["RestartableTemporal"]:
        """A running server whose file lives as long as the block."""
        ports: dict[str, int] = {}
        for name in PORT_NAMES:
            ports[name] = choose_port(ports.values())
        with tempfile.TemporaryDirectory(prefix="portico-crash-") as folder:
            server = cls(DevServer(find_server(), ports, Path(folder) / "temporal.db"), Path(folder))
            server.start()
            try:
                yield server
            finally:
                server.kill()

    @property
    def address(self) -> str:
        """host:port."""
        return str(self._server.address)

    def start(self) -> None:
        """Start on the file and wait until it takes calls."""
        self._process = start_child(
            self._server.command(),
            log=self._folder / "temporal.log",
            environ=clean_environ(os.environ),
            orphan_signal=signal.SIGKILL,
            cwd=self._folder,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._server.is_ready():
            assert time.monotonic() < deadline, "the Temporal server does not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def create_namespace(self, name: str) -> None:
        """A namespace that a worker can use at once."""
        words = [str(self._server.program), "operator", "namespace"]
        options = ["-n", name, "--address", self.address]
        subprocess.run([*words, "create", *options], check=True, capture_output=True, env=clean_environ(os.environ))
        time.sleep(0.2)


class RestartablePostgres:
    """A cluster of its own that keeps what was committed when it is killed, as `start_temporary`'s need not."""

    def __init__(self, folder: Path) -> None:
        # The user nobody, where it has to step in, must be able to pass; everything below is private.
        folder.chmod(0o711)
        run = folder / "run"
        run.mkdir(mode=0o711)
        self._cluster = Cluster.open(folder / "data", run, settings=SETTINGS)
        self._log = folder / "postgres.log"
        self._process: Any = None

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["RestartablePostgres"]:
        """A running server with the roles, whose data live as long as the block."""
        with tempfile.TemporaryDirectory(prefix="portico-crash-pg-") as folder:
            server = cls(Path(folder))
            server.start()
            try:
                server._cluster.execute(roles.roles_script(server._cluster.passwords))
                server._cluster.execute(roles.extensions_script(), database="template1")
                yield server
            finally:
                server._process.send_signal(signal.SIGQUIT)
                server._process.wait(30)
                server._cluster.remove_sockets()

    @property
    def databases(self) -> TemporaryServer:
        """Makes databases and knows their addresses."""
        return TemporaryServer(self._cluster, self._process.pid)

    def start(self) -> None:
        """Start on the data and wait until it takes connections; again where children of a killed one still end."""
        deadline = time.monotonic() + START_SECONDS
        while self._process is None or self._process.poll() is not None or not self._cluster.is_ready():
            assert time.monotonic() < deadline, self._log.read_text()[-3000:]
            if self._process is None or self._process.poll() is not None:
                self._cluster.clear_stale_locks()
                self._process = start_child(
                    self._cluster.command(),
                    log=self._log,
                    environ=without_postgres(),
                    orphan_signal=signal.SIGQUIT,
                    **self._cluster.disguise.keywords(),
                )
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut would; its children notice and end by themselves."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
