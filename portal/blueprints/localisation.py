"""The reader's language, zone and formats on pages."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Any, cast
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations
from flask import current_app, g, has_request_context, request
from flask import session as cookie
from flask.ctx import _AppCtxGlobals
from jinja2.runtime import Macro
from markupsafe import Markup

from portal.blueprints import http
from portal.lib.i18n import babel_locale, format_minute, text_direction, translations_for

# Nearer than this a weekday cannot be taken for the same day of another week.
_WEEKDAY = timedelta(days=6)
_KEPT_OF_A_KIND = 2048
_WEEK_SECONDS = _WEEKDAY.total_seconds()


def select_locale() -> str:
    """`?lang=`, then the login's choice, the browser's cookie, its languages, the tenant's own language."""
    if not has_request_context() or "tenant" not in g:
        return "en"
    offered = g.tenant.locales
    found = http.identity()
    for wanted in (
        request.args.get("lang"),
        found.user.locale if found else None,
        cookie.get("locale"),
    ):
        if wanted in offered:
            return str(wanted)
    return request.accept_languages.best_match(offered) or str(g.tenant.locale)


@dataclass(frozen=True)
class Reader:
    """For whom an answer is made: language and zone, and the instant it tells times from."""

    locale: str
    zone: str
    now: datetime
    today: date
    translations: NullTranslations

    @cached_property
    def sprite(self) -> str:
        """The address of the icons: a new build has another one, and what was drawn before points to the old."""
        return str(current_app.jinja_env.globals["asset"]("icons.svg"))  # type: ignore[operator]


# Asked for so often that even the proxy's own way to it tells.
_globals = cast("Callable[[], _AppCtxGlobals]", g._get_current_object)


def reader() -> Reader:
    """The reader of this answer, decided once: a page asks for language or zone some three hundred times."""
    found: Reader | None = _globals().get("reader")
    if found is None:
        locale, zone, now = select_locale(), _zone_of_login(), http.now()
        today = _local(now, zone).date()
        found = g.reader = Reader(locale, zone, now, today, translations_for(locale))
    return found


def current_locale() -> str:
    """The language of this answer."""
    return reader().locale


def select_timezone() -> str:
    """The zone of this answer: the login's, else the tenant's."""
    return reader().zone


def _zone_of_login() -> str:
    if not has_request_context() or "tenant" not in g:
        return "UTC"
    found = http.identity()
    return str((found.user.timezone if found else None) or g.tenant.timezone)


def current_theme() -> str:
    """The login's theme, else the browser's cookie, else what the system prefers."""
    found = http.identity()
    theme = found.user.theme if found else None
    return str(theme if theme and theme != "system" else cookie.get("theme") or theme or "system")


def format_exact(at: datetime) -> str:
    """Date and time to the second, for hovers and for the steps of a clock."""
    who = reader()
    return format_minute(at, who.locale, who.zone, "d MMM y, HH:mm:ss")


def format_clock(at: datetime) -> str:
    """Only the time of day; to the second, since promises are."""
    local = _local(at, select_timezone())
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def format_when(at: datetime) -> str:
    """Relative below a day either way, weekday and time within a week, the date beyond."""
    who = reader()
    seconds = (at - who.now).total_seconds()
    if abs(seconds) < 86_400:
        return _relative(seconds)
    if abs(seconds) < _WEEK_SECONDS:
        return format_minute(at.replace(second=0, microsecond=0), who.locale, who.zone, "EEE HH:mm")
    return format_minute(at.replace(hour=12, minute=0, second=0, microsecond=0), who.locale, who.zone, "d MMM y")


def format_moment(at: datetime) -> str:
    """When something happened: the time today, else weekday and time, else the date."""
    return format_due(at.replace(second=0, microsecond=0))


def format_day(day: date) -> str:
    """A date without a time."""
    return format_minute(datetime.combine(day, time(12), UTC), current_locale(), "UTC", "d MMM y")


def format_due(at: datetime) -> str:
    """A promise in words: the time today, else weekday and time, else the date."""
    who = reader()
    if _local(at, who.zone).date() == who.today:
        return format_clock(at)
    pattern = "EEE HH:mm" if abs(at - who.now) < _WEEKDAY else "d MMM y, HH:mm"
    return format_minute(at.replace(second=0, microsecond=0), who.locale, who.zone, pattern)


def format_duration(span: timedelta | float, *, exact: bool = False) -> str:
    """`3 h 10 min`, `2 d 4 h`, `20 s`; the two largest units that are not zero, seconds beside minutes if `exact`."""
    seconds = int(abs(span.total_seconds() if isinstance(span, timedelta) else span))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, secs = divmod(rest, 60)
    parts: list[str] = []
    if days:
        parts = [gettext("%(n)s d", n=days), gettext("%(n)s h", n=hours) if hours else ""]
    elif hours:
        parts = [gettext("%(n)s h", n=hours), gettext("%(n)s min", n=f"{minutes:02d}") if minutes else ""]
    elif minutes:
        seconds_too = exact and secs and minutes < 10
        parts = [gettext("%(n)s min", n=minutes), gettext("%(n)s s", n=secs) if seconds_too else ""]
    else:
        parts = [gettext("%(n)s s", n=secs)]
    return " ".join(part for part in parts if part)


def _relative(seconds: float) -> str:
    if abs(seconds) < 45:
        return str(gettext("now") if seconds <= 0 else gettext("in %(span)s", span=format_duration(seconds)))
    if seconds > 0:
        return str(gettext("in %(span)s", span=format_duration(max(60.0, seconds))))
    # For the past the largest unit is exact enough.
    ago = -seconds
    span = format_duration(max(60.0, ago if ago < 3_600 else ago - ago % 3_600))
    return str(gettext("%(span)s ago", span=span))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _local(at: datetime, zone: str) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(_zone(zone))


def format_count(number: int, cap: int = 1000) -> str:
    """A count for people; a capped one says so."""
    shown = _decimal(min(number, cap), current_locale())
    return f"{shown}+" if number > cap else shown


@lru_cache(maxsize=4096)
def _decimal(number: int, locale: str) -> str:
    return format_decimal(number, locale=babel_locale(locale))


def format_share(part: float) -> str:
    """A share of one as a percentage with at most one decimal."""
    return format_percent(round(part, 3), locale=babel_locale(current_locale()), decimal_quantization=False)


def gettext(message: str, **values: Any) -> str:
    """The message in the reader's language, for templates and views alike.

    A page asks for some three hundred messages; Flask-Babel's own looks for the catalogue each time (20 µs).
    """
    text = reader().translations.gettext(message)
    return text % values if values else text


def ngettext(singular: str, plural: str, num: int, **values: Any) -> str:
    """The same for a number; `num` is at hand in the text."""
    text = reader().translations.ngettext(singular, plural, num)
    return text % {"num": num, **values}


def kept(macro: Macro) -> Callable[..., Markup]:
    """A macro that draws each thing once per language: a page has a hundred badges, but of twenty kinds.

    Only for macros whose answer depends on nothing but their (hashable) arguments, the language and the
    sprite's address, and which are not used by `call`.
    """
    drawn: dict[tuple[Any, ...], Markup] = {}

    def draw(*args: Any, **options: Any) -> Markup:
        who = reader()
        key = (args, tuple(options.items()), who.locale, who.sprite)
        found = drawn.get(key)
        if found is None:
            if len(drawn) > _KEPT_OF_A_KIND:
                drawn.clear()
            found = drawn[key] = Markup(macro(*args, **options))  # noqa: S704 - a macro's own output
        return found

    return draw


def template_context() -> dict[str, Any]:
    """Names that every template can use."""
    locale = current_locale()
    return {"current_locale": locale, "text_direction": text_direction(locale), "theme": current_theme()}


def init_localisation(app: Any) -> None:
    """Make the formats available: as globals for macros, and in the context of every template."""
    app.context_processor(template_context)
    app.jinja_env.globals.update(
        {
            "_": gettext,
            "ngettext": ngettext,
            "kept": kept,
            "format_when": format_when,
            "format_exact": format_exact,
            "format_due": format_due,
            "format_moment": format_moment,
            "format_clock": format_clock,
            "format_duration": format_duration,
            "format_count": format_count,
            "text_direction_of": text_direction,
        }
    )
