"""What the next requests of the API meet: failures, lost answers, waiting. Forgotten with the process."""

import socket
import threading
from dataclasses import dataclass, field

from flask import Response, request

from stripe_standin.errors import Body

LONGEST_HOLD = 10.0


@dataclass
class Faults:
    """Waiting faults, each `{"count": n, "path": prefix}`."""

    failing: list[Body] = field(default_factory=list)
    losing: list[Body] = field(default_factory=list)
    held: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._open.set()

    def take(self, waiting: list[Body]) -> Body | None:
        """The fault that this request meets, used up."""
        with self._lock:
            for fault in waiting:
                if request.path.startswith(fault.get("path", "/v1")):
                    fault["count"] -= 1
                    if fault["count"] <= 0:
                        waiting.remove(fault)
                    return fault
        return None

    def lose(self, response: Response) -> Response:
        """Cut the connection where this answer shall be lost: the work is done, and nobody hears of it."""
        if self.take(self.losing):
            connection: socket.socket = request.environ["werkzeug.socket"]
            connection.shutdown(socket.SHUT_RDWR)
        return response

    def hold(self, *, on: bool) -> None:
        """Keep requests that have a key waiting, the key taken; or let them go on."""
        if on:
            self._open.clear()
        else:
            self._open.set()

    def wait(self) -> None:
        """Wait while requests are held."""
        if self._open.is_set():
            return
        with self._lock:
            self.held += 1
        self._open.wait(LONGEST_HOLD)
        with self._lock:
            self.held -= 1

    def clear(self) -> None:
        """None of it any more."""
        with self._lock:
            self.failing.clear()
            self.losing.clear()
        self._open.set()
