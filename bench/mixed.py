"""`python -m bench.mixed`: customers and staff at once, so many requests a second, for minutes on two workers.

Options by environment: BENCH_TICKETS (100000), BENCH_RATE (100), BENCH_SECONDS (180), BENCH_WORKERS (2),
BENCH_CUSTOMERS (40, people of as many companies).
"""

import os
import random
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

from bench.arrivals import Kind, Taken, run_arrivals
from bench.client import Client, percentile, seen_of, token_of
from bench.memory import server_mb
from bench.serving import DATABASE, DURABLE, Served, environ_of, fill, open_tickets, serve, signed_in
from portal.demo.scale import COMMON_WORD, RARE_WORD
from runner.postgres import TemporaryServer, start_temporary

RATE = float(os.environ.get("BENCH_RATE", "100"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "180"))
WORKERS = os.environ.get("BENCH_WORKERS", "2")
CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "40"))
STAFF = ("sam@demo.example", "jonas@demo.example", "mia@demo.example", "ada@demo.example")
BUDGET_MS = 250.0
WARM_SECONDS = 10.0
# How much the processes may hold more at the end than in the middle and still be called flat.
FLAT = 1.05
# The server hangs up after 75 s without a request (deploy/gunicorn.conf.py); browsers and proxies notice, or are sooner.
IDLE_SECONDS = 60.0


@dataclass
class Person:
    """Somebody with a session and as many connections as their requests need at once."""

    port: int
    cookies: dict[str, str]
    token: str
    tickets: list[str]
    opened: deque[tuple[str, str]] = field(default_factory=partial(deque, maxlen=20))
    idle: list[tuple[float, Client]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, method: str, path: str, *expect: int, form: dict[str, str] | None = None) -> bytes:
        """One request on a connection that is free; RuntimeError for another answer than the expected ones."""
        with self.connection() as client:
            # As after the page that follows an answer: "sent" was shown and is off the cookie again.
            client.cookies = dict(self.cookies)
            status, body, _ = client.send(method, path, form and {"csrf_token": self.token, **form})
        if status not in expect:
            raise RuntimeError(f"{method} {path} gave {status}: {body[:200]!r}")
        return body

    @contextmanager
    def connection(self) -> Iterator[Client]:
        """A free connection, or a new one; one that failed is not used again."""
        with self.lock:
            since, client = self.idle.pop() if self.idle else (0.0, Client(self.port))
        if time.monotonic() - since > IDLE_SECONDS:
            client = Client(self.port)
        yield client
        with self.lock:
            self.idle.append((time.monotonic(), client))


def main() -> int:
    """Print the tables; exit code 1 after an error, a late 95th percentile, or growing memory."""
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as folder, start_temporary(DURABLE) as server:
        server.create_database(DATABASE)
        environ = environ_of(server, Path(folder), WEB_WORKERS=WORKERS, WEB_THREADS="100")
        fill(environ)
        with serve("wsgi:app", environ) as served:
            kinds = _kinds(served.port, server)
            run_arrivals(kinds, rate=RATE, seconds=min(WARM_SECONDS, SECONDS), seed=1, at={})
            return _measure(kinds, served)


def _kinds(port: int, server: TemporaryServer) -> list[Kind]:
    customers = [_customer(port, server, f"customer{number}@scale.example") for number in range(1, CUSTOMERS + 1)]
    known = [ticket for person in customers for ticket in person.tickets]
    staff = [_member(port, email, known) for email in STAFF]
    chance = random.Random(2)

    def by(people: list[Person], ask: Callable[[Person], object]) -> Callable[[], object]:
        return lambda: ask(chance.choice(people))

    def page(path: str) -> Callable[[Person], object]:
        return lambda person: person.send("GET", path.format(ticket=chance.choice(person.tickets)), 200)

    mine, theirs = partial(by, customers), partial(by, staff)
    return [
        Kind("customer list", 18, mine(page("/portal/tickets"))),
        Kind("customer ticket", 18, mine(page("/portal/tickets/{ticket}"))),
        Kind("dashboard", 8, mine(page("/portal/"))),
        Kind("customer search", 4, mine(page(f"/portal/tickets?view=all&q={COMMON_WORD}"))),
        Kind("related tickets", 4, mine(page("/portal/tickets/{ticket}/related"))),
        Kind("customer reply", 4, mine(partial(_reply, chance))),
        Kind("create", 4, mine(_create)),
        Kind("staff queue", 12, theirs(page("/admin/tickets/"))),
        Kind("staff ticket", 12, theirs(partial(_open, chance))),
        Kind("links of a ticket", 4, theirs(page("/admin/relations/{ticket}"))),
        Kind("staff search, rare", 2, theirs(page(f"/admin/tickets/?view=all&q={RARE_WORD}"))),
        Kind("staff search, common", 2, theirs(page(f"/admin/tickets/?view=all&q={COMMON_WORD}"))),
        Kind("staff reply", 6, theirs(partial(_answer, chance))),
        Kind("note", 2, theirs(partial(_note, chance))),
    ]


def _customer(port: int, server: TemporaryServer, email: str) -> Person:
    client = signed_in(port, email)
    token = token_of(client.send("GET", "/portal/tickets/new")[1])
    return Person(port, dict(client.cookies), token, open_tickets(server, email))


def _member(port: int, email: str, tickets: list[str]) -> Person:
    client = signed_in(port, email)
    token = token_of(client.send("GET", f"/admin/tickets/{tickets[0]}")[1])
    return Person(port, dict(client.cookies), token, tickets)


def _reply(chance: random.Random, person: Person) -> None:
    form = {"message": "Any news?", "request_key": str(uuid4())}
    person.send("POST", f"/portal/tickets/{chance.choice(person.tickets)}/reply", 303, form=form)


def _create(person: Person) -> None:
    form = {"subject": "Measured", "description": "At this rate.", "category": "technical", "priority": "normal"}
    person.send("POST", "/portal/tickets/new", 303, form={**form, "request_key": str(uuid4())})


def _open(chance: random.Random, person: Person) -> None:
    ticket = chance.choice(person.tickets)
    person.opened.append((ticket, seen_of(person.send("GET", f"/admin/tickets/{ticket}", 200))))


def _answer(chance: random.Random, person: Person) -> None:
    """Answer the ticket that was opened first; 409 is right where somebody else wrote since."""
    if not person.opened:
        _open(chance, person)
    ticket, seen = person.opened.popleft()
    form = {"message": "We are looking at it.", "message_id": str(uuid4()), "seen": seen}
    person.send("POST", f"/admin/tickets/{ticket}/reply", 303, 409, form=form)


def _note(chance: random.Random, person: Person) -> None:
    form = {"message": "The lamp blinks."}
    person.send("POST", f"/admin/tickets/{chance.choice(person.tickets)}/note", 303, form=form)


def _measure(kinds: list[Kind], served: Served) -> int:
    memory: dict[str, list[float]] = {"start": server_mb(served.pid)}

    def weigh(name: str) -> None:
        memory[name] = server_mb(served.pid)

    began = time.perf_counter()
    taken = run_arrivals(kinds, rate=RATE, seconds=SECONDS, seed=3, at={SECONDS / 2: partial(weigh, "middle")})
    lasted = time.perf_counter() - began
    weigh("end")
    return _report(taken, lasted, memory)


def _report(taken: Taken, lasted: float, memory: dict[str, list[float]]) -> int:
    every = [ms for times in taken.times.values() for ms in times]
    print(f"\n{len(every):,} requests in {lasted:.0f} s ({len(every) / lasted:.0f} a second), {len(taken.errors)} errors, "
          f"at most {taken.most_at_once} at once; the client itself was late by {percentile(taken.late, 0.99):.1f} ms (p99)")  # fmt: skip
    for problem in taken.errors[:5]:
        print(f"  {problem}")
    print("\n| request | number | p50 ms | p95 ms | p99 ms |\n|---|---|---|---|---|")
    for name, times in {**taken.times, "all": every}.items():
        row = [percentile(times, share) for share in (0.5, 0.95, 0.99)]
        print(f"| {name} | {len(times):,} | {row[0]:.1f} | {row[1]:.1f} | {row[2]:.1f} |")
    print("\n| memory, MB | first process | workers | together |\n|---|---|---|---|")
    for name, (first, *workers) in memory.items():
        print(f"| {name} | {first:.0f} | {' + '.join(f'{one:.0f}' for one in workers)} | {first + sum(workers):.0f} |")
    late = percentile(every, 0.95) > BUDGET_MS
    grew = "middle" in memory and sum(memory["end"]) > sum(memory["middle"]) * FLAT
    print(f"\nerrors: {'MISSED' if taken.errors else 'none'}; p95 of {BUDGET_MS:.0f} ms: {'MISSED' if late else 'kept'}; "
          f"memory from the middle to the end: {'MISSED' if grew else 'flat'}")  # fmt: skip
    return 1 if taken.errors or late or grew else 0


if __name__ == "__main__":
    sys.exit(main())
