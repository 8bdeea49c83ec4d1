"""What can be written about people and companies; collects what is wrong, field by field."""

import re

from portal.errors import FieldError, Invalid
from portal.lib.phones import normalise_phone
from portal.lib.text import clean_text, has_forbidden_characters

NAME_LENGTH = 100
EMAIL_LENGTH = 254
# Whether an address exists only a mail can tell; this keeps out what cannot be one.
_EMAIL = re.compile(r"[^@\s,;<>()\[\]\\\"]{1,64}@[^@\s,;<>()\[\]\\\"]+\.[^@\s,;<>()\[\]\\\".]{2,}")
_COUNTRY = re.compile(r"[A-Z]{2}")


class FieldCheck:
    """Cleans values one by one; `done` raises Invalid with everything that was wrong."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def refuse(self, field: str, code: str) -> None:
        """Note something wrong that only the caller can see."""
        self._errors.append(FieldError(field, code))

    def text(self, field: str, value: str | None, limit: int, *, needed: bool = False) -> str | None:
        """One line of text without control characters, None where it is empty."""
        line = " ".join(clean_text(value or "").split())
        if has_forbidden_characters(value or ""):
            self.refuse(field, "characters_forbidden")
        elif needed and not line:
            self.refuse(field, "required")
        elif len(line) > limit:
            self._errors.append(FieldError(field, "too_long", (("limit", limit),)))
        return line or None

    def name(self, value: str | None, field: str = "name") -> str:
        """Somebody's name."""
        return self.text(field, value, NAME_LENGTH, needed=True) or ""

    def email(self, value: str | None, field: str = "email") -> str:
        """An address in the form it is stored and compared in."""
        before = len(self._errors)
        address = (self.text(field, value, EMAIL_LENGTH, needed=True) or "").lower()
        if len(self._errors) == before and not _EMAIL.fullmatch(address):
            self.refuse(field, "email_invalid")
        return address

    def phone(self, value: str | None, region: str | None, field: str = "phone") -> str | None:
        """A number in E.164, None where it is empty."""
        if not (value or "").strip():
            return None
        number = None if has_forbidden_characters(value or "") else normalise_phone(value or "", region)
        if number is None:
            self.refuse(field, "phone_invalid")
        return number

    def country(self, value: str | None, field: str = "country") -> str | None:
        """A country's code (ISO 3166-1 alpha-2), None where it is empty."""
        code = (value or "").strip().upper()
        if code and not _COUNTRY.fullmatch(code):
            self.refuse(field, "unknown_country")
        return code or None

    def done(self) -> None:
        """Raise Invalid where anything was wrong."""
        if self._errors:
            raise Invalid(*self._errors)
