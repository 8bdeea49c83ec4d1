"""Templates hold no text of their own: every word a person reads comes from the catalogues (UXA-01)."""

import re
from html.parser import HTMLParser

import pytest
from jinja2 import Environment

from portal.config import ROOT

TEMPLATES = sorted(
    path
    for path in (ROOT / "templates").rglob("*.html")
    # The gallery and the reference of the API are for developers, in English.
    if not {"gallery", "api"} & set(path.parts)
)
SPOKEN = {"aria-label", "title", "placeholder", "alt"}
WORD = re.compile(r"[^\W\d_]{3,}")
CLASSES = re.compile(r"\{% block (?:content|body)_class %\}.*?\{% endblock %\}", re.DOTALL)
# Names and signs that are the same in every language.
SAME = re.compile(r"Portico|Ctrl|Esc|Message-ID|\bx+\b|[\w-]+=\"[^\"]*\"|\bbutton(?:-\w+)?\b")


class Texts(HTMLParser):
    """Collects what a reader would read or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag, attrs):
        self.silent += tag in ("style", "script", "code", "kbd", "svg")
        self.found += [value for name, value in attrs if name in SPOKEN and value]

    def handle_endtag(self, tag):
        self.silent -= tag in ("style", "script", "code", "kbd", "svg") and self.silent > 0

    def handle_data(self, data):
        if not self.silent:
            self.found.append(data)


def literal_texts(source: str) -> list[str]:
    """Words that stand in a template outside of any expression."""
    depth, kept = 0, []
    for _, kind, value in Environment().lex(CLASSES.sub("", source)):
        depth += kind in ("block_begin", "variable_begin", "comment_begin")
        kept.append(value if depth == 0 else "")
        if kind in ("block_end", "variable_end", "comment_end"):
            depth -= 1
            # An expression leaves a letter behind: it may stand for a tag's name.
            kept.append("x" if kind == "variable_end" else "")
    reader = Texts()
    reader.feed("".join(kept))
    return [text.strip() for text in reader.found if WORD.search(SAME.sub("", text))]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_text_without_translation(path):
    assert literal_texts(path.read_text(encoding="utf-8")) == []


def test_the_check_would_notice():
    assert literal_texts("<p>Hello {{ name }}</p><a title='Open it'>{{ _('x') }}</a>") == ["Hello x", "Open it"]
    assert literal_texts("{# note #}<p>{{ _('Hello') }}</p>{% set a = 'text' %}") == []
