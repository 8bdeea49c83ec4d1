"""Tickets that have to do with one: linked ones first, then the newest of its category (H2.10)."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from portal.authz import Actor
from portal.models import LinkKind, Ticket, TicketLink
from portal.models.session import TenantSession
from portal.services.tickets.queries import get_ticket, visible_to

MOST = 5


@dataclass(frozen=True)
class RelatedTicket:
    """Another ticket; `link` is how it is linked, None where only the category is the same.

    `outward` says that the link was made from the ticket that was asked about.
    """

    ticket: Ticket
    link: LinkKind | None = None
    outward: bool = True


def list_related(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> list[RelatedTicket]:
    """Tickets of the same company that the reader may see, at most five of each sort, newest activity first.

    Raises NotFound.
    """
    ticket = get_ticket(session, ticket_id, actor=actor)
    linked = _list_linked(session, ticket, actor)
    known = {ticket.id, *(row.ticket.id for row in linked)}
    alike = session.scalars(
        select(Ticket)
        .where(*_seen(ticket, actor), Ticket.category == ticket.category, Ticket.id.not_in(known))
        .order_by(Ticket.updated_at.desc(), Ticket.id)
        .limit(MOST)
    )
    return [*linked, *(RelatedTicket(row) for row in alike)]


def _list_linked(session: TenantSession, ticket: Ticket, actor: Actor) -> list[RelatedTicket]:
    here = or_(
        and_(TicketLink.ticket_id == ticket.id, TicketLink.other_id == Ticket.id),
        and_(TicketLink.other_id == ticket.id, TicketLink.ticket_id == Ticket.id),
    )
    rows = session.execute(
        select(Ticket, TicketLink.kind, TicketLink.ticket_id)
        .join(TicketLink, here)
        .where(*_seen(ticket, actor))
        .order_by(Ticket.updated_at.desc(), Ticket.id)
        .limit(2 * MOST)
    )
    found: dict[UUID, RelatedTicket] = {}
    for other, kind, origin in rows:
        found.setdefault(other.id, RelatedTicket(other, kind, origin == ticket.id))
    return list(found.values())[:MOST]


def _seen(ticket: Ticket, actor: Actor) -> tuple[ColumnElement[bool], ...]:
    # The company is named even where a reader sees several: a ticket's page is about one of them.
    return (visible_to(actor), Ticket.customer_id == ticket.customer_id, Ticket.trashed_at.is_(None))
