"""A Temporal server that can be killed and brought back on its own file."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner.processes import start_child
from runner.temporal.binary import clean_environ


class RestartableTemporal:
    """Its process, and the words that start it."""

    def __init__(self, server: Any, folder: Path) -> None:
        self._server, self._folder = server, folder
        self._process: Any = None

    @classmethod
    @contextmanager
    def running(cls, build: Callable[[Path], Any]) -> Iterator["RestartableTemporal"]:
        """A running server whose file lives as long as the block."""
        with tempfile.TemporaryDirectory(prefix="portico-crash-") as folder:
            server = cls(build(Path(folder)), Path(folder))
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
        deadline = time.monotonic() + 180
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
