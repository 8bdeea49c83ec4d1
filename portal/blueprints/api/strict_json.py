"""Bodies as JSON, without what the standard parser lets through (measured: research/reliability.md §5)."""

import json
from collections.abc import Iterator
from typing import Any

from portal.errors import DomainError, FieldError
from portal.lib.text import has_forbidden_characters

MAX_DEPTH = 20
FIELD_NAME_LENGTH = 100


class _RefusedError(ValueError):
    """Something the grammar allows or the parser tolerates, but we do not."""


def parse_json(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises DomainError `json_invalid` for broken text, repeated names, NaN, Infinity and numbers that
    no float holds, and `json_too_deep` beyond 20 levels.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
        )
    except RecursionError:
        raise DomainError("json_too_deep") from None
    except ValueError:
        raise DomainError("json_invalid") from None
    if _depth(value) > MAX_DEPTH:
        raise DomainError("json_too_deep")
    return value


def canonical_json(value: Any) -> bytes:
    """One spelling for equal values, whatever the order of names and the white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def forbidden_text(value: Any) -> list[FieldError]:
    """An error per string (or name) with NUL, control characters or lone surrogates in it."""
    return [
        FieldError(field_name(path), "characters_forbidden")
        for path, text in _strings(value, ())
        if has_forbidden_characters(text)
    ]


def field_name(path: tuple[str | int, ...]) -> str:
    """The dotted name of a place in a body, safe to send back; `body` for the whole."""
    name = ".".join(str(part) for part in path) or "body"
    return "".join("\ufffd" if has_forbidden_characters(char) else char for char in name[:FIELD_NAME_LENGTH])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedError("repeated name")
    return found


def _constant(name: str) -> Any:
    raise _RefusedError(name)


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _RefusedError(text[:40])
    return number


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        if depth > MAX_DEPTH:
            break
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth


def _strings(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield (*path, name), name
            yield from _strings(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index))
