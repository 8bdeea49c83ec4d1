"""`make bench`: Portico's pages beside the floor, interleaved, at 100,000 tickets; prints the table of the budgets.

Options by environment: BENCH_TICKETS (100000), BENCH_ROUNDS (3), BENCH_SECONDS (2).
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from uuid import uuid4

from bench.client import Client, Load, middle, paired_ms, percentile, throughput, token_of
from bench.serving import AGENT, CUSTOMER, DATABASE, DURABLE, environ_of, fill, open_tickets, serve, signed_in
from portal.demo.scale import COMMON_WORD, RARE_WORD
from runner.postgres import TemporaryServer, start_temporary

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
NEW_TICKET = {"subject": "Bench", "description": "Measured.", "category": "technical", "priority": "normal"}
REPLY = {"message": "Any news?"}


@dataclass
class Page:
    """A page with its budget: times the floor at one client, share of the floor's rate at eight, statements."""

    name: str
    call: Callable[[], tuple[int, bytes, dict[str, str]]]
    slower: float
    rate: float
    sql: int
    floor: str = "portal"
    expect: int = 200
    load: Load | None = None


@dataclass
class Turns:
    """Milliseconds of a page, and of the floor in the turns between."""

    floor: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)

    def add(self, floor: list[float], page: list[float]) -> None:
        """One more round."""
        self.floor += floor
        self.page += page


def main() -> int:
    """Run the benchmark and print the table; exit code 1 when a budget is missed by more than a quarter."""
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as folder, start_temporary(DURABLE) as server:
        server.create_database(DATABASE)
        environ = environ_of(server, Path(folder))
        fill(environ)
        with serve("wsgi:app", environ) as product, serve("bench.floor:app()", environ) as floor:
            return _measure(product.port, floor.port, server)


def _pages(port: int, server: TemporaryServer) -> list[Page]:
    customer, agent = signed_in(port, CUSTOMER), signed_in(port, AGENT)
    token = token_of(customer.send("GET", "/portal/tickets/new")[1])
    # Answers would make the measured pages grow, and each measured answer heavier than the one before.
    ticket, *others = open_tickets(server, CUSTOMER)
    detail = f"/portal/tickets/{ticket}"
    turn = cycle(others)
    # A browser goes to the page that follows, which shows "sent" and takes it off the cookie again; without
    # that, each answer would carry the messages of all before it.
    fresh = dict(customer.cookies)

    def write(path: str, **fields: str) -> tuple[int, bytes, dict[str, str]]:
        customer.cookies = dict(fresh)
        return customer.send("POST", path, {"csrf_token": token, "request_key": str(uuid4()), **fields})

    def new() -> tuple[int, bytes, dict[str, str]]:
        return write("/portal/tickets/new", **NEW_TICKET)

    def reply() -> tuple[int, bytes, dict[str, str]]:
        return write(f"/portal/tickets/{next(turn)}/reply", **REPLY)

    def get(client: Client, path: str) -> Callable[[], tuple[int, bytes, dict[str, str]]]:
        return lambda: client.send("GET", path)

    pages = [("customer list", customer, "/portal/tickets", 1.8, 0.55, 5),
             ("customer detail", customer, detail, 2.0, 0.5, 6),
             ("dashboard", customer, "/portal/", 2.0, 0.5, 8),
             ("staff queue", agent, "/admin/tickets/", 3.0, 0.3, 8),
             ("staff detail", agent, f"/admin/tickets/{ticket}", 3.0, 0.3, 9),
             ("staff search, rare", agent, f"/admin/tickets/?view=all&q={RARE_WORD}", 4.0, 0.25, 8),
             ("staff search, common", agent, f"/admin/tickets/?view=all&q={COMMON_WORD}", 4.0, 0.25, 8)]  # fmt: skip
    made = [
        Page(name, get(client, path), slower, rate, sql, load=Load((path,), client.cookies))
        for name, client, path, slower, rate, sql in pages
    ]
    writes = [("create", new, ("/portal/tickets/new",), NEW_TICKET),
              ("reply", reply, tuple(f"/portal/tickets/{other}/reply" for other in others), REPLY)]  # fmt: skip
    for name, call, paths, form in writes:
        load = Load(paths, fresh, {"csrf_token": token, **form}, key="request_key")
        made.append(Page(name, call, 3.0, 0.35, 8, floor="post", expect=303, load=load))
    return made


def _measure(port: int, floor_port: int, server: TemporaryServer) -> int:
    floor = Client(floor_port)
    floor.send("GET", "/login")
    floors = {
        "portal": Page("floor: portal", lambda: floor.send("GET", "/portal"), 1, 1, 3),
        "post": Page("floor: post", lambda: floor.send("POST", "/post", {"message": "x"}), 1, 1, 2, expect=302),
    }
    pages = _pages(port, server)
    # Sizes of the pages before the benchmark itself writes.
    sizes = {page.name: len(page.call()[1]) for page in pages}
    turns = {page.name: Turns() for page in pages}
    for _ in range(ROUNDS):
        for page in pages:
            base = floors[page.floor]
            # Half of the time goes to the floor, which takes every other turn.
            turns[page.name].add(*paired_ms((base.call, page.call), 2 * SECONDS, (base.expect, page.expect)))
    loads = {
        "portal": Load(("/portal",), floor.cookies),
        "post": Load(("/post",), floor.cookies, {"message": "x"}),
    }
    # Right before each page's own: what else runs on the machine changes within seconds.
    return _report(pages, floors, turns, lambda name: _rate(floor_port, loads[name]), sizes, port)


def _rate(port: int, load: Load) -> float | None:
    # Each of the server's connections plans a statement anew for the first few times; a rate is that of a warm server.
    throughput(port, load, 1)
    return throughput(port, load, 3)


def _report(
    pages: list[Page],
    floors: dict[str, Page],
    turns: dict[str, Turns],
    floor_rate: Callable[[str], float | None],
    sizes: dict[str, int],
    port: int,
) -> int:
    missed = 0
    print("\n| page | p50 ms | p95 ms | x floor | budget | req/s at 8 | share | budget | SQL | budget | KB |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for kind, page in floors.items():
        every = [taken for other in pages if other.floor == kind for taken in turns[other.name].floor]
        print(f"| {page.name} | {middle(every):.2f} | {percentile(every, 0.95):.2f} | 1.0 | | | | | {page.sql} | | |")
    for page in pages:
        own = turns[page.name].page
        ratio = middle(own) / middle(turns[page.name].floor)
        _, _, headers = page.call()
        found = re.search(r'desc="(\d+)"', headers.get("Server-Timing", ""))
        statements = int(found[1]) if found else -1
        base = floor_rate(page.floor) if page.load else None
        rate = _rate(port, page.load) if page.load else None
        share = rate / base if rate and base else None
        late = ratio > page.slower * 1.25 or statements > page.sql
        missed += late
        print(f"| {page.name} | {middle(own):.2f} | {percentile(own, 0.95):.2f} | {ratio:.2f} | "
              f"{page.slower} | {f'{rate:.0f}' if rate else ''} | {f'{share:.2f}' if share else ''} | {page.rate} | "
              f"{statements} | {page.sql} | {sizes[page.name] / 1024:.1f} |{' MISSED' if late else ''}", flush=True)  # fmt: skip
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
