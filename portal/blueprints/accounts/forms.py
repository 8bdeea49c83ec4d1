"""What forms of an account share: refusals beside their fields, who acts before anybody is known, words of devices."""

from portal.authz import Actor, visitor
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext
from portal.errors import Conflict, Invalid, Unauthenticated
from portal.integrations.places import Reach
from portal.lib.countries import country_name
from portal.lib.user_agents import describe
from portal.lib.wording.errors import error_text
from portal.services.accounts.identity import Identity
from portal.services.accounts.recovery import Site

Refusal = Invalid | Conflict | Unauthenticated


def error_texts(error: Invalid | None) -> dict[str, str]:
    """Field -> the first thing wrong with it, in the reader's language."""
    return refusal_texts(error) if error else {}


def refusal_texts(error: Refusal, field: str = "") -> dict[str, str]:
    """Field -> sentence; a refusal of the whole stands at `field`."""
    if not isinstance(error, Invalid):
        return {field: error_text(error.code, error.params, gettext)}
    texts: dict[str, str] = {}
    for item in error.errors:
        texts.setdefault(item.field, error_text(item.code, dict(item.params), gettext))
    return texts


def stranger() -> Actor:
    """Whoever asks, whether or not somebody is signed in: it makes no difference here."""
    where = http.origin()
    return visitor(http.tenant().id, ip=where.ip, request_id=where.request_id)


def site() -> Site:
    """The tenant of the request's host, reached where the settings say (never where a header says)."""
    return Site(http.tenant(), http.settings().base_url)


def status_of(error: Refusal) -> int:
    """The status of a form that comes back."""
    return 422 if isinstance(error, Invalid) else 409 if isinstance(error, Conflict) else 401


def signed_in_identity() -> Identity:
    """Who is signed in; Unauthenticated where nobody is."""
    found = http.identity()
    if found is None:
        raise Unauthenticated("authentication_required")
    return found


def device_text(user_agent: str) -> str:
    """A browser or program in a few words."""
    return describe(user_agent).text or gettext("Unknown device")


def place_text(ip: str) -> str:
    """Roughly where an address is, in the reader's language."""
    place = http.places().find(ip)
    if place.reach is Reach.OWN_NETWORK:
        return gettext("This network")
    if place.reach is Reach.UNKNOWN:
        return gettext("Unknown place")
    locale = current_locale()
    country = country_name(place.country, locale) if place.country else ""
    return ", ".join(part for part in (place.town_in(locale), country) if part)
