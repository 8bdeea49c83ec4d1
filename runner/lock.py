"""One runner per data folder: a lock that the system itself lets go when the runner is gone."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from runner.errors import SetupError
from runner.layout import Layout


@contextmanager
def hold(layout: Layout) -> Iterator[None]:
    """Hold the data folder; SetupError, naming who has it, when another runner does."""
    with (layout.run / "runner.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "another process"
            advice = "stop it first, or set another PORTAL_DATA_DIR and PORT"
            raise SetupError(f"Portico already runs on {layout.data} ({holder}): {advice}.") from error
        file.truncate(0)
        file.write(f"pid {os.getpid()}, {layout.address}")
        file.flush()
        yield
