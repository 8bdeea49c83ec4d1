"""Catalogues and formats without Flask, for mails and for anything the worker writes."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from babel.support import NullTranslations, Translations

from portal.config import ROOT

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


@lru_cache
def translations_for(locale: str) -> NullTranslations:
    """The catalogue of a language; English needs none."""
    return Translations.load(str(ROOT / "translations"), [locale])


def text_direction(locale: str) -> str:
    """`rtl` or `ltr`, for the `dir` attribute."""
    return "rtl" if locale.split("-")[0].split("_")[0] in RIGHT_TO_LEFT else "ltr"


@lru_cache
def babel_locale(locale: str) -> Locale:
    """Babel's locale; Arabic with Latin digits, as the design asks (`ar-u-nu-latn`)."""
    return Locale.parse(locale, sep="-")


@lru_cache(maxsize=8192)
def format_minute(at: datetime, locale: str, timezone: str, pattern: str = "medium") -> str:
    """A point in time in a reader's language and zone; `pattern` is Babel's name or a skeleton-free pattern."""
    return format_datetime(at, pattern, tzinfo=ZoneInfo(timezone), locale=babel_locale(locale))


# Weekday, day and month, time: how each language writes them out.
_DAY_AND_TIME = {
    "en": "EEEE, d MMMM, {clock}",
    "es": "EEEE, d 'de' MMMM, {clock}",
    "fr": "EEEE d MMMM, {clock}",
    "de": "EEEE, d. MMMM, {clock}",
    "ar": "EEEE، d MMMM، {clock}",
}


def format_day_and_time(at: datetime, locale: str, timezone: str) -> str:
    """A point in time written out, without the year; to the second where that matters (promises of seconds)."""
    clock = "HH:mm:ss" if at.second else "HH:mm"
    pattern = _DAY_AND_TIME.get(locale.split("-")[0], _DAY_AND_TIME["en"])
    return format_minute(at, locale, timezone, pattern.format(clock=clock))
