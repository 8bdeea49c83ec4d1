"""The chain of hashes over a tenant's audit entries (SEC-06): what one link is made of.

A link's hash is the SHA-256 of the previous link's hash and one canonical text: every column of its entry and the
time of sealing, as the database itself writes them. So whatever is changed in a row changes its hash, a number's
trailing zero and a date that Python cannot hold included.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func

from portal.models import AuditEntry, AuditLink

# What the first link follows.
GENESIS = bytes(32)
# In the order in which they are hashed, which never changes; a new column joins at the end.
HASHED = (
    "tenant_id",
    "id",
    "seq",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "record_type",
    "record_id",
    "ip",
    "request_id",
    "before",
    "after",
)


@dataclass(frozen=True)
class Head:
    """Where a tenant's chain ended at some time; `position` 0 before the first link."""

    tenant_id: UUID
    position: int
    hash: bytes


def hashed_columns() -> list[ColumnElement[Any]]:
    """The entry's columns as texts, to be selected and given to `link_hash`."""
    return [_as_text(name, getattr(AuditEntry, name)) for name in HASHED]


def sealed_at_column() -> ColumnElement[Any]:
    """A link's time of sealing as `moment_text` writes it."""
    return _as_text("sealed_at", AuditLink.sealed_at)


def link_hash(previous: bytes, entry: Sequence[str | None], sealed_at: str) -> bytes:
    """The hash of the link after `previous`; `entry` are the texts of `hashed_columns`."""
    canonical = json.dumps([*entry, sealed_at], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous + canonical.encode()).digest()


def moment_text(at: datetime) -> str:
    """A point in time as the database writes it: seconds since 1970 with six decimals."""
    whole = int(at.astimezone(UTC).replace(microsecond=0).timestamp())
    return f"{whole}.{at.microsecond:06d}"


def _as_text(name: str, column: Any) -> ColumnElement[Any]:
    # Text of a timestamp depends on the connection's settings, its seconds do not.
    value = func.extract("epoch", column) if name in ("at", "sealed_at") else column
    return cast(value, Text).label(name)
