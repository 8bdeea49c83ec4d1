"""Runs one set-up command to its end, quietly: output goes to a log, a failure shows the end of it."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from runner.errors import SetupError
from runner.processes import die_with_parent, open_log, signal_group, tail

Words = list[str | Path]
Outcome = TypeVar("Outcome")


async def run(words: Words, *, log: Path, cwd: Path, environ: Mapping[str, str], doing: str) -> None:
    """Run a command with its output in `log`; SetupError says what failed while `doing`, with the last lines."""
    log.parent.mkdir(parents=True, exist_ok=True)
    output = open_log(log)
    try:
        os.write(output, f"$ {' '.join(map(str, words))}\n".encode())
        process = await _spawn(words, cwd, environ, stdout=output, stderr=output)
    finally:
        os.close(output)
    code = await _finish(process, process.wait())
    if code:
        raise SetupError(f"{doing} failed (exit code {code}); the whole log is {log}:\n{tail(log)}")


async def ask(words: Words, *, cwd: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> str:
    """Run a command that answers on standard output and hand each line of its standard error to `say`.

    SetupError with the answer as its message when the exit code is not 0.
    """
    process = await _spawn(words, cwd, environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    assert process.stdout
    assert process.stderr

    async def listen(stream: asyncio.StreamReader) -> None:
        async for line in stream:
            say(line.decode("utf-8", "replace").rstrip())

    async def both(stdout: asyncio.StreamReader, stderr: asyncio.StreamReader) -> str:
        answer, _ = await asyncio.gather(stdout.read(), listen(stderr))
        await process.wait()
        return answer.decode("utf-8", "replace").strip()

    answer = await _finish(process, both(process.stdout, process.stderr))
    if process.returncode:
        raise SetupError(answer or f"{words[0]} ended with code {process.returncode}.")
    return answer


async def _spawn(
    words: Words, cwd: Path, environ: Mapping[str, str], *, stdout: int, stderr: int
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *map(str, words),
            cwd=cwd,
            env=dict(environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
    except OSError as error:
        raise SetupError(f"{words[0]} cannot be run: {error.strerror}.") from error


async def _finish(process: asyncio.subprocess.Process, work: Awaitable[Outcome]) -> Outcome:
    """Await `work`; whatever ends it early takes the command and all it started with it."""
    try:
        return await work
    except BaseException:
        signal_group(process.pid, signal.SIGKILL)
        raise
