"""The commands: `run` for people, `test`, `lint` and `bench` for developers, the finders for tests and scripts."""

import asyncio
import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from runner.environment import Environment
from runner.errors import SetupError
from runner.layout import ROOT, Layout, keep_bytecode
from runner.processes import die_with_make
from runner.progress import Progress
from runner.run import Run
from runner.temporal.binary import find_server
from runner.temporal.time_skipping import find_test_server

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# One waits most of the time; `tests/conftest.py` says what runs in which. A choice of tests runs in one process.
SIDE_BY_SIDE = ("--numprocesses=3", "--dist=loadscope", "--no-loadscope-reorder")
NOT_BROWSER_NOT_TEMPORAL = "not browser and not temporal"


def main(words: list[str] | None = None) -> int:
    """Run one command; the exit code. What is in the way is told in one sentence, without a traceback."""
    name, *rest = words or sys.argv[1:] or ["help"]
    command = COMMANDS.get(name)
    if not command:
        print(f"Commands: {', '.join(COMMANDS)}. `make help` explains them.", file=sys.stderr)
        return 2
    try:
        return command(rest)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"\nThe disk is full ({error.filename or 'while writing'}): make room and start again.", file=sys.stderr)
    return 1


def run_product(_words: list[str]) -> int:
    """Everything, until a signal."""
    die_with_make()
    layout = Layout.from_environ(os.environ)
    layout.prepare()
    asyncio.run(Run(layout, os.environ, Progress()).forever())
    return 0


def run_tests(words: list[str]) -> int:
    """The suite, after everything it needs is there; says what is missing instead of skipping it."""
    environ = _prepared("dev")
    environ["PORTAL_CHROMIUM"] = _find_chromium()
    progress = Progress()
    with progress.step("Looking for the Temporal servers"):
        find_server(python=_python(), say=progress.say)
        environ["PORTAL_TEMPORAL_TEST_SERVER"] = str(find_test_server(python=_python(), say=progress.say))
    return _become([_python(), "-m", "pytest", *(words or SIDE_BY_SIDE)], environ)


def run_fast_tests(words: list[str]) -> int:
    """The tests that need neither browser nor Temporal."""
    return _become([_python(), "-m", "pytest", "-m", NOT_BROWSER_NOT_TEMPORAL, *words], _prepared("dev"))


def lint(words: list[str]) -> int:
    """Every check of the source."""
    return _become([str(ROOT / "bin" / "lint"), *words], _prepared("dev"))


def bench(words: list[str]) -> int:
    """The benchmarks against the floor."""
    return _become([_python(), "-m", "bench", *words], _prepared("dev"))


def print_temporal(words: list[str]) -> int:
    """Print the path of the Temporal program; `words` may name the Python that has its SDK."""
    return _answer(lambda: find_server(python=words[0] if words else _python(), say=_note))


def print_test_server(words: list[str]) -> int:
    """Print the path of the time-skipping test server."""
    return _answer(lambda: find_test_server(python=words[0] if words else _python(), say=_note))


def _answer(find: Callable[[], Path]) -> int:
    """Answer on standard output, the reason for a failure too: that is what a caller reads."""
    try:
        print(find())
    except SetupError as error:
        print(error)
        return 1
    return 0


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _python() -> str:
    return str(Layout.from_environ(os.environ).python)


def _prepared(lock: str) -> dict[str, str]:
    """Set the checkout up and give the environment for what runs in it."""
    layout = Layout.from_environ(os.environ)
    layout.prepare()
    asyncio.run(Environment(layout, os.environ, Progress()).prepare(lock))
    path = f"{layout.venv / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return keep_bytecode({**os.environ, "PATH": path, "VIRTUAL_ENV": str(layout.venv)})


def _find_chromium() -> str:
    given = os.environ.get("PORTAL_CHROMIUM")
    found = given or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if not found or not os.access(found, os.X_OK):
        raise SetupError(
            "The browser tests need Chromium, which is not on PATH: install it (on Debian: apt-get install chromium), "
            "set PORTAL_CHROMIUM to its program, or run `make test-fast`, which does without."
        )
    return found


def _become(words: list[str], environ: dict[str, str]) -> int:
    """Put the command in our place, so that signals and exit code are its own."""
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(words[0], words, environ)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": run_product,
    "test": run_tests,
    "test-fast": run_fast_tests,
    "lint": lint,
    "bench": bench,
    "find-temporal": print_temporal,
    "find-test-server": print_test_server,
}
