"""What the tenant's own statuses are called, in the reader's language; read from what is kept of the tenant."""

from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext
from portal.lib.wording.tickets import STATUS_FOR_CUSTOMERS, STATUS_FOR_STAFF
from portal.models import Ticket


def own_for_staff(key: str | None) -> str | None:
    """The team's name of an own status; None where there is none of this key."""
    return _name(key, staff=True) if key else None


def own_for_customers(key: str | None) -> str | None:
    """The customers' name of an own status; None where there is none of this key."""
    return _name(key, staff=False) if key else None


def status_label(ticket: Ticket, *, staff: bool) -> str:
    """What a ticket's status is called for the audience: by the tenant's own name, else by ours."""
    labels = STATUS_FOR_STAFF if staff else STATUS_FOR_CUSTOMERS
    own = _name(ticket.custom_status, staff=staff) if ticket.custom_status else None
    return own or gettext(labels[ticket.status.value])


def _name(key: str, *, staff: bool) -> str | None:
    tenant = http.tenant()
    found = tenant.statuses.get(key)
    return found.name_in(current_locale(), staff=staff, fallback=tenant.locale) if found else None
