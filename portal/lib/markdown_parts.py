"""Markdown as plain parts for typesetting: the same renderer as for pages, but what comes out is data."""

from collections.abc import Iterable, Sequence
from typing import Any

from markdown_it.token import Token

from portal.lib.text import parse_markdown

Run = list[str]
_STYLES = {"strong_open": "strong", "em_open": "em"}


def markdown_parts(text: str) -> list[dict[str, Any]]:
    """Headings, paragraphs, items, quotes, code and rules in their order, each with its runs `[kind, text]`."""
    parts: list[dict[str, Any]] = []
    lists: list[int | None] = []
    quoted, fresh = 0, False
    for at, token in enumerate(tokens := parse_markdown(text)):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lists.append(int(token.attrs.get("start", 1)) if token.type.startswith("ordered") else None)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
        elif token.type == "list_item_open":
            fresh = True
        elif token.type in ("blockquote_open", "blockquote_close"):
            quoted += 1 if token.type.endswith("open") else -1
        elif token.type == "hr":
            parts.append({"kind": "rule", "runs": []})
        elif token.type in ("fence", "code_block"):
            parts.append({"kind": "code", "runs": [["text", token.content.rstrip("\n")]]})
        elif token.type == "inline":
            parts.append(_part(tokens[at - 1], token, lists, fresh=fresh, quoted=quoted > 0))
            fresh = False
    return _without_leaps(parts)


def _without_leaps(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Headings below the document's title, two levels at most, none left out (PDF/UA-1 demands it)."""
    last = 1
    for part in parts:
        if part["kind"] == "heading":
            part["level"] = last = min(part["level"] + 1, last + 1, 3)
    return parts


def _part(opening: Token, inline: Token, lists: list[int | None], *, fresh: bool, quoted: bool) -> dict[str, Any]:
    runs = list(_runs(inline.children or ()))
    if opening.type == "heading_open":
        return {"kind": "heading", "level": int(opening.tag[1:]), "runs": runs}
    if lists:
        mark = "" if not fresh else "•"
        number = lists[-1]
        if fresh and number is not None:
            mark, lists[-1] = f"{number}.", number + 1
        return {"kind": "item", "depth": len(lists) - 1, "mark": mark, "runs": runs}
    return {"kind": "quote" if quoted else "text", "runs": runs}


def _runs(children: Sequence[Token] | Iterable[Token]) -> Iterable[Run]:
    style = "text"
    for child in children:
        if child.type in _STYLES:
            style = _STYLES[child.type]
        elif child.type in ("strong_close", "em_close"):
            style = "text"
        elif child.type in ("softbreak", "hardbreak"):
            yield ["break", ""]
        elif child.type == "code_inline":
            yield ["code", child.content]
        elif child.type == "link_close":
            continue
        elif child.content:
            yield [style, child.content]
