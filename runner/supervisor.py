"""Keeps the children alive: starts them by readiness, restarts one that dies, stops all in reverse order."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner import processes
from runner.errors import SetupError
from runner.layout import Layout, write_private
from runner.progress import Progress

FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0
# A child that lived this long was well: the next restart is quick again.
HEALTHY_SECONDS = 10.0
CRASHES_WHILE_STARTING = 3
STOP_SECONDS = 10.0


def always() -> bool:
    """The readiness of a child that has no question of its own to answer."""
    return True


@dataclass(frozen=True)
class Service:
    """One child: how it is started, when it is ready, by which signals it stops."""

    name: str
    command: list[str]
    environ: Mapping[str, str]
    is_ready: Callable[[], bool] = always
    before_start: Callable[[], None] | None = None
    stop_signal: int = signal.SIGTERM
    # Sent by the kernel when the runner itself is killed.
    orphan_signal: int = signal.SIGKILL
    ready_seconds: float = 60.0
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Child:
    """A service at work."""

    service: Service
    process: asyncio.subprocess.Process
    keeper: "asyncio.Task[None] | None" = None
    crashes: int = 0


class Supervisor:
    """The children of one running copy, their pid files and logs."""

    def __init__(self, layout: Layout, progress: Progress) -> None:
        self._layout = layout
        self._progress = progress
        self._children: dict[str, Child] = {}
        self._stopping = False

    async def start(self, *services: Service) -> None:
        """Start services side by side and return when all are ready; SetupError with the end of a log otherwise."""
        for service in services:
            child = Child(service, await self._spawn(service))
            self._children[service.name] = child
            child.keeper = asyncio.create_task(self._keep(child))
        for service in services:
            await self.wait_until(service.is_ready, service.ready_seconds, service.name)

    async def wait_until(self, condition: Callable[[], bool], seconds: float, name: str) -> None:
        """Ask until `condition` holds; SetupError when a child keeps dying or the time is up, naming `name`."""
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(condition):
            for child in self._children.values():
                if child.crashes >= CRASHES_WHILE_STARTING:
                    crashed = child.service.name
                    raise SetupError(f"{crashed} stops as soon as it starts.{self._end_of(crashed)}")
            if time.monotonic() > deadline:
                raise SetupError(f"{name} was not ready within {seconds:.0f} s.{self._end_of(name)}")
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Stop the children, last started first; one that does not go within ten seconds is killed."""
        self._stopping = True
        for child in reversed(self._children.values()):
            if child.keeper:
                child.keeper.cancel()
                await asyncio.gather(child.keeper, return_exceptions=True)
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(child.service.stop_signal)
            try:
                await asyncio.wait_for(child.process.wait(), STOP_SECONDS)
            except TimeoutError:
                self._progress.say(f"{child.service.name} does not stop by itself and is killed.")
            processes.signal_group(child.process.pid, signal.SIGKILL)
            await child.process.wait()
            self._pid_file(child.service.name).unlink(missing_ok=True)
        self._children.clear()
        self._record()

    def kill(self) -> None:
        """End every child at once: the person is in a hurry."""
        for child in self._children.values():
            processes.signal_group(child.process.pid, signal.SIGKILL)

    async def _spawn(self, service: Service) -> asyncio.subprocess.Process:
        if service.before_start:
            service.before_start()
        log = processes.open_log(self._layout.log / f"{service.name}.log")
        try:
            process = await asyncio.create_subprocess_exec(
                *service.command,
                **{"cwd": self._layout.root, **service.keywords},
                env=dict(service.environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=processes.die_with_parent(service.orphan_signal),
            )
        except OSError as error:
            raise SetupError(f"{service.name} cannot be started: {error.strerror} ({service.command[0]}).") from error
        finally:
            os.close(log)
        self._pid_file(service.name).write_text(f"{process.pid}\n", encoding="ascii")
        return process

    async def _keep(self, child: Child) -> None:
        delay, service = FIRST_DELAY, child.service
        while True:
            self._record()
            begun = time.monotonic()
            code = await child.process.wait()
            if self._stopping:
                return
            # What the dead one had started would hold its port and its place.
            processes.signal_group(child.process.pid, signal.SIGKILL)
            child.crashes += 1
            delay = FIRST_DELAY if time.monotonic() - begun > HEALTHY_SECONDS else delay
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)
            try:
                child.process = await self._spawn(service)
            except SetupError as error:
                self._progress.say(str(error))
                continue
            self._progress.say(f"{service.name} {_manner(code)}: started again (pid {child.process.pid}).")

    def _record(self) -> None:
        """Write down who runs, for a runner that finds leftovers of one that was killed."""
        running = []
        for child in self._children.values():
            mark = processes.started_at(child.process.pid)
            if mark:
                running.append({"pid": child.process.pid, "mark": mark, "signal": int(child.service.stop_signal)})
        write_private(_record_path(self._layout), json.dumps(running) + "\n")

    def _pid_file(self, name: str) -> Path:
        return self._layout.run / f"{name}.pid"

    def _end_of(self, name: str) -> str:
        log = self._layout.log / f"{name}.log"
        shown = processes.tail(log)
        return f" The end of {log}:\n{shown}" if shown else ""


def end_leftovers(layout: Layout) -> None:
    """End the children of an earlier runner that was killed before it could; they are known by pid and start time."""
    try:
        running = json.loads(_record_path(layout).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for entry in reversed(running):
        if processes.started_at(entry["pid"]) == entry["mark"]:
            processes.end_stranger(entry["pid"], entry["mark"], entry["signal"], grace=STOP_SECONDS)


def _record_path(layout: Layout) -> Path:
    return layout.run / "children.json"


def _manner(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"
