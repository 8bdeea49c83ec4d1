"""The tree of a condition in CEL, the Common Expression Language, for those who translate it.

Whether a text is CEL is decided by the `cel` package, which evaluates but shows no tree. What it accepts and this
subset has, is spelled for Python's parser, whose precedences are the same: `~` binds as `!` does, comparisons stand
above `and`, that above `or`. Out of the subset: arithmetic, the conditional, indexing, macros, comparisons in a chain.
"""

import ast
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cel

LONGEST = 1_000
# Deeper than anybody reads, and far from what parsers cannot bear.
DEEPEST = 30
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>\d+\.\d+(?:[eE][+-]?\d+)?\b|\d+\b)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[!<>()\[\],.\-])""",
    re.VERBOSE | re.ASCII,
)
_PLACE = re.compile(r"<input>:(\d+):(\d+)")
_SIGNS = {"&&": " and ", "||": " or ", "!": "~"}
_WORDS = {"true": "True", "false": "False", "null": "None", "in": " in "}


class ConditionError(Exception):
    """What is wrong with a condition: a code of `portal/lib/wording/errors.py`, and where (both count from 1)."""

    def __init__(self, code: str, line: int = 1, column: int = 1, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.line = line
        self.column = column
        self.params = params

    def places(self) -> dict[str, Any]:
        """What its sentence is filled with."""
        return {"line": self.line, "column": self.column, **self.params}


@dataclass(frozen=True)
class Condition:
    """A condition with its tree; its nodes are Python's, in the subset that the module's text names."""

    text: str
    root: ast.expr
    _places: tuple[int, ...]

    def error(self, code: str, node: ast.expr, **params: Any) -> ConditionError:
        """What is wrong with a part of the condition."""
        return _error(code, self.text, self._places[min(node.col_offset, len(self._places) - 1)], **params)


@lru_cache(maxsize=256)
def parse_condition(text: str) -> Condition:
    """The tree of a condition; raises ConditionError with the place of what is no CEL, or not in the subset."""
    if len(text) > LONGEST:
        raise ConditionError("condition_too_long", limit=LONGEST)
    _check_depth(text)
    try:
        cel.compile(text)
    except ValueError as error:
        line, column = map(int, found.groups()) if (found := _PLACE.search(str(error))) else (1, 1)
        raise ConditionError("condition_syntax", line, column) from None
    source, places = "(", [0]
    for piece, start in _spelled(text):
        source += piece
        places += [start] * len(piece)
    try:
        root = ast.parse(source + ")", mode="eval").body
    except (SyntaxError, MemoryError, RecursionError) as error:
        offset = error.offset if isinstance(error, SyntaxError) and error.offset else 1
        raise _error("condition_unsupported", text, places[min(offset, len(places)) - 1]) from None
    return Condition(text, root, tuple(places))


def _check_depth(text: str) -> None:
    """Parsers recurse; what nests without end is refused before they see it."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if depth > DEEPEST:
            raise _error("condition_too_deep", text, place)
    if max(map(text.count, "!-?")) > DEEPEST:
        raise ConditionError("condition_too_deep")


def _spelled(text: str) -> Iterator[tuple[str, int]]:
    """The condition's tokens as Python spells them, in ASCII and on one line, each with where it began."""
    start, before = 0, ""
    while start < len(text):
        found = _TOKEN.match(text, start)
        kind = found.lastgroup if found else None
        if found is None or kind is None or (kind == "text" and before in ("text", "name")):
            raise _error("condition_unsupported", text, start)
        word = found[0]
        if kind == "space":
            yield " ", start
        elif kind == "text":
            yield ascii(cel.evaluate(word)), start
        elif kind == "name" and word not in _WORDS and keyword.iskeyword(word):
            raise _error("condition_unknown_name", text, start, name=word)
        else:
            yield (_WORDS if kind == "name" else _SIGNS).get(word, word), start
        start, before = found.end(), kind


def _error(code: str, text: str, place: int, **params: Any) -> ConditionError:
    before = text[:place]
    return ConditionError(code, before.count("\n") + 1, place - (before.rfind("\n") + 1) + 1, **params)
