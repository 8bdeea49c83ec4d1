"""Heartbeats of activities that may take long: being slow is no death, and a death is noticed within seconds."""

import contextvars
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from temporalio import activity

EVERY_SECONDS = 1.0
# What workflows give such activities as `heartbeat_timeout`; then somebody else does the work.
DEAD_AFTER = timedelta(seconds=5)


@contextmanager
def heartbeats() -> Iterator[None]:
    """Say every second that this activity lives, for as long as the block lasts."""
    ended = threading.Event()
    context = contextvars.copy_context()

    def beat() -> None:
        while not ended.wait(EVERY_SECONDS):
            context.run(activity.heartbeat)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
