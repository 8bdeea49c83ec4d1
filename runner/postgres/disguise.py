"""PostgreSQL refuses to run as root: the ways to let it see itself as somebody else, opening nothing up."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.errors import SetupError
from runner.postgres.programs import Programs

NOBODY = 65534
UNSHARE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


@dataclass(frozen=True)
class Disguise:
    """How the server's programs are started: words before the command, or another user for the process."""

    prefix: tuple[str, ...] = ()
    user: int | None = None

    def keywords(self) -> dict[str, Any]:
        """The keyword arguments for `subprocess` and `asyncio` alike."""
        if self.user is None:
            return {}
        return {"user": self.user, "group": self.user, "extra_groups": [], "cwd": "/"}

    def own(self, path: Path) -> None:
        """Hand a file or folder that we have just made to the user the programs run as."""
        if self.user is not None:
            os.chown(path, self.user, self.user)


def choose_disguise(programs: Programs, folder: Path) -> Disguise:
    """None for an ordinary user; for root a user namespace, else the user nobody.

    `folder` is where the data shall lie: nobody must be able to pass to it. SetupError when neither works.
    """
    if os.geteuid() != 0:
        return Disguise()
    if _works([*UNSHARE, programs.path("postgres"), "-V"], Disguise(UNSHARE)):
        return Disguise(UNSHARE)
    nobody = Disguise(user=NOBODY)
    if _works([programs.path("postgres"), "-V"], nobody) and _works(["test", "-x", str(folder)], nobody):
        return nobody
    raise SetupError(
        "PostgreSQL does not run as root, and neither user namespaces nor the user nobody can be used here: start as "
        "an ordinary user, set PORTAL_DATA_DIR to a folder that everybody may pass, or set PORTAL_DATABASE_URL."
    )


def _works(words: list[str], disguise: Disguise) -> bool:
    try:
        subprocess.run(words, capture_output=True, timeout=20, check=True, **disguise.keywords())
    except (OSError, subprocess.SubprocessError):
        return False
    return True
