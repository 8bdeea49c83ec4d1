"""`make bench`: Portico's pages beside the floor, interleaved, at 100,000 tickets; prints the table of the budgets.

Options by environment: BENCH_TICKETS (100000), BENCH_ROUNDS (3), BENCH_SECONDS (2).
"""

import os
import sys
import tempfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from uuid import uuid4

from bench.client import Client, Load, token_of
from bench.pages import Floor, Page, measure, report
from bench.serving import AGENT, CUSTOMER, DATABASE, DURABLE, environ_of, fill, open_tickets, serve, signed_in
from portal.demo.scale import COMMON_WORD, RARE_WORD
from runner.postgres import TemporaryServer, start_temporary

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
NEW_TICKET = {"subject": "Bench", "description": "Measured.", "category": "technical", "priority": "normal"}
REPLY = {"message": "Any news?"}


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
    floor, pages = Floor(floor_port), _pages(port, server)
    taken = measure(pages, floor, rounds=ROUNDS, seconds=SECONDS)
    return 1 if report(pages, floor, taken, port) else 0


if __name__ == "__main__":
    sys.exit(main())
