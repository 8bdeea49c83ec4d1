"""What a server's processes hold in memory, as the kernel counts it."""

import re
from pathlib import Path

_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def processes_of(pid: int) -> list[int]:
    """The process and its children, which for gunicorn are the workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def memory_mb(pid: int) -> float:
    """Megabytes of a process; what it shares with others counts in parts (PSS)."""
    found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    return int(found[1]) / 1024 if found else 0.0


def server_mb(pid: int) -> list[float]:
    """Megabytes of the server's processes, the one that was started first."""
    return [memory_mb(process) for process in processes_of(pid)]
