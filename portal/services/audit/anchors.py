"""Witnesses of the chains outside of the database: who can rewrite every row there cannot rewrite these with it.

`anchors.jsonl` gets a line per tenant and day and is only ever appended to; copy it elsewhere to make it count for
more. `heads.json` holds the newest head of each tenant, so that a tail that was cut off is missed within seconds.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from portal.services.audit.chain import Head

ANCHORS, HEADS = "anchors.jsonl", "heads.json"


class UnreadableAnchors(Exception):
    """A file of witnesses holds something that was not written by the sealer; names file and line."""


@dataclass(frozen=True)
class Anchor:
    """The head of a chain as it was on a day (UTC)."""

    day: date
    head: Head


class AnchorFolder:
    """The two files in their folder, which is made when first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read_anchors(self) -> list[Anchor]:
        """Every anchor, oldest first. Raises UnreadableAnchors."""
        path = self.folder / ANCHORS
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        found = []
        for number, line in enumerate(lines, 1):
            try:
                values = json.loads(line)
                found.append(Anchor(date.fromisoformat(values["date"]), _head(values["tenant"], values)))
            except (ValueError, KeyError, TypeError) as error:
                raise UnreadableAnchors(f"{path}, line {number}") from error
        return found

    def add_anchors(self, heads: Mapping[UUID, Head], day: date) -> None:
        """Append a line for each head, and have it on the disk when this returns."""
        lines = [json.dumps({"date": day.isoformat(), "tenant": str(id_), **_plain(h)}) for id_, h in heads.items()]
        self._make()
        file = os.open(self.folder / ANCHORS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, "".join(f"{line}\n" for line in lines).encode())
            os.fsync(file)
        finally:
            os.close(file)

    def read_heads(self) -> dict[UUID, Head]:
        """The newest head of each tenant. Raises UnreadableAnchors."""
        path = self.folder / HEADS
        if not path.exists():
            return {}
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return {UUID(key): _head(key, value) for key, value in values.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnreadableAnchors(str(path)) from error

    def write_heads(self, heads: Mapping[UUID, Head]) -> None:
        """Replace the heads as one: a reader finds the old ones or the new ones."""
        self._make()
        fresh = self.folder / f"{HEADS}.new"
        fresh.write_text(json.dumps({str(id_): _plain(head) for id_, head in heads.items()}), encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(self.folder / HEADS)

    def forget(self) -> None:
        """Remove both files: the chains they speak of are gone (`portal demo reset`)."""
        for name in (ANCHORS, HEADS):
            (self.folder / name).unlink(missing_ok=True)

    def _make(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _head(tenant: Any, values: Mapping[str, Any]) -> Head:
    position = values["position"]
    if type(position) is not int or position < 1:
        raise ValueError(position)
    return Head(UUID(tenant), position, bytes.fromhex(values["hash"]))


def _plain(head: Head) -> dict[str, Any]:
    return {"position": head.position, "hash": head.hash.hex()}
