"""Names per language of what tenants set up, and the stable keys made of them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from portal.errors import FieldError
from portal.services.tickets.validation import checked_text

NAME_LENGTH = 60


def checked_names(
    prefix: str, given: Mapping[str, str], locales: Sequence[str], main_locale: str, errors: list[FieldError]
) -> dict[str, str]:
    """The names on one line each; the tenant's own language needs one. Errors are about `<prefix>_<locale>`."""
    names: dict[str, str] = {}
    for locale in locales:
        text = checked_text(
            f"{prefix}_{locale}",
            given.get(locale, ""),
            limit=NAME_LENGTH,
            errors=errors,
            required=locale == main_locale,
        )
        if text:
            names[locale] = " ".join(text.split())
    return names


def free_key(name: str, taken: set[str], *, fallback: str, limit: int) -> str:
    """A stable key made of the name: lower-case letters, digits and underscores, none of `taken`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[: limit - 4] or fallback
    number = 2
    free = key
    while free in taken:
        free, number = f"{key}_{number}", number + 1
    return free
