"""From what was typed into forms of billing to what services take; what is no number becomes a refusal."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from uuid import UUID

from portal.blueprints.localisation import gettext
from portal.errors import FieldError, Invalid
from portal.lib.money import EXPONENTS, Money, parse_amount
from portal.lib.wording.errors import error_text


def read_amount(text: str, currency: str) -> int | None:
    """Minor units of "1050.50"; None where it is no amount of the currency. A comma counts as a point."""
    if currency not in EXPONENTS:
        return None
    try:
        return parse_amount(text.strip().replace(",", ".") or "0", currency).amount
    except ValueError:
        return None


def write_amount(amount: int | None, currency: str) -> str:
    """What `read_amount` reads back."""
    return "" if amount is None else format(Money(amount, currency).decimal, "f")


def read_decimal(text: str) -> Decimal | None:
    """A finite number, with point or comma; None for anything else."""
    try:
        value = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def read_whole(text: str) -> int | None:
    """A whole number of at most six digits."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 7 else None


def read_id(text: str | None) -> UUID | None:
    """An id, None for anything else."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


def refusals(error: Invalid) -> dict[str, list[str]]:
    """Field -> what is wrong with it, in the reader's language."""
    found: dict[str, list[str]] = {}
    for one in error.errors:
        found.setdefault(one.field, []).append(error_text(one.code, dict(one.params), gettext))
    return found


def wrong(fields: Mapping[str, object], code: str) -> list[FieldError]:
    """A refusal for each field that could not be read."""
    return [FieldError(name, code) for name, value in fields.items() if value is None]
