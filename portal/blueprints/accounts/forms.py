"""What the pages around signing in share: texts of errors, who acts before anybody is known, whose mail goes out."""

from portal.authz import Actor, visitor
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.errors import Invalid
from portal.lib.wording.errors import error_text
from portal.services.accounts.recovery import Site


def error_texts(error: Invalid | None) -> dict[str, str]:
    """Field -> the first thing wrong with it, in the reader's language."""
    texts: dict[str, str] = {}
    for item in error.errors if error else ():
        texts.setdefault(item.field, error_text(item.code, dict(item.params), gettext))
    return texts


def stranger() -> Actor:
    """Whoever asks, whether or not somebody is signed in: it makes no difference here."""
    where = http.origin()
    return visitor(http.tenant().id, ip=where.ip, request_id=where.request_id)


def site() -> Site:
    """The tenant of the request's host, reached where the settings say (never where a header says)."""
    return Site(http.tenant(), http.settings().base_url)
