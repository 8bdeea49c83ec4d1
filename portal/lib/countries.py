"""Countries by their ISO 3166-1 code, named in any language by Babel."""

import unicodedata
from functools import lru_cache

from babel.core import get_global

from portal.lib.i18n import babel_locale

# CLDR's regions that are no countries of ISO 3166-1: unions, islands with a reserved code, codes for tests.
_NO_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])


def is_country(code: str) -> bool:
    """Whether the code names a country."""
    return code in _codes()


@lru_cache(maxsize=64)
def country_choices(locale: str) -> tuple[tuple[str, str], ...]:
    """(code, name) of every country, by name."""
    return tuple(sorted(((code, country_name(code, locale)) for code in _codes()), key=_place_in_list))


def country_name(code: str, locale: str) -> str:
    """The country's name in a language; the code itself where there is none."""
    return str(babel_locale(locale).territories.get(code, code))


def _place_in_list(choice: tuple[str, str]) -> str:
    """Österreich stands at O."""
    plain = unicodedata.normalize("NFKD", choice[1])
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()


@lru_cache
def _codes() -> frozenset[str]:
    aliases = get_global("territory_aliases")
    known = babel_locale("en").territories
    names = [str(code) for code in known]
    return frozenset(
        code
        for code in names
        if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES and code not in aliases
    )
