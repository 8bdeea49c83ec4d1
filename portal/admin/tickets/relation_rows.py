"""Tickets that stand beside another one, as its pages show them."""

from typing import Any

from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.lib.wording.tickets import RELATIONS, STATUS_FOR_STAFF
from portal.services.tickets.links import LinkedTicket
from portal.services.tickets.rows import TicketRow


def linked_row(one: LinkedTicket) -> dict[str, Any]:
    """A link as the ticket's page shows it."""
    return {
        "id": one.id,
        "relation": gettext(RELATIONS[one.relation.value]),
        "url": http.ticket_address("desk.ticket", one.ticket_id),
        "number": one.number,
        "subject": one.subject,
        "status": one.status.value,
        "removable": one.removable,
    }


def candidate_row(row: TicketRow) -> dict[str, Any]:
    """A ticket that another one can be merged into."""
    return {
        "id": row.ticket.id,
        "number": row.ticket.ticket_number,
        "subject": row.ticket.subject,
        "requester": row.requester_name,
        "status": gettext(STATUS_FOR_STAFF[row.ticket.status.value]),
    }
