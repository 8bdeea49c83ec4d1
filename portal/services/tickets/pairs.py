"""Two tickets at once: found, and locked in one order whoever asks, so that nobody waits in a circle."""

from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor
from portal.errors import NotFound
from portal.models import Ticket
from portal.models.session import TenantSession
from portal.services.tickets.queries import visible_to


def lock_pair(session: TenantSession, first: UUID, second: UUID, *, actor: Actor) -> tuple[Ticket, Ticket]:
    """Both tickets, locked until the transaction ends; NotFound where the actor may not see one of them."""
    rows = session.scalars(
        select(Ticket)
        .where(Ticket.id.in_((first, second)), visible_to(actor))
        .order_by(Ticket.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = {ticket.id: ticket for ticket in rows}
    if first not in found or second not in found:
        raise NotFound("ticket")
    return found[first], found[second]


def find_by_number(session: TenantSession, number: str, *, actor: Actor) -> Ticket | None:
    """The ticket of this number, in any case, as far as the actor may see it."""
    wanted = number.strip().lstrip("#").upper()
    if not wanted or len(wanted) > 20 or not wanted.isprintable():
        return None
    return session.scalar(select(Ticket).where(Ticket.ticket_number == wanted, visible_to(actor)))
