"""What a page says when a service refuses."""

from portal.blueprints.localisation import gettext
from portal.errors import Conflict, Invalid
from portal.lib.wording.errors import error_text

Refusal = Invalid | Conflict


def texts_of(error: Refusal | None) -> list[tuple[str, str]]:
    """(field, text) of everything that is wrong; a conflict is about no field."""
    if error is None:
        return []
    if isinstance(error, Invalid):
        return [(item.field, error_text(item.code, dict(item.params), gettext)) for item in error.errors]
    return [("", error_text(error.code, error.params, gettext))]


def by_field(error: Refusal | None) -> dict[str, list[str]]:
    """The same for fields, each with its texts."""
    found: dict[str, list[str]] = {}
    for field, text in texts_of(error):
        found.setdefault(field, []).append(text)
    return found


def status_of(error: Refusal | None) -> int:
    """The HTTP status of the page that says it."""
    if error is None:
        return 200
    return 409 if isinstance(error, Conflict) else 422
