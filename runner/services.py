"""The children of a running copy: how each is started and asked whether it is ready."""

import http.client
import json
import os
import signal
from collections.abc import Mapping

from runner.layout import Layout, setting, write_private
from runner.ports import LOOPBACK
from runner.postgres import Cluster
from runner.postgres import roles as pg
from runner.postgres.programs import clean_environ as without_postgres
from runner.supervisor import Service
from runner.temporal.binary import clean_environ as without_temporal
from runner.temporal.server import DevServer

PROBE_SECONDS = 5.0


def postgres_service(cluster: Cluster) -> Service:
    """PostgreSQL; SIGINT is its fast stop, SIGTERM would wait for every client to leave."""
    return Service(
        "postgres",
        cluster.command(),
        without_postgres(),
        is_ready=cluster.is_ready,
        before_start=cluster.clear_stale_locks,
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGINT,
        keywords=cluster.disguise.keywords(),
    )


def temporal_service(server: DevServer) -> Service:
    """The Temporal development server."""
    return Service("temporal", server.command(), without_temporal(os.environ), is_ready=server.is_ready)


def stripe_environ(layout: Layout, port: int) -> dict[str, str]:
    """What the children need to take the stand-in for Stripe; no money moves by any of it."""
    return {
        "STRIPE_SECRET_KEY": "sk_test_standin",
        "STRIPE_WEBHOOK_SECRET": layout.webhook_secret(),
        "STRIPE_API_BASE": f"http://{LOOPBACK}:{port}",
    }


def stripe_service(layout: Layout, environ: Mapping[str, str], port: int) -> Service:
    """The stand-in for Stripe; its state lies in the data folder, its address in run/stripe.url."""
    command = [str(layout.python), "-m", "stripe_standin", "--port", str(port)]
    command += ["--state", str(layout.data / "stripe" / "state.db"), "--url-file", str(layout.run / "stripe.url")]
    command += ["--webhook-url", f"{layout.address}/webhooks/stripe"]
    return Service("stripe", command, environ, is_ready=lambda: fetch(port, "/healthz")[0] == 200)


def web_service(layout: Layout, environ: Mapping[str, str]) -> Service:
    """Gunicorn; its pid is the master's, which takes its workers along when it is told to stop."""
    command = [str(layout.venv / "bin" / "gunicorn"), "-c", "deploy/gunicorn.conf.py", "wsgi:app"]
    return Service(
        "web",
        command,
        environ,
        is_ready=lambda: fetch(layout.port, "/healthz")[0] == 200,
        orphan_signal=signal.SIGTERM,
        ready_seconds=120.0,
    )


def worker_service(layout: Layout, environ: Mapping[str, str]) -> Service:
    """The worker; whether it works is for /readyz to say, by its heartbeat."""
    return Service("worker", [str(layout.python), "worker.py"], environ)


def fetch(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a page of ours; status 0 when nobody answers."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def is_ready(port: int) -> bool:
    """Whether every part of the product says that it works."""
    return fetch(port, "/readyz")[0] == 200


def failing_checks(port: int) -> str:
    """The checks of /readyz that are not ok, for a message; empty when it gives none."""
    try:
        checks = json.loads(fetch(port, "/readyz")[1])["checks"]
        return ", ".join(f"{name}: {state}" for name, state in checks.items() if state != "ok")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def database_environ(cluster: Cluster) -> dict[str, str]:
    """The addresses of our own database for the children, each under the role it is for."""
    return {
        "PORTAL_DATABASE_URL": cluster.url(pg.APP),
        "PORTAL_OWNER_DATABASE_URL": cluster.url(pg.OWNER),
        "PORTAL_RELAY_DATABASE_URL": cluster.url(pg.RELAY),
    }


def write_database_url(layout: Layout, environ: Mapping[str, str]) -> None:
    """Put the owner's address into run/database.url, in the form that psql and libpq read."""
    url = setting(environ, "PORTAL_OWNER_DATABASE_URL") or setting(environ, "PORTAL_DATABASE_URL") or ""
    write_private(layout.run / "database.url", url.replace("postgresql+psycopg://", "postgresql://", 1) + "\n")
