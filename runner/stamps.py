"""Remembers from what each set-up step last ran, so that it runs again only when that changed."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def digest(paths: Iterable[Path], *, base: Path) -> str:
    """One hash over names and contents of files; folders count with everything in them."""
    total = hashlib.sha256()
    for path in sorted({file for given in paths for file in _files(given)}):
        total.update(str(path.relative_to(base)).encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    return [path] if path.is_file() else []


class Stamps:
    """A small file of `step: what it last ran from`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._known: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._known = {}

    def get(self, step: str) -> str:
        """The last value, empty when the step never ran."""
        return self._known.get(step, "")

    def set(self, step: str, value: str) -> None:
        """Write the value down; to be called when the step is through, so that a cut-off one runs again."""
        self._known[step] = value
        self._path.write_text(json.dumps(self._known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
