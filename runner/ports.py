"""Ports on the loopback interface: chosen free once, remembered, chosen again only when taken."""

import json
import random
import socket
from collections.abc import Iterable
from pathlib import Path

from runner.errors import SetupError
from runner.layout import write_private

LOOPBACK = "127.0.0.1"
# Below the range from which systems take ports for outgoing connections: nothing can slip onto a port of
# ours in the moment a server is being restarted.
RANGE = range(20000, 32000)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose_port(taken: Iterable[int] = ()) -> int:
    """A free port that is none of `taken`; SetupError when a few hundred tries find none."""
    refused = set(taken)
    for _ in range(500):
        port = random.choice(RANGE)
        if port not in refused and is_free(port):
            return port
    raise SetupError(f"No free port was found between {RANGE.start} and {RANGE.stop} on {LOOPBACK}.")


def remember_ports(path: Path, names: Iterable[str]) -> dict[str, int]:
    """A port for each name: the one written in `path` where it is still free, else a new one, written down."""
    try:
        known = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        known = {}
    chosen: dict[str, int] = {}
    for name in names:
        port = known.get(name)
        if not isinstance(port, int) or port in chosen.values() or not is_free(port):
            port = choose_port(chosen.values())
        chosen[name] = port
    if chosen != known:
        write_private(path, json.dumps(chosen, indent=1) + "\n")
    return chosen


def require_free(port: int) -> None:
    """Raise SetupError, with what to do, when the address people shall open is taken."""
    if is_free(port):
        return
    hint = "choose another one" if port > 1024 else "ports up to 1024 may also need root; choose a higher one"
    raise SetupError(f"Port {port} on {LOOPBACK} is taken: {hint}, for example `make run PORT={choose_port()}`.")
