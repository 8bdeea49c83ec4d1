"""`python -m bench.signing_in`: how long the door takes beyond the password's hash, for known and unknown people.

The real server with the real cost of the hash on a durable PostgreSQL. BENCH_SIGN_INS (80) of each kind, one after
the other, each from an address of its own on the loopback network, since a door limits what one address may try.
"""

import http.client
import os
import sys
import tempfile
import time
from pathlib import Path

from bench.client import Client, percentile, token_of
from bench.serving import DATABASE, DURABLE, PASSWORD, environ_of, fill, serve
from portal.services.accounts.passwords import Passwords
from runner.postgres import start_temporary

SIGN_INS = int(os.environ.get("BENCH_SIGN_INS", "80"))
BUDGET_MS = 150.0
PEOPLE = 50


def main() -> int:
    """Print the table; exit code 1 when the 95th percentile beyond the hash is over its budget."""
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as folder, start_temporary(DURABLE) as server:
        server.create_database(DATABASE)
        environ = environ_of(server, Path(folder))
        fill(environ, PEOPLE * 100)
        with serve("wsgi:app", environ) as served:
            port, hashing = served.port, _hash_ms()
            known = [
                _sign_in(port, turn, f"customer{turn % PEOPLE + 1}@scale.example", 303) for turn in range(SIGN_INS)
            ]
            unknown = [_sign_in(port, SIGN_INS + turn, f"nobody{turn}@scale.example", 401) for turn in range(SIGN_INS)]
    print(f"the hash alone: p50 {hashing:.0f} ms")
    for kind, taken in (("known", known), ("unknown", unknown)):
        beyond = [ms - hashing for ms in taken]
        print(
            f"{kind}: p50 {percentile(taken, 0.5):.0f} ms, p95 {percentile(taken, 0.95):.0f} ms; beyond the hash "
            f"p50 {percentile(beyond, 0.5):.0f} ms, p95 {percentile(beyond, 0.95):.0f} ms (budget {BUDGET_MS:.0f})"
        )
    return 0 if percentile([ms - hashing for ms in known], 0.95) <= BUDGET_MS else 1


def _hash_ms() -> float:
    """The median time of one check of a password at the default cost."""
    passwords = Passwords()
    stored = passwords.hash(PASSWORD)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        passwords.matches(PASSWORD, stored)
        times.append((time.perf_counter() - began) * 1000)
    return percentile(times, 0.5)


def _sign_in(port: int, turn: int, identifier: str, expect: int) -> float:
    """Milliseconds of the form's answer; the page before it is not counted."""
    source = (f"127.0.{turn // 250 + 1}.{turn % 250 + 1}", 0)
    client = Client(port, connection=http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=source))
    _, page, _ = client.send("GET", "/portal/login")
    form = {"csrf_token": token_of(page), "identifier": identifier, "password": PASSWORD}
    began = time.perf_counter()
    status, body, _ = client.send("POST", "/portal/login", form)
    if status != expect:
        raise RuntimeError(f"signing in as {identifier} gave {status}: {body[:300]!r}")
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    sys.exit(main())
