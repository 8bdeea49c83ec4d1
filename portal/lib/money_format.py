"""Money as people read it: in their language, with the digits that ISO 4217 gives the currency."""

import copy
from decimal import Decimal
from functools import lru_cache

from babel.numbers import NumberPattern, format_decimal

from portal.lib.i18n import babel_locale
from portal.lib.money import EXPONENTS, Money


@lru_cache(maxsize=8192)
def format_amount(amount: int, currency: str, locale: str) -> str:
    """So many minor units of a currency, with its sign: `€1,234.50`, `1.234,50 €`."""
    pattern, value = _pattern(locale, currency), Money(amount, currency).decimal
    # Babel's own digits of a currency are those of everyday use, which differ for some (IQD: none of its three).
    return str(pattern.apply(value, babel_locale(locale), currency=currency, currency_digits=False))


@lru_cache(maxsize=8192)
def format_quantity(quantity: Decimal, locale: str) -> str:
    """A quantity without needless zeros: `3.5`."""
    return str(format_decimal(quantity, "#,##0.####", locale=babel_locale(locale)))


@lru_cache(maxsize=1024)
def format_rate(rate: Decimal, locale: str) -> str:
    """A rate of tax: `20%`, `5,5 %`."""
    pattern = babel_locale(locale).percent_formats[None]
    return str(_with_digits(pattern, 0, 4).apply(rate / 100, babel_locale(locale)))


@lru_cache(maxsize=256)
def _pattern(locale: str, currency: str) -> NumberPattern:
    digits = EXPONENTS[currency]
    return _with_digits(babel_locale(locale).currency_formats["standard"], digits, digits)


def _with_digits(pattern: NumberPattern, least: int, most: int) -> NumberPattern:
    own = copy.copy(pattern)
    own.frac_prec = (least, most)
    return own
