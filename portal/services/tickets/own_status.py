"""Giving a ticket one of the tenant's own statuses; what it counts as decides everything but its name."""

from dataclasses import dataclass

from sqlalchemy import select

from portal.errors import invalid
from portal.models import CustomStatus, Ticket, TicketStatus
from portal.models.session import TenantSession


@dataclass(frozen=True)
class Target:
    """Where a ticket is to go; `told` is False where customers read the same before and after."""

    status: TicketStatus
    own: str | None = None
    told: bool = True

    def differs(self, ticket: Ticket) -> bool:
        """Whether the ticket is not there yet."""
        return (self.status, self.own) != (ticket.status, ticket.custom_status)


def find_target(session: TenantSession, ticket: Ticket, *, status: TicketStatus | None, own: str | None) -> Target:
    """The status that was asked for, by the names of ours, of the tenant's own, or both.

    Without either the ticket stays where it is. Raises Invalid (`custom_status`) for one that is unknown, out of
    use, or counts as another status than the one named with it.
    """
    if own is None:
        if status is None:
            return Target(ticket.status, ticket.custom_status)
        # Most tickets have no status of the tenant's own; only then two names may read alike.
        return Target(status)
    keys = [key for key in (own, ticket.custom_status) if key]
    rows = {row.key: row for row in session.scalars(select(CustomStatus).where(CustomStatus.key.in_(keys)))}
    chosen = rows.get(own)
    if chosen is None or not (chosen.active or own == ticket.custom_status):
        raise invalid("custom_status", "unknown_choice")
    if status is not None and chosen.category is not status:
        raise invalid("custom_status", "status_elsewhere")
    before = rows.get(ticket.custom_status or "")
    alike = before is not None and before.customer_names == chosen.customer_names
    return Target(chosen.category, own, told=chosen.category is not ticket.status or not alike)
