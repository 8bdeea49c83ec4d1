"""`python -m bench.money`: pages, acceptance, documents and the gateway's ways of money, beside the floor.

The database has 100,000 tickets as for all benchmarks, and 20,000 invoices, of which the measured customer has some
hundreds and one account so many that its statement has 10,000 lines (`portal/demo/scale_money.py`).

Options by environment: BENCH_TICKETS (100000), BENCH_INVOICES (20000), BENCH_ROUNDS (3), BENCH_SECONDS (2),
BENCH_CLICKS (60).
"""

import http.client
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from bench.client import Client, Load, percentile, token_of
from bench.money_documents import Made, make_statements, time_pdfs, time_seals
from bench.money_gateway import Toll, environ_for, gateway, tell
from bench.money_world import Offer, accepted_quotes, ids_of, send_quotes
from bench.pages import Answer, Floor, Page, measure, report
from bench.serving import CUSTOMER, DATABASE, DURABLE, TICKETS, environ_of, fill, serve, signed_in
from portal.config import Settings
from portal.demo.scale_money import add_money
from portal.models import StatementFormat
from portal.models.session import TenantSessions, build_engine
from runner.postgres import TemporaryServer, start_temporary

INVOICES = int(os.environ.get("BENCH_INVOICES", "20000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
CLICKS = int(os.environ.get("BENCH_CLICKS", "60"))
# Of one round with the floor between (`paired_ms`); two calls before, and one quote that stays open, come on top.
MOST_TURNS = 203
BILLING = "bill@demo.example"
EVENTS, SEALS = 300, 30
STATEMENT_SECONDS, FLAT = 5.0, 1.25
# A PDF is set as a whole. Its length is bounded (`files.PDF_LINES`), and by that its memory; this is for 10,000 lines.
PDF_MEGABYTES = 400.0


@dataclass(frozen=True)
class Row:
    """A row of the second table: milliseconds, and what of them has to be within the budget (None: nothing)."""

    name: str
    times: list[float]
    budget: float | None
    share: float = 0.5

    @property
    def missed(self) -> bool:
        """Whether it is over its budget."""
        return self.budget is not None and percentile(self.times, self.share) > self.budget


def main() -> int:
    """Print the tables; exit code 1 where a budget is missed."""
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as folder, start_temporary(DURABLE) as server:
        server.create_database(DATABASE)
        with gateway(Path(folder)) as toll:
            environ = environ_of(server, Path(folder), **environ_for(toll))
            fill(environ)
            _fill_money(server)
            # This process does the worker's part.
            os.environ.update(environ)
            settings = Settings.from_env()
            sessions = TenantSessions(build_engine(settings.database_url, pool_size=2))
            offers = send_quotes(sessions, ROUNDS * MOST_TURNS + 3)
            with serve("wsgi:app", environ) as product, serve("bench.floor:app()", environ) as floor:
                missed = _pages(product.port, Floor(floor.port), server, offers)
                rows = [
                    _invoice_pdf(product.port, server),
                    *_pay_clicks(product.port, server, toll),
                    *_webhooks(product.port),
                ]
            # What follows is the worker's, beside which nothing else is at work.
            rows.append(
                Row(
                    "a quote drawn, sealed, recorded",
                    time_seals(sessions, accepted_quotes(server, SEALS), settings),
                    400,
                )
            )
            made = make_statements(sessions, environ)
            sessions.engine.dispose()
    return 1 if missed + _print_rows(rows) + _print_statements(made) else 0


def _fill_money(server: TemporaryServer) -> None:
    began = time.perf_counter()
    owner = create_engine(
        server.owner_url(DATABASE).replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool
    )
    add_money(owner, invoices=INVOICES, customers=max(10, TICKETS // 100))
    print(f"{INVOICES:,} invoices written in {time.perf_counter() - began:.0f} s", flush=True)


def _pages(port: int, floor: Floor, server: TemporaryServer, offers: list[Offer]) -> int:
    customer, billing = signed_in(port, CUSTOMER), signed_in(port, BILLING)
    invoice, quote = ids_of(server, "invoices", CUSTOMER, "status = 'overdue'")[0], offers[-1].id
    standing = [
        ("customer's invoices", customer, "/portal/invoices", 1.8, 0.55, 5),
        ("customer's invoice", customer, f"/portal/invoices/{invoice}", 1.8, 0.55, 5),
        ("customer's payments", customer, "/portal/payments", 2.0, 0.5, 8),
        ("customer's quotes", customer, "/portal/quotes", 2.0, 0.5, 8),
        ("customer's quote, to be signed", customer, f"/portal/quotes/{quote}", 2.0, 0.5, 8),
        ("staff: invoices", billing, "/admin/invoices/", 3.0, 0.3, 8),
        ("staff: invoice", billing, f"/admin/invoices/{invoice}", 3.0, 0.3, 9),
        ("staff: receivables", billing, "/admin/billing/receivables/", 3.0, 0.3, 8),
    ]
    pages = [
        Page(name, _getter(client, path), slower, rate, sql, load=Load((path,), client.cookies))
        for name, client, path, slower, rate, sql in standing
    ]
    pages.append(Page("accept a quote", _acceptor(port, iter(offers[:-1])), 3.0, 0.35, 8, floor="post", expect=303))
    return report(pages, floor, measure(pages, floor, rounds=ROUNDS, seconds=SECONDS), port)


def _getter(client: Client, path: str) -> Callable[[], Answer]:
    return lambda: client.send("GET", path)


def _acceptor(port: int, offers: Iterator[Offer]) -> Callable[[], Answer]:
    """Each call signs another quote, as a browser sends it."""
    client = signed_in(port, CUSTOMER)
    form = {
        "csrf_token": token_of(client.send("GET", "/portal/tickets/new")[1]),
        "signer_name": "Customer 5",
        "consent": "1",
    }
    # A browser shows "accepted" on the page that follows, which takes it off the cookie again.
    fresh = dict(client.cookies)

    def accept() -> Answer:
        client.cookies, offer = dict(fresh), next(offers)
        return client.send(
            "POST", f"/portal/quotes/{offer.id}/accept", {**form, "content_sha256": offer.content_sha256}
        )

    return accept


def _invoice_pdf(port: int, server: TemporaryServer) -> Row:
    invoices = ids_of(server, "invoices", CUSTOMER, "status = 'paid'")[:60]
    return Row("an invoice's PDF with its XML inside, warm", time_pdfs(signed_in(port, CUSTOMER), invoices), 100)


def _pay_clicks(port: int, server: TemporaryServer, toll: Toll) -> list[Row]:
    client = signed_in(port, CUSTOMER)
    token = token_of(client.send("GET", "/portal/tickets/new")[1])
    own, theirs = [], []
    # The first click also makes the company's record at the gateway.
    for invoice in ids_of(server, "invoices", CUSTOMER, "status = 'overdue'")[1 : CLICKS + 2]:
        before, began = toll.seconds, time.perf_counter()
        status, body, headers = client.send(
            "POST", f"/portal/invoices/{invoice}/pay", {"csrf_token": token, "method": "new_card"}
        )
        taken = (time.perf_counter() - began) * 1000
        if status != 303 or "/pay/" not in headers.get("Location", ""):
            raise RuntimeError(f"paying gave {status} {headers.get('Location')}: {body[:300]!r}")
        theirs.append((toll.seconds - before) * 1000)
        own.append(taken - theirs[-1])
    return [
        Row("pay: click to the redirect, less the gateway's time", own[1:], 300, 0.95),
        Row("pay: the gateway's time", theirs[1:], None),
    ]


def _webhooks(port: int) -> list[Row]:
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(5):
        tell(port, kept)
    return [
        Row("webhook, one after the other", [tell(port, kept) for _ in range(EVENTS)], 50, 0.95),
        Row("webhook, each by a connection of its own", [tell(port) for _ in range(EVENTS)], 50, 0.95),
    ]


def _print_rows(rows: list[Row]) -> int:
    print("\n| what | p50 ms | p95 ms | max ms | budget |\n|---|---|---|---|---|")
    for row in rows:
        budget = f"{'p95' if row.share > 0.5 else 'p50'} {row.budget:.0f}" if row.budget else ""
        print(f"| {row.name} | {percentile(row.times, 0.5):.1f} | {percentile(row.times, 0.95):.1f} | {max(row.times):.1f} | "
              f"{budget} |{' MISSED' if row.missed else ''}")  # fmt: skip
    return sum(row.missed for row in rows)


def _print_statements(made: list[Made]) -> int:
    print("\n| statement | lines | seconds | budget | loaded MB | highest MB | of the short one | budget | KB |")
    print("|---|---|---|---|---|---|---|---|---|")
    missed, short = 0, {}
    for one in made:
        base = short.setdefault(one.format, one.peak)
        bounded = one.format is StatementFormat.PDF
        over = one.peak > PDF_MEGABYTES if bounded else one.peak > base * FLAT
        late = over or one.seconds > STATEMENT_SECONDS
        missed += late
        print(f"| {one.format.value} | {one.lines:,} | {one.seconds:.2f} | {STATEMENT_SECONDS:.0f} | {one.loaded:.0f} | "
              f"{one.peak:.0f} | {one.peak / base:.2f} | {f'{PDF_MEGABYTES:.0f} MB' if bounded else FLAT} | "
              f"{one.kilobytes:,.0f} |{' MISSED' if late else ''}")  # fmt: skip
    return missed


if __name__ == "__main__":
    sys.exit(main())
