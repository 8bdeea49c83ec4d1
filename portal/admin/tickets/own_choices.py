"""Statuses to choose from: ours, and the tenant's own below what each counts as."""

from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext
from portal.errors import FieldError, Invalid
from portal.lib.wording.tickets import STATUS_FOR_STAFF
from portal.models import FINAL, MOVES, Ticket, TicketStatus

OWN = "own:"


def own_options(status: TicketStatus, current: str | None = None) -> list[tuple[str, str]]:
    """The tenant's own statuses that count as `status`: those in use, and the one a ticket has."""
    tenant, locale = http.tenant(), current_locale()
    return [
        (f"{OWN}{own.key}", own.name_in(locale, staff=True, fallback=tenant.locale))
        for own in tenant.statuses.values()
        if own.category == status.value and (own.active or own.key == current)
    ]


def all_options() -> list[tuple[str, str]]:
    """Every status that a macro can set."""
    found: list[tuple[str, str]] = []
    for status in TicketStatus:
        if status is not TicketStatus.CANCELLED:
            found += [(status.value, gettext(STATUS_FOR_STAFF[status.value])), *_indented(own_options(status))]
    return found


def status_options(ticket: Ticket) -> list[tuple[str, str]]:
    """Where a ticket can go from here, its present state among them."""
    found: list[tuple[str, str]] = []
    for status in TicketStatus:
        if status is ticket.status or status in MOVES[ticket.status]:
            own = own_options(status, ticket.custom_status)
            found += [(status.value, gettext(STATUS_FOR_STAFF[status.value])), *_indented(own)]
    return found


def status_value(ticket: Ticket) -> str:
    """The option of a ticket's present state."""
    return f"{OWN}{ticket.custom_status}" if ticket.custom_status else ticket.status.value


def own_replies(ticket: Ticket) -> list[tuple[str, str]]:
    """What a ticket can be after an answer, among the tenant's own statuses."""
    allowed = (MOVES[ticket.status] | {ticket.status}) - FINAL
    named = [option for status in TicketStatus if status in allowed for option in own_options(status)]
    return [(value, gettext("Send, %(status)s", status=name)) for value, name in named]


def read_status(given: str | None) -> tuple[TicketStatus | None, str | None]:
    """The status of an option, as one of ours or by the key of the tenant's own; raises Invalid (`status`)."""
    if not given:
        return None, None
    if given.startswith(OWN):
        return None, given.removeprefix(OWN)[:40]
    try:
        return TicketStatus(given), None
    except ValueError:
        raise Invalid(FieldError("status", "unknown_choice")) from None


def _indented(options: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(value, f"– {label}") for value, label in options]
