"""What benchmarks stand on: a database with many tickets, and gunicorn serving the product from it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from bench.client import Client
from portal.config import ROOT
from portal.demo.content import demo_uuid
from portal.demo.scale import add_tickets
from portal.demo.seed import seed_demo
from portal.integrations.storage import folder_storage
from portal.lib.clock import utcnow
from portal.services.accounts.passwords import Passwords
from runner.postgres import TemporaryServer
from runner.temporal import start_dev_server
from runner.temporal.server import NAMESPACE

TICKETS = int(os.environ.get("BENCH_TICKETS", "100000"))
# A commit that is not durable is none: the floor's and Portico's both wait for the disk.
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on")
DATABASE = "bench"
PASSWORD = "portico-demo"
CUSTOMER = "customer5@scale.example"
AGENT = "sam@demo.example"


@dataclass(frozen=True)
class Served:
    """A running server."""

    port: int
    pid: int


def environ_of(server: TemporaryServer, folder: Path, **more: str) -> dict[str, str]:
    """Variables for the product (and the floor) on the database `bench`; files go to `folder`."""
    urls = {kind: getattr(server, f"{kind}_url")(DATABASE) for kind in ("app", "owner", "relay", "superuser")}
    return os.environ | {
        # Neither the floor nor a deployment looks at each request whether a template's file changed.
        "PORTAL_ENV": "test",
        "PORTAL_SECRET_KEY": "benchmarks need no secret, but a long one",
        "PORTAL_DATABASE_URL": urls["app"],
        "PORTAL_OWNER_DATABASE_URL": urls["owner"],
        "PORTAL_RELAY_DATABASE_URL": urls["relay"],
        "PORTAL_DATA_DIR": str(folder),
        "FLOOR_DATABASE_URL": urls["superuser"].replace("postgresql://", "postgresql+psycopg://"),
        "FLOOR_EMAIL": CUSTOMER,
        "WEB_WORKERS": "1",
        "WEB_THREADS": "8",
        **more,
    }


def fill(environ: dict[str, str], tickets: int = TICKETS) -> None:
    """The demo world with so many tickets beside it."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"], cwd=ROOT, env=environ, check=True,
                   capture_output=True)  # fmt: skip
    owner = create_engine(environ["PORTAL_OWNER_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"),
                          poolclass=NullPool)  # fmt: skip
    storage = folder_storage(Path(environ["PORTAL_DATA_DIR"]) / "files")
    seed_demo(owner, password=PASSWORD, passwords=Passwords(), storage=storage, now=utcnow())
    add_tickets(owner, tickets=tickets, customers=max(10, tickets // 100))
    print(f"{tickets:,} tickets written in {time.perf_counter() - began:.0f} s", flush=True)


@contextmanager
def serve(target: str, environ: dict[str, str]) -> Iterator[Served]:
    """Gunicorn with the settings of a deployment; `environ` says how many workers and threads."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", target]
    process = subprocess.Popen(words, cwd=ROOT, env=environ | {"PORT": str(port), "WEB_LOG_LEVEL": "error"})
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.1)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def working(environ: dict[str, str]) -> Iterator[None]:
    """Temporal and the product's worker, whose relay is what tells open pages of changes."""
    with start_dev_server() as temporal:
        words = [sys.executable, "worker.py"]
        more = {"PORTAL_TEMPORAL_ADDRESS": temporal, "PORTAL_TEMPORAL_NAMESPACE": NAMESPACE}
        process = subprocess.Popen(words, cwd=ROOT, env=environ | more, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait(15)


def superuser(server: TemporaryServer) -> Engine:
    """For what no tenant's rights give: looking up what to ask for."""
    return create_engine(
        server.superuser_url(DATABASE).replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool
    )


def open_tickets(server: TemporaryServer, email: str) -> list[str]:
    """Ids of a customer's tickets that can be answered, in an order that is the same in each run."""
    with superuser(server).connect() as connection:
        rows = connection.execute(
            text(
                "SELECT t.id FROM portal_tickets t JOIN people p ON p.company_id = t.customer_id"
                " WHERE p.email = :email AND t.tenant_id = :tenant AND t.status IN ('open', 'in_progress')"
                " AND t.ticket_number LIKE 'S-%' ORDER BY t.status, t.id"
            ),
            {"email": email, "tenant": demo_uuid("demo", "tenant")},
        ).scalars()
        return [str(found) for found in rows]


def signed_in(port: int, email: str) -> Client:
    """A browser of somebody of the demo world: customers at their door, everybody else at the team's."""
    client = Client(port)
    client.sign_in("/portal/login" if email.endswith("@scale.example") else "/admin/login", email, PASSWORD)
    return client
