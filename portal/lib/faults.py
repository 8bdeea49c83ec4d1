"""Named crash points: the process kills itself there when a crash test asks for it.

`PORTAL_FAULT=<point>[:n]` arms one point; the n-th pass dies by SIGKILL, so that nothing is
flushed or rolled back politely. Settings refuse the variable in production.
"""

import os
import signal
from collections import Counter

_passes: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Die here if `name` is armed and this is the chosen pass (the first, unless said)."""
    if not is_armed(name):
        return
    _passes[name] += 1
    _, _, nth = os.environ["PORTAL_FAULT"].partition(":")
    if _passes[name] == int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)


def is_armed(name: str) -> bool:
    """Whether `name` is the armed point; for points that are reached only once something was set up for them."""
    return os.environ.get("PORTAL_FAULT", "").partition(":")[0] == name
