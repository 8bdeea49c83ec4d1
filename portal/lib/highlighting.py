"""Where the words of a search begin words of a text: by the rules of the search itself (case and accents fold)."""

import re
import unicodedata

_WORD = re.compile(r"\w+", re.UNICODE)
MOST_WORDS = 8


def mark_hits(text: str, query: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is a hit; together they are the text, whatever it holds."""
    wanted = tuple({fold for word in _WORD.findall(query)[:MOST_WORDS] if (fold := _fold(word))})
    pieces: list[tuple[str, bool]] = []
    done = 0
    for found in _WORD.finditer(text) if wanted else ():
        length = _hit(found[0], wanted)
        if length:
            start = found.start()
            pieces += [(text[done:start], False), (text[start : start + length], True)]
            done = start + length
    pieces.append((text[done:], False))
    return [piece for piece in pieces if piece[0]]


def _hit(word: str, wanted: tuple[str, ...]) -> int:
    """How many characters of the word the longest wanted one takes; 0 where none begins it."""
    folded = _fold(word)
    longest = max((len(one) for one in wanted if folded.startswith(one)), default=0)
    # A character may fold to several (ß) or, as a mark upon another, to none.
    length = folded_length = 0
    while folded_length < longest and length < len(word):
        length += 1
        folded_length = len(_fold(word[:length]))
    while 0 < length < len(word) and unicodedata.combining(word[length]):
        length += 1
    return length


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))
