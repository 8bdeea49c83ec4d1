"""Where things lie: the checkout, the data folder and the settings that a person may give."""

import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.errors import SetupError

ROOT = Path(__file__).resolve().parent.parent
LEAST_FREE_BYTES = 500 * 1024 * 1024


def setting(environ: Mapping[str, str], name: str) -> str | None:
    """The variable `name`, or the content of the file that `<name>_FILE` points to, as the product reads it."""
    path = environ.get(f"{name}_FILE")
    if not path:
        return environ.get(name) or None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SetupError(f"{name}_FILE cannot be read: {error}.") from error


def cache_home(environ: Mapping[str, str]) -> Path:
    """The folder for what is fetched once per machine and shared by every clone."""
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portico"


def write_private(path: Path, content: str) -> None:
    """Write `content` so that only this user can ever read it; replaces the file in one step."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    scratch.replace(path)


def keep_bytecode(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with compiled modules kept: some images forbid it, and each process takes twice as long to start.

    What is compiled lies beside the checkout's own files and in its own environment, nowhere else.
    """
    return {name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def read_port(environ: Mapping[str, str]) -> int:
    """`PORT`, 8000 when it is not set; SetupError when it is no port."""
    text = environ.get("PORT") or "8000"
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise SetupError(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


@dataclass(frozen=True)
class Layout:
    """The folders of one running copy and the port it answers on."""

    root: Path
    data: Path
    port: int

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], root: Path = ROOT) -> "Layout":
        """Read `PORT` and `PORTAL_DATA_DIR` (`var` in the checkout unless set)."""
        return cls(root, Path(environ.get("PORTAL_DATA_DIR") or root / "var").absolute(), read_port(environ))

    @property
    def run(self) -> Path:
        """Pid files, addresses and secrets of the running copy; private."""
        return self.data / "run"

    @property
    def log(self) -> Path:
        """One log per child, and set-up's."""
        return self.data / "log"

    @property
    def venv(self) -> Path:
        """The checkout's virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The Python that has the locked packages."""
        return self.venv / "bin" / "python"

    @property
    def address(self) -> str:
        """Where people open the product."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Make the data folder, private where secrets lie; SetupError when it cannot be, or the disk is full."""
        try:
            for folder in (self.data, self.log, self.run):
                folder.mkdir(parents=True, exist_ok=True)
            self.run.chmod(0o700)
        except OSError as error:
            raise SetupError(
                f"The data folder {self.data} cannot be used ({error.strerror}): set PORTAL_DATA_DIR to another one."
            ) from error
        for folder in (self.root, self.data):
            if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
                raise SetupError(f"Less than 500 MB are free on the disk of {folder}: make room and start again.")

    def secret_key(self) -> str:
        """The key that signs cookies and tokens, made at the first start and kept."""
        return self._kept_secret("secret.key")

    def webhook_secret(self) -> str:
        """What the stand-in for Stripe signs its webhooks with, made at the first start and kept."""
        return self._kept_secret("webhook.key")

    def _kept_secret(self, name: str) -> str:
        path = self.run / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(48) + "\n")
        return path.read_text(encoding="utf-8").strip()

    def child_environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        """What every child gets; a value that the person set wins."""
        defaults = {"PORTAL_ENV": "development", "PORTAL_BASE_URL": self.address}
        if not environ.get("PORTAL_SECRET_KEY_FILE"):
            defaults["PORTAL_SECRET_KEY"] = environ.get("PORTAL_SECRET_KEY") or self.secret_key()
        fixed = {"PORTAL_DATA_DIR": str(self.data), "PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        given = {name: value for name, value in environ.items() if value or name not in defaults}
        return keep_bytecode({**defaults, **given, **fixed})
