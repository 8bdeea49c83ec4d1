"""Runs the Temporal development server: the flags, its namespace, and a short-lived one for tests."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.errors import SetupError
from runner.ports import LOOPBACK, choose_port
from runner.processes import signal_group, start_child, tail
from runner.temporal.binary import clean_environ, find_server

NAMESPACE = "portico"
# An id is refused as a duplicate only as long as its closed run is kept; beyond that our rows are the truth.
RETENTION = "720h"
PORT_NAMES = ("temporal", "temporal_http", "temporal_metrics", "temporal_ui")
START_SECONDS = 60
# Measured: one partition and eager activities make four times as many short workflows a second.
DYNAMIC = (
    "system.enableActivityEagerExecution=true",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)


@dataclass(frozen=True)
class DevServer:
    """A development server on the loopback interface: its program and its ports."""

    program: Path
    ports: Mapping[str, int]
    database: Path | None = None
    ui: bool = False

    @property
    def address(self) -> str:
        """Where clients and workers connect: `host:port`."""
        return f"{LOOPBACK}:{self.ports['temporal']}"

    @property
    def ui_address(self) -> str:
        """Where Temporal's own pages are, when they were asked for."""
        return f"http://{LOOPBACK}:{self.ports['temporal_ui']}"

    def command(self) -> list[str]:
        """The words that start the server in the foreground; without a database it keeps all in memory."""
        words = [str(self.program), "server", "start-dev", "--ip", LOOPBACK, "--log-level", "error"]
        # Made at the start, the namespace is there with the first call; made later, it is unknown for seconds.
        words += ["--namespace", NAMESPACE]
        words += ["--port", str(self.ports["temporal"]), "--http-port", str(self.ports["temporal_http"])]
        words += ["--metrics-port", str(self.ports["temporal_metrics"]), "--ui-port", str(self.ports["temporal_ui"])]
        words += [word for value in DYNAMIC for word in ("--dynamic-config-value", value)]
        if not self.ui:
            words.append("--headless")
        if self.database:
            words += ["--db-filename", str(self.database)]
            words += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=full"]
        return words

    def is_ready(self) -> bool:
        """Whether the server takes calls now."""
        return self._operate("cluster", "health").returncode == 0

    def set_retention(self) -> None:
        """Have the namespace keep closed runs for our time; the server makes it with one day. Safe to repeat."""
        done = self._operate("namespace", "update", "-n", NAMESPACE, "--retention", RETENTION)
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise SetupError(f"The Temporal namespace {NAMESPACE} is not usable: {said}")

    def _operate(self, *words: str) -> "subprocess.CompletedProcess[str]":
        given = [str(self.program), "operator", *words, "--address", self.address]
        environ = clean_environ(os.environ)
        try:
            return subprocess.run(given, env=environ, capture_output=True, text=True, timeout=20, check=False)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(given, 1, "", "no answer within 20 s")


@contextmanager
def start_dev_server(*, python: str | Path = sys.executable) -> Iterator[str]:
    """A server in memory for tests, with the namespace `portico`; gives its address (`host:port`).

    Gone afterwards, also when this process is killed.
    """
    ports: dict[str, int] = {}
    for name in PORT_NAMES:
        ports[name] = choose_port(ports.values())
    server = DevServer(find_server(python=python), ports)
    with tempfile.TemporaryDirectory(prefix="portico-temporal-") as folder:
        log = Path(folder) / "temporal.log"
        environ = clean_environ(os.environ)
        process = start_child(server.command(), log=log, environ=environ, orphan_signal=signal.SIGKILL, cwd=folder)
        try:
            _await_ready(server, process, log)
            yield server.address
        finally:
            signal_group(process.pid, signal.SIGKILL)
            process.wait(30)


def _await_ready(server: DevServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SetupError(f"The Temporal server for the tests did not start:\n{tail(log)}")
        time.sleep(0.05)
    server.set_retention()
