"""Colleagues of a customer who hear of a ticket (CC): they see it, get its mails and may answer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, delete, func, select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, NotFound
from portal.events import publish
from portal.events.tickets import TicketFollowerAdded, TicketFollowerRemoved
from portal.models import Membership, Person, Ticket, TicketFollower, User, UserKind, UserStatus
from portal.models.session import TenantSession
from portal.services.tickets.queries import get_ticket, lock_ticket
from portal.services.tickets.standing import decides, require_deciding
from portal.services.tickets.timeline import Line, lines_beside

MOST_FOLLOWERS = 20
COLLEAGUES_SHOWN = 200


@dataclass(frozen=True)
class Colleague:
    """A login of the ticket's company."""

    user_id: UUID
    name: str
    email: str


@dataclass(frozen=True)
class Circle:
    """Who of the customer follows a ticket, and who could: the latter only for those who decide about it."""

    ticket: Ticket
    followers: Sequence[Colleague]
    others: Sequence[Colleague]
    manages: bool


def read_circle(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> Circle:
    """The circle of a ticket the actor sees, by three statements at most. Raises NotFound."""
    ticket = get_ticket(session, ticket_id, actor=actor)
    manages = actor.may(Permission.DESK_UPDATE) if actor.is_staff else actor.is_customer and decides(ticket, actor)
    followers = _colleagues(session, _members(ticket).where(User.id.in_(_follower_ids(ticket))))
    others: Sequence[Colleague] = ()
    if manages:
        free = _members(ticket).where(User.id.not_in(_follower_ids(ticket)), User.id != ticket.requester_id)
        others = _colleagues(session, free.limit(COLLEAGUES_SHOWN))
    return Circle(ticket, followers, others, manages)


def add_follower(session: TenantSession, ticket_id: UUID, user_id: UUID, *, actor: Actor, now: datetime) -> Colleague:
    """Let a colleague of the ticket's company follow it; the team does so for customers who ask for it.

    Raises NotFound (`ticket`, `colleague`: also for everybody who is no active member of that company), Forbidden,
    Conflict `already_following` (the requester always does) and `too_many_followers`.
    """
    ticket = lock_ticket(session, ticket_id, actor=actor)
    _require_sharing(actor)
    require_deciding(ticket, actor)
    found = session.execute(_members(ticket).where(User.id == user_id)).first()
    if found is None:
        raise NotFound("colleague")
    colleague = Colleague(*found)
    following = set(session.scalars(_follower_ids(ticket)))
    if user_id in following or user_id == ticket.requester_id:
        raise Conflict("already_following", name=colleague.name)
    if len(following) >= MOST_FOLLOWERS:
        raise Conflict("too_many_followers", limit=MOST_FOLLOWERS)
    session.add(TicketFollower(ticket_id=ticket.id, user_id=user_id, added_by=actor.user_id, created_at=now))
    publish(
        session,
        TicketFollowerAdded.about(ticket, user_ids=(user_id,)),
        actor=actor,
        now=now,
        after={"user_id": user_id},
        beside=(lines_beside(ticket, Line("follower_added", {"name": colleague.name})),),
    )
    return colleague


def remove_follower(session: TenantSession, ticket_id: UUID, user_id: UUID, *, actor: Actor, now: datetime) -> None:
    """End a colleague's following, at once: pages, files, mails and sockets ask anew each time.

    Whoever follows may stop by themselves. Raises NotFound (`ticket`, `colleague`) and Forbidden.
    """
    ticket = lock_ticket(session, ticket_id, actor=actor)
    _require_sharing(actor)
    if user_id != actor.user_id:
        require_deciding(ticket, actor)
    gone = session.scalar(
        delete(TicketFollower)
        .where(
            TicketFollower.ticket_id == ticket.id,
            TicketFollower.user_id == user_id,
            TicketFollower.user_id.in_(select(User.id).where(User.kind == UserKind.CUSTOMER)),
        )
        .returning(TicketFollower.user_id),
        execution_options={"synchronize_session": False},
    )
    if gone is None:
        raise NotFound("colleague")
    name = session.scalar(select(Person.name).join(User, User.person_id == Person.id).where(User.id == user_id))
    publish(
        session,
        TicketFollowerRemoved.about(ticket, user_ids=(user_id,)),
        actor=actor,
        now=now,
        before={"user_id": user_id},
        beside=(lines_beside(ticket, Line("follower_removed", {"name": name or ""})),),
    )


def _require_sharing(actor: Actor) -> None:
    require(actor, Permission.DESK_UPDATE if actor.is_staff else Permission.TICKETS_REPLY)


def list_followers(session: TenantSession, ticket_ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """(ticket, login) of everybody who follows any of the tickets as a member of its company now."""
    rows = session.execute(
        select(TicketFollower.ticket_id, TicketFollower.user_id)
        .join(Ticket, Ticket.id == TicketFollower.ticket_id)
        .join(
            Membership,
            and_(Membership.user_id == TicketFollower.user_id, Membership.company_id == Ticket.customer_id),
        )
        .where(TicketFollower.ticket_id.in_(ticket_ids))
    )
    return [(ticket_id, user_id) for ticket_id, user_id in rows]


def _members(ticket: Ticket) -> Select[UUID, str, str]:
    """Active logins of the ticket's company by name, as (login, name, address)."""
    return (
        select(User.id, Person.name, Person.email)
        .join(Person, Person.id == User.person_id)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.company_id == ticket.customer_id,
            User.kind == UserKind.CUSTOMER,
            User.status == UserStatus.ACTIVE,
            User.portal_access,
        )
        .order_by(func.lower(Person.name), User.id)
    )


def _follower_ids(ticket: Ticket) -> Select[UUID]:
    return select(TicketFollower.user_id).where(TicketFollower.ticket_id == ticket.id)


def _colleagues(session: TenantSession, query: Select[UUID, str, str]) -> list[Colleague]:
    return [Colleague(*row) for row in session.execute(query)]
