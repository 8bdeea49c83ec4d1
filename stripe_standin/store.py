"""The state file: objects, what waits for the clock, deliveries, idempotency records. One transaction a request."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Body = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, kind TEXT, created INTEGER, customer TEXT, intent TEXT,
    body TEXT, hidden TEXT);
CREATE INDEX IF NOT EXISTS objects_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_customer ON objects (customer, kind, seq) WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_intent ON objects (intent, kind, seq) WHERE intent IS NOT NULL;
CREATE TABLE IF NOT EXISTS timers (due REAL, step TEXT, id TEXT, PRIMARY KEY (step, id));
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT, endpoint TEXT, due REAL, made REAL, attempt INTEGER, state TEXT);
CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (due) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS idempotency (key TEXT PRIMARY KEY, digest TEXT, status INTEGER, body TEXT, created REAL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT);
"""


class Store:
    """SQLite behind one lock: requests are short, and the order of what happened is the order of commits."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # A killed process loses nothing that was committed; a lost machine may.
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + TABLES)

    @contextmanager
    def transaction(self) -> Iterator["Store"]:
        """Everything or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Within a transaction: undo this part alone when it raises an error that keeps nothing."""
        self._db.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException as error:
            if not getattr(error, "keeps", False):
                self._db.execute("ROLLBACK TO attempt")
            raise
        finally:
            self._db.execute("RELEASE attempt")

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement."""
        return self._db.execute(statement, values).fetchall()

    def save(self, body: Body, *, hidden: Body | None = None) -> None:
        """Write an object as it is now; `hidden` is what no answer shows."""
        told = json.dumps(body)
        if self.run("SELECT 1 FROM objects WHERE id = ?", body["id"]):
            self.run("UPDATE objects SET body = ?, customer = ? WHERE id = ?", told, body.get("customer"), body["id"])
        else:
            self.run(
                "INSERT INTO objects (id, kind, created, customer, intent, body, hidden) VALUES (?,?,?,?,?,?,?)",
                *(body.get(name) for name in ("id", "object", "created", "customer", "payment_intent")), told, "{}",
            )  # fmt: skip
        if hidden is not None:
            self.run("UPDATE objects SET hidden = ? WHERE id = ?", json.dumps(hidden), body["id"])

    def load(self, object_id: str, kind: str | None = None) -> Body | None:
        """An object, if it is there and of that kind."""
        for body, found in self.run("SELECT body, kind FROM objects WHERE id = ?", object_id):
            if kind in (None, found):
                return dict(json.loads(body))
        return None

    def hidden(self, object_id: str) -> Body:
        """What no answer shows of an object."""
        for (hidden,) in self.run("SELECT hidden FROM objects WHERE id = ?", object_id):
            return dict(json.loads(hidden))
        return {}

    def delete(self, object_id: str) -> None:
        """Forget an object."""
        self.run("DELETE FROM objects WHERE id = ?", object_id)

    def setting(self, name: str, default: Any) -> Any:
        """A setting of the control endpoints."""
        for (value,) in self.run("SELECT value FROM settings WHERE name = ?", name):
            return json.loads(value)
        return default

    def set(self, name: str, value: Any) -> None:
        """Change a setting."""
        self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, json.dumps(value))

    def now(self) -> float:
        """Seconds of the stand-in's clock, which can be moved."""
        return time.time() + float(self.setting("offset", 0))

    def wake(self, step: str, object_id: str, due: float) -> None:
        """Have the clock do a step on an object at a time."""
        self.run("INSERT OR REPLACE INTO timers VALUES (?, ?, ?)", due, step, object_id)

    def settled(self, step: str, object_id: str) -> None:
        """Nothing waits for this any more."""
        self.run("DELETE FROM timers WHERE step = ? AND id = ?", step, object_id)

    def clear(self) -> None:
        """An empty world at the present time."""
        for table in ("objects", "timers", "deliveries", "idempotency", "settings"):
            self.run(f"DELETE FROM {table}")  # noqa: S608 - names of our own
