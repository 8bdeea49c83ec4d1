"""Parts of pages that are drawn once and then kept: navigation, account menu, filters, headings.

A part is a template that is given values and nothing else: neither the request nor what other templates know.
It is kept by all of these values, by the reader's language, the address of the icons and the path below which
the application is mounted, so whatever could make it read differently makes it another part: a person's text is
found by that person's name alone, and a change of name, role, theme or brand is drawn at once. Only the token
of forms is put in afterwards.

Times may not be told in a part, since they depend on the moment; `tests/blueprints/test_kept_parts.py` checks
which names parts use.
"""

import secrets
import threading
from collections.abc import Hashable, Mapping
from dataclasses import is_dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from flask import Flask, current_app, g, request
from flask_wtf.csrf import generate_csrf
from jinja2 import Undefined
from markupsafe import Markup

from portal.blueprints.localisation import reader

# Nobody can write it, since nobody ever sees it: answers hold the reader's own token in its place.
_TOKEN = secrets.token_hex(16)
_PLAIN = frozenset({str, int, type(None), UUID})
_FROZEN = (Enum, bytes)
# A part has some 8 KB: 4 MB in all.
LIMIT = 512


class KeptParts:
    """The parts of one application, the oldest of which make room for new ones."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._drawn: dict[Hashable, str] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._drawn)

    def draw(self, name: str, /, **values: Any) -> Markup:
        """The part of this name, drawn from these values; TypeError for a value that can change later."""
        given = {key: value for key, value in values.items() if not isinstance(value, Undefined)}
        who = reader()
        key = (
            name,
            who.locale,
            who.sprite,
            request.script_root,
            *((key, _frozen(value)) for key, value in given.items()),
        )
        part = self._drawn.get(key)
        if part is None:
            part = self._keep(key, _render(name, given))
        return Markup(part.replace(_TOKEN, generate_csrf()) if _TOKEN in part else part)  # noqa: S704 - a template's

    def _keep(self, key: Hashable, part: str) -> str:
        with self._lock:
            while len(self._drawn) >= self._limit:
                del self._drawn[next(iter(self._drawn))]
            self._drawn[key] = part
        return part


def _render(name: str, values: dict[str, Any]) -> str:
    g.drawing_part = True
    try:
        return current_app.jinja_env.get_template(name).render(values)
    finally:
        del g.drawing_part


def _form_token() -> str:
    """The token of this reader's forms; in a part the place where it will stand."""
    return _TOKEN if "drawing_part" in g else generate_csrf()


def _frozen(value: Any) -> Hashable:
    """The value as something to keep by: equal only where the part would read the same."""
    kind = type(value)
    if kind in _PLAIN:
        return value  # type: ignore[no-any-return]
    if issubclass(kind, Mapping):
        return kind, *((key, _frozen(item)) for key, item in value.items())
    if kind in (list, tuple):
        return kind, *map(_frozen, value)
    if kind in (bool, float, Markup) or issubclass(kind, _FROZEN) or _is_frozen(kind):
        # `True == 1` and `Markup("x") == "x"`, but they are not drawn alike.
        return kind, value
    raise TypeError(f"a part cannot be kept by a {kind.__name__}")


def _is_frozen(kind: type[Any]) -> bool:
    return is_dataclass(kind) and bool(kind.__dataclass_params__.frozen)  # type: ignore[attr-defined]


def init_kept_parts(app: Flask) -> None:
    """Give templates `kept_part`, and a token that can stand in parts."""
    app.jinja_env.globals.update(kept_part=KeptParts().draw, csrf_token=_form_token)
