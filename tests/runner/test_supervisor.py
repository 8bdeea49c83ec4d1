import asyncio
import io
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from runner import supervisor as module
from runner.errors import SetupError
from runner.layout import Layout
from runner.processes import started_at
from runner.progress import Progress
from runner.supervisor import Service, Supervisor, end_leftovers
from tests.runner.fakes import wait_for

SLEEPER = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('deaf', 'w'); time.sleep(60)"


class Stage:
    """A supervisor with what it says and whom it watches."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder, folder / "var", 8000)
        self.layout.prepare()
        self.said = io.StringIO()
        self.supervisor = Supervisor(self.layout, Progress(self.said))

    def service(self, name: str, script: str = SLEEPER, **keywords: object) -> Service:
        return Service(name, [sys.executable, "-c", script], os.environ, **keywords)  # type: ignore[arg-type]

    def pid(self, name: str) -> int:
        return int((self.layout.run / f"{name}.pid").read_text())

    async def other_pid(self, name: str, pid: int) -> int:
        deadline = time.monotonic() + 60
        while self.pid(name) == pid:
            assert time.monotonic() < deadline, self.said.getvalue()
            await asyncio.sleep(0.01)
        return self.pid(name)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def play(stage: Stage, scene: Callable[[], Awaitable[None]]) -> None:
    """Run a scene and stop everything afterwards, as the runner does."""

    async def act() -> None:
        try:
            await scene()
        finally:
            await stage.supervisor.stop()

    asyncio.run(act())


def test_a_killed_child_is_back_at_once_and_it_is_said_in_one_line(stage: Stage) -> None:
    async def scene() -> None:
        await stage.supervisor.start(stage.service("web"))
        first = stage.pid("web")
        os.kill(first, signal.SIGKILL)
        second = await stage.other_pid("web", first)
        assert started_at(second)
        await asyncio.to_thread(wait_for, lambda: bool(stage.said.getvalue()), 10)
        assert stage.said.getvalue() == f"web was ended by SIGKILL: started again (pid {second}).\n"

    play(stage, scene)


def test_the_waits_between_restarts_grow_to_five_seconds(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    sleep = asyncio.sleep

    async def nap(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    async def scene() -> None:
        await stage.supervisor.start(stage.service("web", "raise SystemExit(3)"))
        monkeypatch.setattr(module.asyncio, "sleep", nap)
        while len(waits) < 7:
            await sleep(0.01)
        monkeypatch.setattr(module.asyncio, "sleep", sleep)

    play(stage, scene)
    assert waits[:7] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert "web ended with exit code 3: started again" in stage.said.getvalue()


def test_what_a_dead_child_had_started_goes_with_it(stage: Stage, tmp_path: Path) -> None:
    script = (
        "import subprocess, time\n"
        "with open('pid', 'w') as file: print(subprocess.Popen(['sleep', '61']).pid, file=file)\n"
        "time.sleep(60)"
    )

    async def scene() -> None:
        await stage.supervisor.start(stage.service("web", script, is_ready=(tmp_path / "pid").exists))
        wait_for(lambda: (tmp_path / "pid").read_text().endswith("\n"), 5)
        grandchild, first = int((tmp_path / "pid").read_text()), stage.pid("web")
        os.kill(first, signal.SIGKILL)
        await stage.other_pid("web", first)
        await asyncio.to_thread(wait_for, lambda: started_at(grandchild) is None, 10)

    play(stage, scene)


def test_stop_goes_backwards_and_leaves_no_process_and_no_pid_file(stage: Stage, tmp_path: Path) -> None:
    script = (
        "import signal, sys, time\n"
        "def end(*_): open('order', 'a').write(sys.argv[1]); sys.exit()\n"
        "signal.signal(signal.SIGINT, end); signal.signal(signal.SIGTERM, end)\n"
        "open(sys.argv[1], 'w'); time.sleep(60)"
    )
    pids = []

    async def scene() -> None:
        for name in ("a", "b", "c"):
            command = [sys.executable, "-c", script, name]
            number = signal.SIGINT if name == "a" else signal.SIGTERM
            ready = (tmp_path / name).exists
            await stage.supervisor.start(Service(name, command, os.environ, is_ready=ready, stop_signal=number))
            pids.append(stage.pid(name))

    play(stage, scene)
    assert (tmp_path / "order").read_text() == "cba"
    assert not any(started_at(pid) for pid in pids)
    assert list(stage.layout.run.glob("*.pid")) == []


def test_one_that_does_not_stop_is_killed(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.3)
    pids = []

    async def scene() -> None:
        await stage.supervisor.start(stage.service("web", STUBBORN, is_ready=(tmp_path / "deaf").exists))
        pids.append(stage.pid("web"))

    play(stage, scene)
    assert started_at(pids[0]) is None
    assert "web does not stop by itself and is killed." in stage.said.getvalue()


def test_a_child_that_cannot_start_ends_the_start_with_the_end_of_its_log(stage: Stage) -> None:
    service = stage.service("web", "raise SystemExit('no such table')", is_ready=lambda: False)
    with pytest.raises(
        SetupError, match=r"(?s)^web stops as soon as it starts\. The end of .*web\.log:.*no such table"
    ):
        play(stage, lambda: stage.supervisor.start(service))


def test_a_child_that_is_never_ready_ends_the_start(stage: Stage) -> None:
    service = stage.service("web", is_ready=lambda: False, ready_seconds=0.2)
    with pytest.raises(SetupError, match="web was not ready within"):
        play(stage, lambda: stage.supervisor.start(service))


def test_leftovers_of_a_killed_runner_are_ended_and_strangers_are_not(stage: Stage) -> None:
    async def scene() -> None:
        await stage.supervisor.start(stage.service("web"), stage.service("worker"))
        web, worker = stage.pid("web"), stage.pid("worker")
        record = stage.layout.run / "children.json"
        children = json.loads(record.read_text())
        assert [child["pid"] for child in children] == [web, worker]
        # As if the number of the worker had gone to a process that started at another time.
        children[1]["mark"] = "1"
        record.write_text(json.dumps(children))
        await asyncio.to_thread(end_leftovers, stage.layout)
        await stage.other_pid("web", web)
        assert started_at(worker)

    play(stage, scene)


def test_a_long_log_is_put_aside_when_its_child_starts(stage: Stage) -> None:
    log = stage.layout.log / "web.log"
    with log.open("wb") as file:
        file.truncate(11 * 1024 * 1024)

    play(stage, lambda: stage.supervisor.start(stage.service("web", "print('new', flush=True)")))
    assert log.with_name("web.log.1").stat().st_size == 11 * 1024 * 1024
    assert log.stat().st_size < 1024
