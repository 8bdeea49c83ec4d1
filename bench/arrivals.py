"""Requests that come when they come: an open loop, in which a slow answer holds up none of those behind it."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

# Far more than should ever be under way at once: with all of them busy, arrivals would wait.
MOST_AT_ONCE = 400


@dataclass(frozen=True)
class Kind:
    """A kind of request: how often it comes beside the others, and what it does; `ask` raises for a wrong answer."""

    name: str
    weight: int
    ask: Callable[[], object]


@dataclass
class Taken:
    """What came of the requests: milliseconds from the planned arrival to the whole answer, and what went wrong."""

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    most_at_once: int = 0


def run_arrivals(
    kinds: Sequence[Kind], *, rate: float, seconds: float, seed: int, at: dict[float, Callable[[], None]]
) -> Taken:
    """Let requests arrive at random (Poisson), `rate` a second on average; `at` names what to do after so many seconds.

    Time counts from the planned arrival, so what the client itself is late by counts too; `late` tells how much.
    """
    chance, lock, taken, under_way = random.Random(seed), threading.Lock(), Taken(), 0
    weights = [kind.weight for kind in kinds]

    def ask(kind: Kind, planned: float) -> None:
        nonlocal under_way
        began, problem = time.perf_counter(), ""
        with lock:
            under_way += 1
            taken.most_at_once = max(taken.most_at_once, under_way)
        try:
            kind.ask()
        except Exception as error:
            problem = f"{kind.name}: {error}"
        ended = time.perf_counter()
        with lock:
            under_way -= 1
            taken.late.append((began - planned) * 1000)
            taken.times.setdefault(kind.name, []).append((ended - planned) * 1000)
            if problem:
                taken.errors.append(problem)

    start = planned = time.perf_counter()
    waiting = sorted(at.items())
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        while (planned := planned + chance.expovariate(rate)) < start + seconds:
            while waiting and planned - start >= waiting[0][0]:
                pool.submit(waiting.pop(0)[1])
            time.sleep(max(0.0, planned - time.perf_counter()))
            pool.submit(ask, chance.choices(kinds, weights)[0], planned)
    return taken
