"""A real IMAP server on loopback, in a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from imapclient import IMAPClient

USER, PASSWORD = "support", "a mailbox's password"


@dataclass(frozen=True)
class ImapServer:
    """Where it listens; without TLS, which only tests may use."""

    port: int

    @contextmanager
    def client(self) -> Iterator[IMAPClient]:
        """Somebody at the mailbox, as people are with their mail programs."""
        with IMAPClient("127.0.0.1", self.port, ssl=False) as client:
            client.login(USER, PASSWORD)
            yield client

    def put(self, *messages: bytes, folder: str = "INBOX") -> None:
        """Deliver messages into a folder."""
        with self.client() as client:
            for message in messages:
                client.append(folder, message)

    def make(self, folder: str) -> None:
        """Make a folder."""
        with self.client() as client:
            client.create_folder(folder)

    def unread(self, folder: str = "INBOX") -> int:
        """How many messages nobody has read."""
        with self.client() as client:
            client.select_folder(folder, readonly=True)
            return len(client.search("UNSEEN"))

    def count(self, folder: str = "INBOX") -> int:
        """How many messages there are."""
        with self.client() as client:
            return int(client.select_folder(folder, readonly=True)[b"EXISTS"])


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """A server with one empty mailbox."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    child = subprocess.Popen(
        [sys.executable, "-c", "from pymap.main import main; main()", "--host", "127.0.0.1", "--port", str(port), "--no-tls", "--no-service", "admin",
         "dict", "--demo-user", USER, "--demo-password", PASSWORD],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(port, child)
        yield ImapServer(port)
    finally:
        child.terminate()
        child.wait(10)


def _wait_for(port: int, child: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert child.poll() is None, "the IMAP server ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the IMAP server does not answer")
