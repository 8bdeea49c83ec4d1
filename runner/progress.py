"""What a person sees while things are set up: one line for each step, with its seconds."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Progress:
    """Prints steps and notes; several threads may use it, a note never tears a step's line apart."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._lock = threading.Lock()
        self._open = ""
        self._tty = self._out.isatty()

    def say(self, text: str) -> None:
        """Print one line by itself."""
        with self._lock:
            self._write(("\n" if self._open else "") + text + "\n")
            self._open = ""

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show `text` while the block runs, then how long it took; the seconds tick on a terminal."""
        begun = time.monotonic()
        with self._lock:
            self._write(("\n" if self._open else "") + f"{text} …")
            self._open = text
        done = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(text, begun, done), daemon=True)
        ticker.start()
        outcome = "stopped after "
        try:
            yield
            outcome = ""
        finally:
            done.set()
            ticker.join()
            self._close(text, f"{outcome}{time.monotonic() - begun:.1f} s")

    def _tick(self, text: str, begun: float, done: threading.Event) -> None:
        while not done.wait(1 if self._tty else 30):
            seconds = f"{time.monotonic() - begun:.0f} s"
            with self._lock:
                if self._open == text:
                    self._write(f"\r{text} … {seconds} " if self._tty else f" {seconds}")

    def _close(self, text: str, seconds: str) -> None:
        with self._lock:
            if self._open == text:
                self._write(f"\r{text} … {seconds}\n" if self._tty else f" {seconds}\n")
            else:
                self._write(f"{text}: {seconds}\n")
            self._open = ""

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except (BrokenPipeError, ValueError):
            # The reader of our output left; the children matter more than the telling.
            self._tty = False
