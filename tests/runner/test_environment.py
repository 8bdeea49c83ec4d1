import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runner import commands
from runner.environment import Environment
from runner.errors import SetupError
from runner.layout import Layout
from runner.processes import started_at
from runner.progress import Progress
from tests.runner.fakes import make_checkout, wait_for


class Workshop:
    """A checkout that is set up, and the commands that set-up would run."""

    def __init__(self, root: Path) -> None:
        self.root = make_checkout(root)
        self.layout = Layout(self.root, self.root / "var", 8000)
        self.layout.prepare()
        self.ran: list[str] = []

    async def run(self, words: commands.Words, *, doing: str, **_keywords: object) -> None:
        self.ran.append(doing)

    def prepare(self, lock: str = "runtime") -> list[str]:
        self.ran.clear()
        environment = Environment(self.layout, {"PATH": "/usr/bin:/bin"}, Progress(io.StringIO()))
        asyncio.run(environment.prepare(lock))
        return self.ran

    @property
    def stamps(self) -> dict[str, str]:
        return json.loads((self.root / ".venv/portico-stamps.json").read_text())


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[..., Path]) -> Workshop:
    made = Workshop(tmp_path / "portico")
    monkeypatch.setattr(commands, "run", made.run)
    monkeypatch.setattr("runner.environment._node_version", lambda _environ: 24)
    monkeypatch.setattr("shutil.which", lambda name, path=None: f"/usr/bin/{name}")
    return made


def test_nothing_runs_when_nothing_changed(workshop: Workshop) -> None:
    assert workshop.prepare() == []


def test_a_changed_lock_is_installed_once(workshop: Workshop) -> None:
    (workshop.root / "requirements/runtime.txt").write_text("flask==3.1.3\n")
    assert workshop.prepare() == ["Installing requirements/runtime.txt"]
    assert workshop.prepare() == []


def test_an_environment_for_tests_stays_one(workshop: Workshop) -> None:
    assert workshop.prepare("dev") == ["Installing requirements/dev.txt"]
    assert workshop.prepare("runtime") == []
    (workshop.root / "requirements/dev.txt").write_text("pytest==9\n")
    assert workshop.prepare("runtime") == ["Installing requirements/dev.txt"]


def test_an_environment_with_the_tests_tools_made_by_hand_keeps_them(workshop: Workshop) -> None:
    (workshop.root / ".venv/bin/pytest").write_text("")
    (workshop.root / ".venv/portico-stamps.json").unlink()
    assert "Installing requirements/dev.txt" in workshop.prepare("runtime")


def test_a_changed_installer_comes_before_what_it_installs(workshop: Workshop) -> None:
    for name in ("bootstrap", "runtime"):
        (workshop.root / f"requirements/{name}.txt").write_text("uv==1\n")
    assert workshop.prepare() == ["Installing requirements/bootstrap.txt", "Installing requirements/runtime.txt"]


def test_assets_build_again_and_packages_only_with_their_lock(workshop: Workshop) -> None:
    (workshop.root / "assets").mkdir()
    (workshop.root / "assets/app.css").write_text("a {}")
    assert workshop.prepare() == ["npm run build"]
    (workshop.root / "package-lock.json").write_text("{}")
    assert workshop.prepare() == ["npm ci", "npm run build"]
    assert workshop.prepare() == []


def test_catalogues_are_compiled_when_a_translation_changed_or_a_result_is_missing(workshop: Workshop) -> None:
    source = workshop.root / "translations/fr/LC_MESSAGES/messages.po"
    source.parent.mkdir(parents=True)
    source.write_text('msgid "a"\n')
    assert workshop.prepare() == ["Compiling the translations"]
    source.with_suffix(".mo").write_text("")
    assert workshop.prepare() == []
    source.with_suffix(".mo").unlink()
    assert workshop.prepare() == ["Compiling the translations"]


def test_a_step_that_failed_runs_again(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_words: object, **_keywords: object) -> None:
        raise SetupError("no network")

    (workshop.root / "requirements/runtime.txt").write_text("flask==3.1.3\n")
    with monkeypatch.context() as patched:
        patched.setattr(commands, "run", fail)
        with pytest.raises(SetupError, match="no network"):
            workshop.prepare()
    assert workshop.prepare() == ["Installing requirements/runtime.txt"]


def test_an_environment_that_was_copied_from_elsewhere_is_made_anew(workshop: Workshop) -> None:
    path = workshop.root / ".venv/portico-stamps.json"
    path.write_text(json.dumps(workshop.stamps | {"location": "/elsewhere/.venv"}))
    with pytest.raises(FileNotFoundError):
        # The stand-in for `python -m venv` makes nothing, so the stamp has nowhere to go.
        workshop.prepare()
    assert workshop.ran == ["Creating .venv"]


def test_a_command_that_fails_shows_the_end_of_its_log(tmp_path: Path) -> None:
    words: commands.Words = ["sh", "-c", "echo first; echo last >&2; exit 7"]
    with pytest.raises(SetupError, match=r"(?s)^Doing it failed \(exit code 7\); the whole log is .*first.*last$"):
        asyncio.run(commands.run(words, log=tmp_path / "log", cwd=tmp_path, environ={}, doing="Doing it"))


def test_a_command_that_is_interrupted_takes_its_children_along(tmp_path: Path) -> None:
    words: commands.Words = ["sh", "-c", "sleep 62 & echo $! > pid; wait"]

    async def scene() -> None:
        task = asyncio.create_task(
            commands.run(words, log=tmp_path / "log", cwd=tmp_path, environ={"PATH": "/usr/bin:/bin"}, doing="Sleeping")
        )
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())
    pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: started_at(pid) is None, 10)
