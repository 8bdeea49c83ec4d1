"""@mentions in internal notes: who of the team is meant, and who follows a ticket from then on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor, Permission, require
from portal.events import audit
from portal.models import Person, TicketFollower, User, UserKind, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts.identity import build_identity, select_identity
from portal.services.tickets.queries import get_ticket

_BEFORE = re.compile(r"(?<![\w@.])@")
MOST = 20


@dataclass(frozen=True)
class TeamMember:
    """Somebody who can be mentioned."""

    id: UUID
    name: str


def list_team(session: TenantSession, *, actor: Actor) -> list[TeamMember]:
    """Everybody of the team who may read tickets, by name; customers are never among them."""
    require(actor, Permission.DESK_NOTE)
    rows = session.execute(
        select_identity()
        .where(User.kind == UserKind.STAFF, User.status == UserStatus.ACTIVE, User.portal_access)
        .order_by(Person.name, User.id)
    )
    people = [build_identity(row) for row in rows]
    return [
        TeamMember(person.user.id, person.person_name)
        for person in people
        if person.actor.is_staff and person.actor.may(Permission.DESK_READ)
    ]


def mentioned_in(text: str, team: Sequence[TeamMember]) -> list[TeamMember]:
    """Whom `@Name` in the text means, in the order of the text: whole names, or a first name that only one has."""
    firsts = [member.name.split()[0].casefold() for member in team]
    names = [(member.name.casefold(), member) for member in team]
    names += [(first, member) for first, member in zip(firsts, team, strict=True) if firsts.count(first) == 1]
    longest_first = sorted(names, key=lambda entry: -len(entry[0]))
    found: dict[UUID, TeamMember] = {}
    lowered = text.casefold()
    for match in _BEFORE.finditer(lowered):
        rest = lowered[match.end() :]
        length = next((len(name) for name, _ in longest_first if _begins(rest, name)), 0)
        # Two people of one name are both meant; nobody can tell which.
        for name, member in names:
            if length and len(name) == length and _begins(rest, name):
                found.setdefault(member.id, member)
    return list(found.values())[:MOST]


def _begins(rest: str, name: str) -> bool:
    return rest.startswith(name) and not re.match(r"[\w@]|[.-]\w", rest[len(name) :])


def find_mentioned(session: TenantSession, text: str, *, actor: Actor) -> list[TeamMember]:
    """The same for the tenant's team, without the writer; the team is only read where the text has an @."""
    if "@" not in text:
        return []
    return [member for member in mentioned_in(text, list_team(session, actor=actor)) if member.id != actor.user_id]


def add_followers(session: TenantSession, ticket_id: UUID, people: Sequence[UUID], *, actor: Actor) -> None:
    """Have people of the team hear of a ticket; who does already goes on doing so."""
    if not people:
        return
    rows = [
        {"tenant_id": session.tenant_id, "ticket_id": ticket_id, "user_id": user_id, "added_by": actor.user_id}
        for user_id in people
    ]
    session.execute(insert(TicketFollower).values(rows).on_conflict_do_nothing())


def follow_ticket(session: TenantSession, ticket_id: UUID, *, follow: bool, actor: Actor, now: datetime) -> None:
    """Follow a ticket, or follow it no more; the same again changes nothing. Raises NotFound and Forbidden."""
    get_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_NOTE)
    if actor.user_id is None or follow is is_following(session, ticket_id, actor.user_id):
        return
    if follow:
        add_followers(session, ticket_id, [actor.user_id], actor=actor)
    else:
        mine = (TicketFollower.ticket_id == ticket_id, TicketFollower.user_id == actor.user_id)
        session.execute(delete(TicketFollower).where(*mine), execution_options={"synchronize_session": False})
    action = "ticket.followed" if follow else "ticket.unfollowed"
    audit(session, action, "ticket", ticket_id, actor=actor, now=now)


def is_following(session: TenantSession, ticket_id: UUID, user_id: UUID) -> bool:
    """Whether somebody hears of the ticket."""
    mine = (TicketFollower.ticket_id == ticket_id, TicketFollower.user_id == user_id)
    return session.scalar(select(TicketFollower.user_id).where(*mine)) is not None


def list_staff_followers(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> list[TeamMember]:
    """Who of the team follows the ticket, by name."""
    get_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_READ)
    rows = session.execute(
        select(User.id, Person.name)
        .join(TicketFollower, TicketFollower.user_id == User.id)
        .join(Person, Person.id == User.person_id)
        .where(TicketFollower.ticket_id == ticket_id, User.kind == UserKind.STAFF)
        .order_by(Person.name, User.id)
    )
    return [TeamMember(user_id, name) for user_id, name in rows]
