"""Where a search is met in a text: where its words begin words of it, or where words of it are like them.

By the rules of the search itself: case and accents fold.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from portal.lib.text import swapped_words

_WORD = re.compile(r"\w+", re.UNICODE)
MOST_WORDS = 8
# As the search asks for (`similar_tickets`); a part of a word has three characters at least.
LIKE_ENOUGH = 0.45
SHORTEST_PART = 3
# So many characters of an excerpt stand before its hit, which narrow columns have to show.
BEFORE = 16

Span = tuple[int, int]


def mark_hits(text: str, query: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is a hit; together they are the text, whatever it holds."""
    return _pieces(text, _hits(text, _wanted(query)))


def mark_similar(text: str, query: str) -> list[tuple[str, bool]]:
    """The same for what the words of the query are a part of, or are like."""
    return _pieces(text, _likenesses(text, [word for word in _wanted(query) if len(word) >= SHORTEST_PART]))


def cut_round_hit(text: str, query: str, length: int) -> str | None:
    """About `length` characters of the text on one line, its first hit near their beginning; None without one."""
    line = " ".join(text.split())
    hit = next(_hits(line, _wanted(query)), None)
    if hit is None:
        return None
    start = max(0, hit[0] - BEFORE)
    if start:
        # Not within a word, unless that would lose the hit.
        start = min(line.find(" ", start) + 1 or start, hit[0])
    piece = line[start : start + length]
    if start + length < len(line):
        piece = piece[:-1].rstrip() + "…"
    return "…" + piece if start else piece


def _wanted(query: str) -> tuple[str, ...]:
    return tuple({fold for word in _WORD.findall(query)[:MOST_WORDS] if (fold := _fold(word))})


def _pieces(text: str, spans: Iterator[Span]) -> list[tuple[str, bool]]:
    pieces: list[tuple[str, bool]] = []
    done = 0
    for start, end in spans:
        pieces += [(text[done:start], False), (text[start:end], True)]
        done = end
    pieces.append((text[done:], False))
    return [piece for piece in pieces if piece[0]]


def _hits(text: str, wanted: tuple[str, ...]) -> Iterator[Span]:
    for found in _WORD.finditer(text) if wanted else ():
        word = found[0]
        folded = _fold(word)
        longest = max((len(one) for one in wanted if folded.startswith(one)), default=0)
        if longest:
            yield found.start(), found.start() + _length_of(word, longest)


def _likenesses(text: str, wanted: list[str]) -> Iterator[Span]:
    for found in _WORD.finditer(text) if wanted else ():
        folded = _fold(found[0])
        if any(_is_like(word, folded) for word in wanted):
            yield found.span()


def _length_of(word: str, longest: int) -> int:
    """How many characters of the word fold to `longest` ones."""
    if word.isascii():
        return longest
    # A character may fold to several (ß) or, as a mark upon another, to none.
    length = folded_length = 0
    while folded_length < longest and length < len(word):
        length += 1
        folded_length = len(_fold(word[:length]))
    while 0 < length < len(word) and unicodedata.combining(word[length]):
        length += 1
    return length


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


def _is_like(word: str, other: str) -> bool:
    if word in other or _likeness(word, other) >= LIKE_ENOUGH:
        return True
    return any(other.startswith(slip) for slip in swapped_words(word))


def _likeness(word: str, other: str) -> float:
    """The part of the word's trigrams that the other one has, too: what pg_trgm counts within one word."""
    if any(char.isdecimal() for char in word):
        return 0.0
    own = _trigrams(word)
    return len(own & _trigrams(other)) / len(own)


@lru_cache(maxsize=4096)
def _trigrams(word: str) -> frozenset[str]:
    padded = f"  {word} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))
