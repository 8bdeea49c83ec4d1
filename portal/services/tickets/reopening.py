"""How long a closed ticket can be reopened; after that a new ticket follows it (a tenant's setting, in days)."""

from datetime import datetime

from portal.errors import Conflict
from portal.models import FINAL, Ticket, TicketStatus
from portal.services.tenants.ticket_policy import TicketPolicy


def may_reopen(ticket: Ticket, policy: TicketPolicy, now: datetime) -> bool:
    """Whether a ticket that is over can be taken up again now; merged and cancelled ones never."""
    if ticket.merged_into_id is not None:
        return False
    if ticket.status is TicketStatus.RESOLVED:
        return True
    return ticket.status is TicketStatus.CLOSED and now <= (ticket.closed_at or now) + policy.reopen_for


def may_follow_up(ticket: Ticket, policy: TicketPolicy, now: datetime) -> bool:
    """Whether a new ticket is the way on: where this one is over and cannot be reopened."""
    return ticket.merged_into_id is None and ticket.status in FINAL and not may_reopen(ticket, policy, now)


def require_reopenable(ticket: Ticket, policy: TicketPolicy, *, now: datetime) -> None:
    """Refuse with Conflict (`ticket_merged`, `reopen_too_late`) to take up what is over for good."""
    if ticket.merged_into_id is not None:
        raise Conflict("ticket_merged", number=ticket.ticket_number)
    if ticket.status is TicketStatus.CLOSED and not may_reopen(ticket, policy, now):
        raise Conflict("reopen_too_late", number=ticket.ticket_number, days=policy.reopen_days)
