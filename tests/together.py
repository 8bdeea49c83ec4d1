"""Things that happen at the same moment."""

import threading
from collections.abc import Callable
from typing import Any


def at_once(count: int, call: Callable[[int], Any]) -> list[Any]:
    """What `call(index)` gives on so many threads at once, in the order of the indexes; what it raises, as a value."""
    ready = threading.Barrier(count)
    results: list[Any] = [None] * count

    def run(index: int) -> None:
        ready.wait(30)
        try:
            results[index] = call(index)
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return results


def codes_of(results: list[Any]) -> list[str]:
    """`ok`, or the code of the refusal, of each; anything else that was raised is raised here."""
    found = []
    for result in results:
        code = getattr(result, "code", None)
        if isinstance(result, Exception) and code is None:
            raise result
        found.append(str(code) if isinstance(result, Exception) else "ok")
    return found
