"""Gets the Temporal command-line program, which holds the development server: four ways, the cheapest first."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runner.errors import SetupError
from runner.layout import cache_home
from runner.temporal.downloads import download, scratch

# The newest version that `go install` accepts: later ones carry a `replace` in their module file.
VERSION = "1.5.1"
MODULE = "github.com/temporalio/cli/cmd/temporal"
NO_WAY = (
    "No Temporal server could be had: put the `temporal` command-line program on PATH, or set PORTAL_TEMPORAL_ADDRESS "
    "to a running server, or allow the download of it, or install Go 1.25 or newer so that it can be built."
)

Say = Callable[[str], None]


def quiet(_text: str) -> None:
    """Says nothing."""


def clean_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without TEMPORAL_… variables, which would turn our calls to another server."""
    return {name: value for name, value in environ.items() if not name.startswith("TEMPORAL_")}


def cached_path(environ: Mapping[str, str]) -> Path:
    """Where the program lies once it was fetched or built for this machine."""
    return cache_home(environ) / f"temporal-{VERSION}" / "temporal"


def find_server(
    environ: Mapping[str, str] = os.environ, *, python: str | Path = sys.executable, say: Say = quiet
) -> Path:
    """The program, from PATH, the cache, the SDK's download or a build through Go; SetupError names the ways.

    A build takes about three minutes and `say` is told before; two callers at once do the work once.
    """
    on_path = shutil.which("temporal", path=environ.get("PATH"))
    if on_path and answers(Path(on_path), environ):
        return Path(on_path)
    target = cached_path(environ)
    if answers(target, environ):
        return target
    with alone(target.parent):
        if answers(target, environ):
            return target
        if download("start_local", f"v{VERSION}", target, python=python, environ=environ) and answers(target, environ):
            return target
        return _build(target, environ, say)


def answers(program: Path, environ: Mapping[str, str]) -> bool:
    """Whether the file is a program that runs here and knows its version."""
    try:
        words = [str(program), "--version"]
        subprocess.run(words, env=clean_environ(environ), capture_output=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: whoever comes second waits and then finds the work done."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(target: Path, environ: Mapping[str, str], say: Say) -> Path:
    go = shutil.which("go", path=environ.get("PATH"))
    if not go:
        raise SetupError(NO_WAY)
    say(f"Building the Temporal server {VERSION} with Go: once for this machine, about three minutes.")
    with scratch(target) as folder:
        words = [go, "install", "-trimpath", "-ldflags=-s -w", f"{MODULE}@v{VERSION}"]
        given = {**environ, "GOBIN": str(folder)}
        done = subprocess.run(words, env=given, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SetupError(f"{NO_WAY} Go said: {done.stderr.strip()[-500:]}")
        (folder / "temporal").replace(target)
    return target
