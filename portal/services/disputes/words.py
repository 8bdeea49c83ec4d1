"""What people write about a dispute or a wish for more time, checked."""

from portal.errors import invalid
from portal.lib.text import has_forbidden_characters

WORDS_LENGTH = 2000


def check_words(field: str, text: str, *, needed: bool = True) -> str:
    """The text without outer space. Raises Invalid about the field."""
    words = text.strip()
    if needed and not words:
        raise invalid(field, "required")
    if len(words) > WORDS_LENGTH:
        raise invalid(field, "too_long", limit=WORDS_LENGTH)
    if has_forbidden_characters(words):
        raise invalid(field, "characters_forbidden")
    return words
