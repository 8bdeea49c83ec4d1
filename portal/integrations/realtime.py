"""The line from the relay to the web processes: one NOTIFY a batch with ids, never with text."""

import json
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

log = logging.getLogger(__name__)
CHANNEL = "portal_live"
# PostgreSQL takes payloads under 8,000 bytes.
PAYLOAD_BYTES = 7_900
LISTEN_SECONDS = 1.0
BACKOFF_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class LiveEntry:
    """Something changed; who may hear of it is decided by whoever holds the sockets.

    `company_id` and `requester_id` are those of a ticket, `user_ids` whose bell rings or whose following changed.
    """

    tenant_id: UUID
    kind: str
    record_type: str
    record_id: UUID
    staff_only: bool = False
    company_id: UUID | None = None
    requester_id: UUID | None = None
    user_ids: tuple[UUID, ...] = ()

    def packed(self) -> dict[str, Any]:
        """Short keys: the payload is small."""
        entry: dict[str, Any] = {
            "t": str(self.tenant_id),
            "k": self.kind,
            "rt": self.record_type,
            "r": str(self.record_id),
            "s": self.staff_only,
        }
        if self.company_id and self.requester_id:
            entry |= {"c": str(self.company_id), "q": str(self.requester_id)}
        if self.user_ids:
            entry["u"] = [str(user_id) for user_id in self.user_ids]
        return entry


def pack(entries: Iterable[LiveEntry]) -> list[str]:
    """JSON lists of entries, each short enough for one NOTIFY."""
    payloads: list[str] = []
    batch: list[str] = []
    size = 2
    for text in (json.dumps(part, separators=(",", ":")) for entry in entries for part in _parts(entry)):
        if batch and size + len(text) + 1 > PAYLOAD_BYTES:
            payloads.append(f"[{','.join(batch)}]")
            batch, size = [], 2
        batch.append(text)
        size += len(text) + 1
    if batch:
        payloads.append(f"[{','.join(batch)}]")
    return payloads


def _parts(entry: LiveEntry) -> Iterable[dict[str, Any]]:
    """An entry with very many bells goes out in several."""
    packed = entry.packed()
    bells = packed.get("u", [])
    if len(bells) <= 100:
        yield packed
        return
    for start in range(0, len(bells), 100):
        yield packed | {"u": bells[start : start + 100]}


def unpack(payload: str) -> list[LiveEntry]:
    """The entries of a payload."""
    return [
        LiveEntry(
            tenant_id=UUID(entry["t"]),
            kind=entry["k"],
            record_type=entry["rt"],
            record_id=UUID(entry["r"]),
            staff_only=bool(entry["s"]),
            company_id=UUID(entry["c"]) if "c" in entry else None,
            requester_id=UUID(entry["q"]) if "q" in entry else None,
            user_ids=tuple(UUID(user_id) for user_id in entry.get("u", ())),
        )
        for entry in json.loads(payload)
    ]


class LiveListener:
    """A thread that hears what the relay says; a lost connection is made again, and the gap is told."""

    def __init__(self, url: str, on_entries: Callable[[list[LiveEntry]], None], on_gap: Callable[[], None]) -> None:
        """`url` in any usual spelling; `on_gap` is called when entries may have been missed."""
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._on_entries = on_entries
        self._on_gap = on_gap
        self._hearing = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-listener", daemon=True)

    def start(self) -> None:
        """Begin to listen in the background."""
        self._thread.start()

    def wait_until_hearing(self, seconds: float) -> bool:
        """Whether entries told from now on are heard, at the latest after `seconds`."""
        return self._hearing.wait(seconds)

    def stop(self) -> None:
        """End the thread within a second or two."""
        self._ended.set()
        self._thread.join(LISTEN_SECONDS + 1)

    def _run(self) -> None:
        failures = 0
        heard_before = False
        while not self._ended.is_set():
            try:
                with psycopg.connect(
                    self._url, autocommit=True, connect_timeout=5, application_name="portico live"
                ) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._hearing.set()
                    if heard_before:
                        self._on_gap()
                    failures, heard_before = 0, True
                    self._listen(connection)
            except (psycopg.Error, OSError) as error:
                self._hearing.clear()
                log.warning("live line lost: %s", type(error).__name__)
                self._ended.wait(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
                failures += 1

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        while not self._ended.is_set():
            for notice in connection.notifies(timeout=LISTEN_SECONDS):
                try:
                    self._on_entries(unpack(notice.payload))
                except Exception:
                    log.exception("live entry not passed on")
