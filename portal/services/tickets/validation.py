"""Checks that every way of writing to a ticket shares."""

from portal.errors import FieldError, Invalid
from portal.lib.text import clean_text, has_forbidden_characters

SUBJECT_LENGTH = 255
TEXT_LENGTH = 20_000
COMMENT_LENGTH = 2_000


def checked_text(field: str, value: str, *, limit: int, errors: list[FieldError], required: bool = True) -> str:
    """The cleaned text; what is wrong with it is added to `errors`."""
    if has_forbidden_characters(value):
        errors.append(FieldError(field, "characters_forbidden"))
        return ""
    text = clean_text(value)
    if required and not text:
        errors.append(FieldError(field, "required"))
    elif len(text) > limit:
        errors.append(FieldError(field, "too_long", (("limit", limit),)))
    return text


def one_text(field: str, value: str, *, limit: int = TEXT_LENGTH, required: bool = True) -> str:
    """The cleaned text; raises Invalid about `field`."""
    errors: list[FieldError] = []
    text = checked_text(field, value, limit=limit, errors=errors, required=required)
    if errors:
        raise Invalid(*errors)
    return text
