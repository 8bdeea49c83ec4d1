"""Tickets that have to do with each other, as one reads it from either side."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import and_, case, or_, select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, NotFound, invalid
from portal.events import publish
from portal.events.relations import TicketLinked, TicketUnlinked
from portal.models import LinkKind, Ticket, TicketLink, TicketStatus
from portal.models.session import TenantSession
from portal.services.tickets.pairs import find_by_number, lock_pair
from portal.services.tickets.queries import get_ticket, visible_to
from portal.services.tickets.timeline import add_line


class Relation(StrEnum):
    """What another ticket is to the one that is read."""

    RELATED = "related"
    PROBLEM = "problem"
    INCIDENT = "incident"
    SPLIT_FROM = "split_from"
    SPLIT_OFF = "split_off"
    MERGED_INTO = "merged_into"
    MERGED_HERE = "merged_here"
    FOLLOWS_UP = "follows_up"
    FOLLOWED_UP = "followed_up"


_READ = {
    (LinkKind.RELATED, True): Relation.RELATED,
    (LinkKind.RELATED, False): Relation.RELATED,
    (LinkKind.INCIDENT_OF, True): Relation.PROBLEM,
    (LinkKind.INCIDENT_OF, False): Relation.INCIDENT,
    (LinkKind.SPLIT_FROM, True): Relation.SPLIT_FROM,
    (LinkKind.SPLIT_FROM, False): Relation.SPLIT_OFF,
    (LinkKind.MERGED_INTO, True): Relation.MERGED_INTO,
    (LinkKind.MERGED_INTO, False): Relation.MERGED_HERE,
    (LinkKind.FOLLOWS_UP, True): Relation.FOLLOWS_UP,
    (LinkKind.FOLLOWS_UP, False): Relation.FOLLOWED_UP,
}
# What people say of two tickets; all else follows from what was done and stays.
BY_HAND = (Relation.RELATED, Relation.PROBLEM, Relation.INCIDENT)
_MUTUAL = {Relation.PROBLEM: Relation.INCIDENT, Relation.INCIDENT: Relation.PROBLEM, Relation.RELATED: Relation.RELATED}
NUMBER = "number"


@dataclass(frozen=True)
class LinkedTicket:
    """A linked ticket as the reader may see it, and what it is to the one that is read."""

    id: UUID
    relation: Relation
    ticket_id: UUID
    number: str
    subject: str
    status: TicketStatus

    @property
    def removable(self) -> bool:
        """Whether the link was made by hand."""
        return self.relation in BY_HAND


def list_links(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> list[LinkedTicket]:
    """Linked tickets in the order they were linked, only those the actor may see. Raises NotFound."""
    get_ticket(session, ticket_id, actor=actor)
    outgoing = TicketLink.ticket_id == ticket_id
    other = case((outgoing, TicketLink.other_id), else_=TicketLink.ticket_id)
    rows = session.execute(
        select(TicketLink.id, TicketLink.kind, outgoing, Ticket.id, Ticket.ticket_number, Ticket.subject, Ticket.status)
        .join(Ticket, and_(Ticket.tenant_id == TicketLink.tenant_id, Ticket.id == other))
        .where(or_(outgoing, TicketLink.other_id == ticket_id), visible_to(actor))
        .order_by(TicketLink.created_at, TicketLink.id)
    )
    return [
        LinkedTicket(id_, _READ[kind, goes_out], other_id, number, subject, status)
        for id_, kind, goes_out, other_id, number, subject, status in rows
    ]


def add_link(
    session: TenantSession, ticket_id: UUID, *, number: str, relation: Relation, actor: Actor, now: datetime
) -> TicketLink:
    """Link the ticket of that number: `relation` is what it is to this one.

    A problem is never itself an incident. Raises NotFound, Invalid about `number` (`unknown_ticket`,
    `link_to_itself`) or `relation`, and Conflict (`already_linked`, `incident_chain`).
    """
    get_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_UPDATE)
    if relation not in BY_HAND:
        raise invalid("relation", "unknown_choice")
    found = find_by_number(session, number, actor=actor)
    if found is None:
        raise invalid(NUMBER, "unknown_ticket")
    if found.id == ticket_id:
        raise invalid(NUMBER, "link_to_itself")
    ticket, other = lock_pair(session, ticket_id, found.id, actor=actor)
    first, second = (other, ticket) if relation is Relation.INCIDENT else (ticket, other)
    kind = LinkKind.RELATED if relation is Relation.RELATED else LinkKind.INCIDENT_OF
    _refuse_second(session, first, second, kind)
    link = TicketLink(ticket_id=first.id, other_id=second.id, kind=kind, created_by=actor.user_id, created_at=now)
    session.add(link)
    _tell(session, TicketLinked, ticket, other, relation, actor=actor, now=now)
    return link


def _refuse_second(session: TenantSession, first: Ticket, second: Ticket, kind: LinkKind) -> None:
    ids = (first.id, second.id)
    between = and_(TicketLink.ticket_id.in_(ids), TicketLink.other_id.in_(ids), TicketLink.kind == kind)
    if session.scalar(select(TicketLink.id).where(between).limit(1)) is not None:
        raise Conflict("already_linked", number=second.ticket_number)
    if kind is LinkKind.INCIDENT_OF:
        chained = or_(
            TicketLink.ticket_id == second.id, TicketLink.other_id == first.id, TicketLink.ticket_id == first.id
        )
        query = select(TicketLink.id).where(TicketLink.kind == LinkKind.INCIDENT_OF, chained).limit(1)
        if session.scalar(query) is not None:
            raise Conflict("incident_chain", number=second.ticket_number)


def remove_link(session: TenantSession, ticket_id: UUID, link_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Take a link away that somebody made by hand; NotFound for links that are not this ticket's (any more).

    Raises Conflict `link_fixed` for what follows from a merge, a split or a follow-up.
    """
    get_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_UPDATE)
    link = session.scalar(
        select(TicketLink)
        .where(TicketLink.id == link_id, or_(TicketLink.ticket_id == ticket_id, TicketLink.other_id == ticket_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if link is None:
        raise NotFound("link")
    relation = _READ[link.kind, link.ticket_id == ticket_id]
    if relation not in BY_HAND:
        raise Conflict("link_fixed")
    other_id = link.other_id if link.ticket_id == ticket_id else link.ticket_id
    ticket, other = lock_pair(session, ticket_id, other_id, actor=actor)
    session.delete(link)
    _tell(session, TicketUnlinked, ticket, other, relation, actor=actor, now=now)


def _tell(
    session: TenantSession,
    fact: type[TicketLinked],
    ticket: Ticket,
    other: Ticket,
    relation: Relation,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    kind = "linked" if fact is TicketLinked else "unlinked"
    for here, there, read in ((ticket, other, relation), (other, ticket, _MUTUAL[relation])):
        # The other ticket may be one that this one's customer knows nothing of.
        add_line(
            session, here, kind, actor=actor, now=now, staff_only=True, number=there.ticket_number, relation=read.value
        )
    publish(
        session,
        fact.about(ticket, other_id=other.id, relation=relation.value),
        fact.about(other, other_id=ticket.id, relation=_MUTUAL[relation].value),
        actor=actor,
        now=now,
        after={"relation": relation.value},
    )
