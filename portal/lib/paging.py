"""Keyset paging: opaque cursors over (sort value, id), walking forth and back."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from portal.errors import invalid

Row = TypeVar("Row")
MAX_LIMIT = 100
DEFAULT_LIMIT = 25
_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A slice of a list and the cursors of its neighbours (None where there is none).

    `approximate` says of a search that nothing here holds its words, only what is like them.
    """

    items: Sequence[Row]
    next_cursor: str | None = None
    previous_cursor: str | None = None
    approximate: bool = False


@dataclass(frozen=True)
class Cursor:
    """The row a page starts after; `backwards` walks towards the beginning."""

    value: str | int | None
    id: UUID
    backwards: bool = False

    def encode(self) -> str:
        """The cursor as text for an address."""
        raw = json.dumps([self.value, str(self.id), int(self.backwards)], separators=(",", ":"))
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    def moment(self) -> datetime | None:
        """The sort value as a time; Invalid when the cursor is not of a list sorted by time."""
        if self.value is None:
            return None
        try:
            return datetime.fromisoformat(str(self.value))
        except ValueError:
            raise invalid("cursor", "cursor_invalid") from None

    def number(self) -> int:
        """The sort value as a number; Invalid when it is none."""
        if not isinstance(self.value, int) or abs(self.value) > _LARGEST:
            raise invalid("cursor", "cursor_invalid")
        return self.value


def decode_cursor(text: str | None) -> Cursor | None:
    """The cursor in an address; Invalid (field `cursor`) when it is not one of ours."""
    if not text:
        return None
    try:
        raw = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        value, id_, backwards = json.loads(raw)
        if not isinstance(value, (str, int, type(None))) or isinstance(value, bool):
            raise ValueError
        return Cursor(value, UUID(id_), bool(backwards))
    except (ValueError, TypeError, AttributeError, UnicodeError, binascii.Error, RecursionError):
        raise invalid("cursor", "cursor_invalid") from None


def paginate(rows: Sequence[Row], limit: int, cursor: Cursor | None, key: Any) -> Page[Row]:
    """Cut `limit + 1` fetched rows to a page; `key(row)` gives (sort value, id).

    Rows fetched with a backwards cursor come in reverse order and are turned round here.
    """
    more = len(rows) > limit
    items = list(rows[:limit])
    backwards = cursor is not None and cursor.backwards
    if backwards:
        items.reverse()
    if not items:
        return Page(items)
    has_next = more if not backwards else True
    has_previous = cursor is not None if not backwards else more
    return Page(
        items,
        Cursor(*_key(key, items[-1])).encode() if has_next else None,
        Cursor(*_key(key, items[0]), backwards=True).encode() if has_previous else None,
    )


def _key(key: Any, row: Any) -> tuple[str | int | None, UUID]:
    value, id_ = key(row)
    return (value.isoformat() if isinstance(value, datetime) else value), id_
