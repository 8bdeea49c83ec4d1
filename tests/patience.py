"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(ask: Callable[[], Found | None], seconds: float = 60) -> Found:
    """The first answer of `ask` that is something, asked every 20 ms."""
    deadline = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found
