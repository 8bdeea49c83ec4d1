"""One PostgreSQL cluster of ours: its folders, passwords, start command and addresses."""

import contextlib
import hashlib
import json
import locale
import os
import secrets
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from runner.errors import SetupError
from runner.layout import write_private
from runner.postgres import roles
from runner.postgres.disguise import Disguise, choose_disguise
from runner.postgres.programs import Programs, clean_environ, find_programs
from runner.processes import program_of, started_at

DATABASE = "portal"
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 107


def saved_version(data: Path) -> int | None:
    """The major version that made a data folder, None when there is none yet."""
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def socket_folder(wanted: Path, disguise: Disguise) -> Path:
    """`wanted`, or a short private folder where its path is too long for a socket or closed to the server's user."""
    if len(os.fsencode(wanted / SOCKET_NAME)) > LONGEST_SOCKET_PATH or disguise.user is not None:
        name = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
        wanted = Path(tempfile.gettempdir()) / f"portico-{os.geteuid()}-{name}"
    wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = wanted.lstat()
    ours = found.st_uid in (os.geteuid(), disguise.user)
    if not stat.S_ISDIR(found.st_mode) or stat.S_IMODE(found.st_mode) & 0o077 or not ours:
        raise SetupError(f"The folder {wanted} is not private to you: remove it and start again.")
    disguise.own(wanted)
    return wanted


def character_type() -> str:
    """The locale for what counts as a letter. With plain C, trigrams and stems would drop every accent and script."""
    for name in ("C.UTF-8", "en_US.UTF-8", "UTF-8"):
        with contextlib.suppress(locale.Error):
            before = locale.setlocale(locale.LC_CTYPE)
            locale.setlocale(locale.LC_CTYPE, name)
            locale.setlocale(locale.LC_CTYPE, before)
            return name
    return "C"


@dataclass(frozen=True)
class Cluster:
    """A cluster in `data` that listens on a socket in `sockets` and nowhere else."""

    programs: Programs
    disguise: Disguise
    data: Path
    sockets: Path
    passwords: dict[str, str]
    settings: tuple[str, ...] = ()

    @classmethod
    def open(
        cls, data: Path, run: Path, *, packages: tuple[Path, ...] = (), settings: tuple[str, ...] = ()
    ) -> "Cluster":
        """The cluster of a data folder, made when it is not there yet; its passwords are kept in `run`."""
        programs = find_programs(packages=packages, version=saved_version(data))
        disguise = choose_disguise(programs, data.parent)
        sockets = socket_folder(run / "postgres", disguise)
        saved = run / "postgres.json"
        known = saved.exists()
        if not known:
            names = (roles.SUPERUSER, *roles.LOGIN_ROLES)
            write_private(saved, json.dumps({name: secrets.token_urlsafe(24) for name in names}, indent=1) + "\n")
        cluster = cls(programs, disguise, data, sockets, json.loads(saved.read_text(encoding="utf-8")), settings)
        if saved_version(data) is None:
            cluster.initialise()
        elif not known:
            cluster.reset_superuser()
        return cluster

    def initialise(self) -> None:
        """Make the cluster beside its place and move it there whole, so that a cut-off start leaves no half of one."""
        scratch = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        secret = self.data.with_name(f".{self.data.name}.password")
        write_private(secret, self.passwords[roles.SUPERUSER] + "\n")
        for path in (scratch, secret):
            self.disguise.own(path)
        words = ["initdb", "-D", str(scratch), "-U", roles.SUPERUSER, f"--pwfile={secret}", "-E", "UTF8", "--locale=C"]
        words += ["--auth-local=scram-sha-256", "--auth-host=scram-sha-256", f"--lc-ctype={character_type()}"]
        if self.programs.version >= 17:
            words += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        try:
            self._run(words)
        finally:
            secret.unlink()
        with contextlib.suppress(FileNotFoundError):
            self.data.rmdir()
        scratch.rename(self.data)

    def reset_superuser(self) -> None:
        """Give the superuser the password we hold, without a running server: the old one was lost."""
        statement = f"ALTER ROLE {roles.SUPERUSER} PASSWORD '{self.passwords[roles.SUPERUSER]}'\n"
        self.clear_stale_locks()
        self._run(["postgres", "--single", "-D", str(self.data), "postgres"], text=statement)

    def command(self) -> list[str]:
        """The words that start the server in the foreground."""
        given = ("listen_addresses=", "unix_socket_permissions=0700", "max_connections=200", *self.settings)
        words = [*self.disguise.prefix, self.programs.path("postgres"), "-D", str(self.data), "-k", str(self.sockets)]
        return words + ["-p", "5432"] + [word for one in given for word in ("-c", one)]

    def clear_stale_locks(self) -> None:
        """Remove lock files that a killed server left, where their process number now belongs to another program.

        PostgreSQL itself removes those whose process is gone.
        """
        for path in (self.data / "postmaster.pid", self.sockets / f"{SOCKET_NAME}.lock"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                pid = abs(int(path.read_text(encoding="utf-8").splitlines()[0]))
                if started_at(pid) and program_of(pid) not in ("", "postgres"):
                    path.unlink()

    def is_ready(self) -> bool:
        """Whether the server takes connections now."""
        words = [self.programs.path("pg_isready"), "-q", "-h", str(self.sockets), "-p", "5432", "-t", "2"]
        return subprocess.run(words, env=clean_environ(), check=False).returncode == 0

    def remove_sockets(self) -> None:
        """Remove the folder of the socket, which may lie outside of ours; for a server that has stopped."""
        shutil.rmtree(self.sockets, ignore_errors=True)

    def prepare(self, database: str = DATABASE) -> None:
        """Bring roles, database and extensions to what this version of the product needs."""
        self.execute(roles.roles_script(self.passwords) + roles.database_script(database))
        self.execute(roles.extensions_script(), database=database)

    def execute(self, script: str, *, database: str = "postgres") -> None:
        """Run SQL as the superuser, all of it or, at the first error, SetupError."""
        words = [self.programs.path("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.sockets)]
        environ = clean_environ() | {"PGPASSWORD": self.passwords[roles.SUPERUSER], "PGCLIENTENCODING": "UTF8"}
        environ["PGOPTIONS"] = "-c client_min_messages=warning"
        words += ["-p", "5432", "-U", roles.SUPERUSER, "-d", database]
        done = subprocess.run(words, input=script, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SetupError(f"The database could not be prepared: {done.stderr.strip() or done.stdout.strip()}")

    def url(self, role: str, database: str = DATABASE, *, scheme: str = "postgresql+psycopg") -> str:
        """The address of a database for a role; `scheme="postgresql"` gives the form that psql and libpq read."""
        return f"{scheme}://{role}:{self.passwords[role]}@/{database}?host={quote(str(self.sockets))}"

    def _run(self, words: list[str], text: str | None = None) -> None:
        done = subprocess.run(
            [*self.disguise.prefix, self.programs.path(words[0]), *words[1:]],
            input=text,
            capture_output=True,
            text=True,
            env=clean_environ(),
            check=False,
            **self.disguise.keywords(),
        )
        if done.returncode:
            raise SetupError(f"PostgreSQL's {words[0]} failed: {(done.stderr or done.stdout).strip()[-600:]}")
