"""Which passwords are taken (AUTH-15): long enough, not well known, not made of what everybody knows of the person.

- 8 to 128 characters, counted as people count them. Longer ones are refused, never cut.
- No rules about capitals, digits or signs: they make passwords worse (NIST SP 800-63B §3.1.1.2).
- None of the 30,000 most used passwords in zxcvbn's offline lists, in whatever case.
- A zxcvbn score of 3 at least, or of 2 where it finds nothing to warn of. Score 2 is some 10^6 guesses: at five
  guesses per lock and with slow hashes that is beyond guessing, but not where the password resembles a common one.
- Without the person's own words (name, address, company, tenant) eight characters have to be left.
"""

import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from portal.errors import FieldError, Invalid
from portal.lib.text import has_forbidden_characters

MIN_LENGTH = 8
MAX_LENGTH = 128
GOOD_SCORE = 3
FAIR_SCORE = 2
# zxcvbn takes seconds for long texts; what is strong after this many characters stays so.
RATED_LENGTH = 32
OWN_WORD_LENGTH = 3
MAX_OWN_WORDS = 40
_SPLIT = re.compile(r"[\W_]+")
# zxcvbn keeps own words in a table that all threads share.
_rating = threading.Lock()
# zxcvbn's warnings, recognised by how they begin, as codes of ours (lib/wording/passwords).
_WARNINGS = (
    ("This is a ", "common"),
    ("This is similar", "almost_common"),
    ("A word by itself", "word"),
    ("Names and", "name"),
    ("Common names", "name"),
    ("Straight rows", "keyboard"),
    ("Short keyboard", "keyboard"),
    ("Repeats", "repeat"),
    ("Sequences", "sequence"),
    ("Recent years", "date"),
    ("Dates", "date"),
)


@dataclass(frozen=True)
class Rating:
    """A password weighed: `score` from 0 to 4, below 2 whenever it is refused; `problem` says why it is.

    `hint` is a code of `HINTS` that says what would help, empty where nothing would.
    """

    score: int
    problem: FieldError | None
    hint: str = ""


def rate_password(password: str, own_words: Sequence[str] = (), *, field: str = "password") -> Rating:
    """Weigh a password; `own_words` as from `split_words`."""
    refused = _refused_outright(password, own_words, field)
    if refused is not None:
        return Rating(0, refused, "more_words" if refused.code == "too_short" else "")
    if password.lower() in _known():
        return Rating(0, FieldError(field, "password_common"), "common")
    score, hint = _guesses(password[:RATED_LENGTH], own_words)
    if score >= GOOD_SCORE or (score == FAIR_SCORE and not hint):
        return Rating(score, None)
    code = "password_common" if hint in ("common", "almost_common") else "password_weak"
    return Rating(min(score, 1), FieldError(field, code), hint or "more_words")


def check_password(password: str, own_words: Sequence[str] = (), *, field: str = "password") -> None:
    """Raise Invalid about `field` unless the password may be set."""
    problem = rate_password(password, own_words, field=field).problem
    if problem is not None:
        raise Invalid(problem)


def split_words(*texts: str | None) -> tuple[str, ...]:
    """The own words in names and addresses: each text whole, and its parts; lower case, the longest first."""
    found: dict[str, None] = {}
    for text in texts:
        whole = (text or "").strip().lower()
        for word in (whole, whole.partition("@")[0], "".join(_SPLIT.split(whole)), *_SPLIT.split(whole)):
            if len(word) >= OWN_WORD_LENGTH:
                found[word[:MAX_LENGTH]] = None
    return tuple(sorted(found, key=len, reverse=True)[:MAX_OWN_WORDS])


def _refused_outright(password: str, own_words: Iterable[str], field: str) -> FieldError | None:
    if not password:
        return FieldError(field, "required")
    if len(password) > MAX_LENGTH:
        return FieldError(field, "too_long", (("limit", MAX_LENGTH),))
    if has_forbidden_characters(password):
        return FieldError(field, "characters_forbidden")
    if len(password) < MIN_LENGTH:
        return FieldError(field, "too_short", (("limit", MIN_LENGTH),))
    rest = password.lower()
    for word in own_words:
        rest = rest.replace(word, "")
    if rest != password.lower() and len(rest) < MIN_LENGTH:
        return FieldError(field, "password_own_words")
    return None


def _guesses(password: str, own_words: Sequence[str]) -> tuple[int, str]:
    with _rating:
        found = zxcvbn(password, user_inputs=list(own_words))
    warning = found["feedback"]["warning"]
    hint = next((code for start, code in _WARNINGS if warning.startswith(start)), "")
    return int(found["score"]), hint


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"])
