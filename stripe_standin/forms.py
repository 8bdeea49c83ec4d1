"""Stripe's form encoding: `a[b][0][c]=d` as a tree, and back to one line that two equal requests share."""

import hashlib
import json
import re
from typing import Any

PIECES = re.compile(r"\[([^\]]*)\]")


def decode(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The tree that the pairs describe; numbered and `[]` keys become lists."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        head, _, rest = name.partition("[")
        steps = [head, *PIECES.findall(f"[{rest}")] if rest else [head]
        place = tree
        for step in steps[:-1]:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                inner = place[step] = {}
            place = inner
        last = steps[-1] or str(len(place))
        place[last] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _lists(part) for name, part in value.items()}


def fingerprint(method: str, path: str, params: dict[str, Any]) -> str:
    """Equal for equal requests; nothing of a request is kept besides."""
    told = json.dumps([method, path, params], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
