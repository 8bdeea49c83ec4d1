"""Facts about processes and the ways to end them that every part of the runner shares."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
_PRCTL = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def die_with_parent(number: int) -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel sends the child signal `number` when this process is gone, however it went.

    None where the system cannot do that. The wish belongs to the thread that starts the child: start it from
    one that lives as long as the child shall.
    """
    if _PRCTL is None:
        return None
    parent = os.getpid()

    def ask() -> None:
        _PRCTL(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def start_child(
    words: Sequence[str], *, log: Path, environ: Mapping[str, str], orphan_signal: int, **keywords: Any
) -> "subprocess.Popen[bytes]":
    """Start a server in a session of its own with its output in `log`; it gets `orphan_signal` when we are killed."""
    with log.open("wb") as output:
        return subprocess.Popen(
            words,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            # Two system calls and no lock of Python's: harmless between fork and exec, threads or not.
            preexec_fn=die_with_parent(orphan_signal),
            **keywords,
        )


def die_with_make() -> None:
    """End by SIGTERM when the `make` that called us is killed, so that its children do not outlive it."""
    if _PRCTL is not None and "MAKELEVEL" in os.environ:
        _PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)


def started_at(pid: int) -> str | None:
    """A mark that tells this process from a later one with the same number; None when it runs no more."""
    if not Path("/proc/self/stat").exists():
        shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return shown.stdout.strip() or None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def program_of(pid: int) -> str:
    """The name of the program that a process runs; empty when it is gone or may not be known."""
    try:
        return Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")
    except OSError:
        return ""


def signal_group(pid: int, number: int) -> None:
    """Send a signal to the process group that `pid` leads; nothing happens when it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def end_stranger(pid: int, mark: str, number: int, *, grace: float) -> None:
    """End a process that is not our child: by `number`, after `grace` seconds by SIGKILL, it and its group."""
    deadline = time.monotonic() + grace
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    while started_at(pid) == mark:
        if time.monotonic() > deadline:
            signal_group(pid, signal.SIGKILL)
            deadline = time.monotonic() + grace
        time.sleep(0.02)
    signal_group(pid, signal.SIGKILL)


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log, indented, for a message."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines()[-lines:])


def open_log(path: Path, cap_bytes: int = 10 * 1024 * 1024) -> int:
    """A descriptor that appends to `path`; the old content moves to `<path>.1` once it has passed `cap_bytes`."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > cap_bytes:
            path.replace(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
