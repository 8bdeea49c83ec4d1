"""Pages measured in turns with the floor, and the table of their budgets."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.client import Client, Load, middle, paired_ms, percentile, throughput

Answer = tuple[int, bytes, dict[str, str]]
# What a ratio may be above its budget before it counts as missed: the machine is never quite quiet.
TOLERANCE = 1.25


@dataclass
class Page:
    """A page with its budget: times the floor at one client, share of the floor's rate at eight, statements."""

    name: str
    call: Callable[[], Answer]
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


@dataclass(frozen=True)
class Taken:
    """How long a page took beside the floor, how large it was, and by how many statements it was made."""

    turns: Turns
    bytes: int
    sql: int


class Floor:
    """The bare application beside the product."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._client = Client(port)
        self._client.send("GET", "/login")
        self.pages = {
            "portal": Page("floor: portal", lambda: self._client.send("GET", "/portal"), 1, 1, 3),
            "post": Page(
                "floor: post", lambda: self._client.send("POST", "/post", {"message": "x"}), 1, 1, 2, expect=302
            ),
        }

    def rate(self, kind: str) -> float | None:
        """Requests a second of eight clients."""
        load = Load(("/portal",), self._client.cookies)
        if kind == "post":
            load = Load(("/post",), self._client.cookies, {"message": "x"})
        return rate_of(self._port, load)


def rate_of(port: int, load: Load) -> float | None:
    """Requests a second of eight clients at a warm server; None where wrk is not installed."""
    # Each of the server's connections plans a statement anew for the first few times.
    throughput(port, load, 1)
    return throughput(port, load, 3)


def measure(pages: Sequence[Page], floor: Floor, *, rounds: int, seconds: float) -> dict[str, Taken]:
    """Let each page take turns with its floor for `seconds` a round."""
    # Sizes before the benchmark itself writes; statements of an answer that is nobody's first.
    sizes = {page.name: len(page.call()[1]) for page in pages}
    counts = {page.name: statements(page.call()[2]) for page in pages}
    turns = {page.name: Turns() for page in pages}
    for _ in range(rounds):
        for page in pages:
            base = floor.pages[page.floor]
            # Half of the time goes to the floor, which takes every other turn.
            turns[page.name].add(*paired_ms((base.call, page.call), 2 * seconds, (base.expect, page.expect)))
    return {name: Taken(turns[name], sizes[name], counts[name]) for name in turns}


def statements(headers: dict[str, str]) -> int:
    """How many statements the server says an answer took; -1 where it does not say."""
    found = re.search(r'desc="(\d+)"', headers.get("Server-Timing", ""))
    return int(found[1]) if found else -1


def report(pages: Sequence[Page], floor: Floor, taken: dict[str, Taken], port: int) -> int:
    """Print the table; returns how many pages miss their budget of time (with tolerance) or statements."""
    missed = 0
    print("\n| page | p50 ms | p95 ms | x floor | budget | req/s at 8 | share | budget | SQL | budget | KB |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for kind, page in floor.pages.items():
        every = [one for other in pages if other.floor == kind for one in taken[other.name].turns.floor]
        if every:
            print(
                f"| {page.name} | {middle(every):.2f} | {percentile(every, 0.95):.2f} | 1.0 | | | | | {page.sql} | | |"
            )
    for page in pages:
        found = taken[page.name]
        own = found.turns.page
        ratio = middle(own) / middle(found.turns.floor)
        # Right before each page's own rate: what else runs on the machine changes within seconds.
        base = floor.rate(page.floor) if page.load else None
        rate = rate_of(port, page.load) if page.load else None
        share = rate / base if rate and base else None
        late = ratio > page.slower * TOLERANCE or found.sql > page.sql
        missed += late
        print(f"| {page.name} | {middle(own):.2f} | {percentile(own, 0.95):.2f} | {ratio:.2f} | "
              f"{page.slower} | {f'{rate:.0f}' if rate else ''} | {f'{share:.2f}' if share else ''} | {page.rate if page.load else ''} | "
              f"{found.sql} | {page.sql} | {found.bytes / 1024:.1f} |{' MISSED' if late else ''}", flush=True)  # fmt: skip
    return missed
