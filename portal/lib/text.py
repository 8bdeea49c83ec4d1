"""Text that people write: checked, rendered to safe HTML when it is stored, shortened for lists."""

import re
import unicodedata

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False}).disable("image")
_TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "a", "code", "pre", "blockquote", "h1", "h2", "h3", "hr"}
_SEARCH_WORD = re.compile(r"\w+", re.UNICODE)
_TYPED_WORD = re.compile(r"[\w@.+-]+", re.UNICODE)


def render_markdown(text: str) -> str:
    """Safe HTML of light Markdown: no raw HTML, no images, links to http, https and mailto only."""
    return nh3.clean(
        _MARKDOWN.render(text),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def parse_markdown(text: str) -> list[Token]:
    """The tokens of light Markdown, for what is not HTML."""
    return _MARKDOWN.parse(text)


def clean_text(value: str) -> str:
    """Normalised (NFC, LF line ends, trimmed) text as it is stored."""
    return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


def has_forbidden_characters(value: str) -> bool:
    """Whether the text holds NUL, other control characters or lone surrogates, which no store accepts."""
    return any(
        unicodedata.category(char) == "Cs" or (unicodedata.category(char) == "Cc" and char not in "\n\r\t")
        for char in value
    )


def excerpt(text: str, length: int = 140) -> str:
    """The first words of a text on one line, at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def search_query(text: str) -> str | None:
    """A prefix query for `to_tsquery`, made of letters and digits only; None when nothing is left."""
    words = _SEARCH_WORD.findall(text)[:8]
    return " & ".join(_prefix(word[:60]) for word in words) or None


def swapped_query(text: str) -> str | None:
    """The same query where two neighbouring letters of a word may have changed places; None without a longer word."""
    words = [word[:60] for word in _SEARCH_WORD.findall(text)[:8]]
    choices = [swapped_words(word) for word in words]
    if not any(choices):
        return None
    return " & ".join(
        f"({' | '.join(f'{choice}:*' for choice in (word, *others))})" if others else _prefix(word)
        for word, others in zip(words, choices, strict=True)
    )


def swapped_words(word: str) -> list[str]:
    """A word of four to twenty letters with each two neighbours changed; its first letter stays."""
    if not (4 <= len(word) <= 20 and word.isalpha()):
        return []
    return [word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(1, len(word) - 1)]


def typed_words(text: str) -> list[str]:
    """The words of a search as they were typed, numbers and addresses whole; those of three characters and more."""
    words = (word.strip("@.+-_")[:60] for word in _TYPED_WORD.findall(text))
    return [word for word in dict.fromkeys(words) if len(word) >= 3][:8]


def _prefix(word: str) -> str:
    # PostgreSQL keeps the hyphen of `TCK-1035` as the sign of a number.
    return f"({word}:* | '-{word}':*)" if word[0].isdecimal() else f"{word}:*"
