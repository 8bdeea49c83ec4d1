"""A page's line to the server, spoken by hand: Engine.IO 4 over one WebSocket."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from simple_websocket import Client, ConnectionClosed


class _Named(Client):
    """A client that reaches any host name at 127.0.0.1."""

    def __init__(self, host: str, port: int, headers: dict[str, str]) -> None:
        self._named = f"{host}:{port}"
        super().__init__(f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket", headers=headers)

    def handshake(self) -> None:
        """Ask under the name that is wanted."""
        self.host = self._named
        super().handshake()
        # What came in one piece with the answer would else lie there until the server's next ping.
        self._handle_events()


@dataclass
class Line:
    """An open (or refused) Socket.IO connection."""

    socket: Client
    refused: str | None = None
    closed: bool = False
    told: list[tuple[str, Any]] = field(default_factory=list)

    def listen(self, seconds: float, until: str | None = None) -> list[tuple[str, Any]]:
        """What the server says within a time, at the most until the named event."""
        end = time.monotonic() + seconds
        heard: list[tuple[str, Any]] = []
        while not self.closed and (rest := end - time.monotonic()) > 0:
            try:
                packet = self.socket.receive(timeout=rest)
            except ConnectionClosed:
                self.closed = True
                break
            if packet is None:
                break
            if packet == "2":
                self.socket.send("3")
            elif packet.startswith("41") or packet == "1":
                self.closed = True
            elif packet.startswith("42"):
                name, *details = json.loads(packet[2:])
                heard.append((name, details[0] if details else None))
                if name == until:
                    break
        self.told += heard
        return heard

    def say(self, name: str, *details: Any) -> None:
        """Send an event."""
        self.socket.send(f"42{json.dumps([name, *details])}")

    def close(self) -> None:
        """Hang up."""
        if not self.closed:
            self.socket.close()


def open_line(
    port: int,
    cookie: str | None,
    *,
    host: str = "127.0.0.1",
    origin: str | None = "same",
    door: str | None = None,
    **headers: str,
) -> Line:
    """Connect as a browser would; `origin` None leaves the header out."""
    sent = dict(headers)
    if cookie:
        sent["Cookie"] = cookie
    if origin:
        sent["Origin"] = f"http://{host}:{port}" if origin == "same" else origin
    socket = _Named(host, port, sent)
    assert socket.receive(timeout=20).startswith("0{")
    socket.send("40" + (json.dumps({"door": door}) if door else ""))
    answer = socket.receive(timeout=20)
    while answer == "2":
        # On a busy machine the first ping may come before the welcome.
        socket.send("3")
        answer = socket.receive(timeout=20)
    if answer.startswith("44"):
        return Line(socket, refused=json.loads(answer[2:])["message"])
    assert answer.startswith("40{"), answer
    return Line(socket)
