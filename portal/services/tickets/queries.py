"""Reads of tickets: ownership is part of every lookup, so a foreign ticket is not found."""

from functools import cache
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    false,
    func,
    inspect,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from portal.authz import Actor
from portal.errors import NotFound
from portal.models import (
    Membership,
    NextStep,
    Person,
    Role,
    Ticket,
    TicketCategory,
    TicketEvent,
    TicketFollower,
    TicketMessage,
    User,
    UserStatus,
)
from portal.models.session import TenantSession, prepare

Sight = Literal[
    "all",
    "none",
    "company",
    "companies",
    "own",
    "companies or own",
    "own or followed",
    "companies, own or followed",
]


def sight_of(actor: Actor) -> Sight:
    """Which rule of visibility holds: staff all of the tenant, customers own ones and those shared with them.

    Administrators, and everybody where the company wants it so, see all of the company's.
    """
    if actor.is_staff or actor.is_system:
        return "all"
    if actor.user_id is None or not actor.company_ids:
        return "none"
    whole = actor.whole_company_ids
    if len(whole) == len(actor.company_ids):
        # Mostly it is one, which needs no list of parameters to be written out at each request.
        return "company" if len(whole) == 1 else "companies"
    if actor.follows:
        return "companies, own or followed" if whole else "own or followed"
    return "companies or own" if whole else "own"


def _rule(sight: Sight, user: Any, companies: Any, whole: Any) -> ColumnElement[bool]:
    if sight in ("all", "none"):
        return true() if sight == "all" else false()
    if sight in ("company", "companies"):
        return Ticket.customer_id.in_(whole)
    mine = Ticket.requester_id == user
    if sight.endswith("followed"):
        mine = or_(mine, Ticket.id == any_(_followed_by(user)))
    # Whoever left a company sees nothing of it any more, whatever was shared.
    own = and_(mine, Ticket.customer_id.in_(companies))
    return or_(Ticket.customer_id.in_(whole), own) if sight.startswith("companies") else own


def _followed_by(user: Any) -> Any:
    """An array, read once before the tickets, so that the indexes of tickets serve."""
    # Named apart from every other select, since statements of followers ask for visible tickets, too.
    follower = aliased(TicketFollower)
    rows = select(follower.ticket_id).where(follower.user_id == user)
    return func.array(rows.scalar_subquery(), type_=ARRAY(Uuid))


def is_kept() -> ColumnElement[bool]:
    """Not in the trash: part of every rule of visibility, for everybody (see trash.py for the other half)."""
    return Ticket.trashed_at.is_(None)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """What an actor may see."""
    return and_(_rule(sight_of(actor), actor.user_id, actor.company_ids, actor.whole_company_ids), is_kept())


def visible_by(sight: Sight) -> ColumnElement[bool]:
    """The same for prepared statements: whose it is comes by `values_of`."""
    if sight == "company":
        return and_(Ticket.customer_id == bindparam("company"), is_kept())
    companies: Any = bindparam("companies", expanding=True)
    whole: Any = bindparam("whole", expanding=True)
    return and_(_rule(sight, bindparam("me"), companies, whole), is_kept())


def values_of(actor: Actor) -> dict[str, Any]:
    """The parameters of `visible_by`."""
    whole = actor.whole_company_ids
    return {
        "me": actor.user_id,
        "companies": actor.company_ids,
        "whole": whole,
        "company": whole[0] if whole else None,
    }


def get_ticket(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> Ticket:
    """The ticket, or NotFound where it does not exist for this actor."""
    ticket = session.scalar(select(Ticket).where(Ticket.id == ticket_id, visible_to(actor)))
    if ticket is None:
        raise NotFound("ticket")
    return ticket


def lock_ticket(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> Ticket:
    """The ticket, locked until the transaction ends; NotFound where it does not exist for this actor.

    The lock also orders the outbox: events of one ticket get their sequence in the order of their commits.
    """
    ticket = session.scalar(
        select(Ticket)
        .where(Ticket.id == ticket_id, visible_to(actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if ticket is None:
        raise NotFound("ticket")
    return ticket


def _columns(entity: type[Any]) -> list[Any]:
    """An entity's columns: rows of them cost half as much to read as entities."""
    return [getattr(entity, attribute.key) for attribute in inspect(entity).column_attrs]


@cache
def _messages(staff: bool) -> Select[Any]:
    query = select(*_columns(TicketMessage)).where(TicketMessage.ticket_id == bindparam("ticket"))
    if not staff:
        query = query.where(TicketMessage.is_internal.is_(False))
    return prepare(query.order_by(TicketMessage.created_at, TicketMessage.id))


def list_messages(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> list[TicketMessage]:
    """The conversation in order of time, as rows to read; internal notes for staff only."""
    rows = session.read(_messages(actor.is_staff), {"ticket": ticket_id})
    return cast("list[TicketMessage]", rows.all())


@cache
def _events(staff: bool) -> Select[Any]:
    query = select(*_columns(TicketEvent)).where(TicketEvent.ticket_id == bindparam("ticket"))
    if not staff:
        query = query.where(TicketEvent.staff_only.is_(False))
    return prepare(query.order_by(TicketEvent.at, TicketEvent.id))


def list_events(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> list[TicketEvent]:
    """The timeline in order of time, as rows to read; what is for staff only stays with them."""
    return cast("list[TicketEvent]", session.read(_events(actor.is_staff), {"ticket": ticket_id}).all())


@cache
def _next_steps(staff: bool) -> Select[Any]:
    # An array is one parameter, where IN would be written out anew for each number of records.
    query = select(NextStep).where(NextStep.record_id == any_(bindparam("records", type_=ARRAY(Uuid()))))
    if not staff:
        query = query.where(NextStep.staff_only.is_(False))
    return prepare(query.order_by(NextStep.at, NextStep.key))


def list_next_steps(session: TenantSession, record_ids: list[UUID], *, actor: Actor) -> dict[UUID, list[NextStep]]:
    """What happens next per record, soonest first; customers get only steps meant for them."""
    if not record_ids:
        return {}
    steps: dict[UUID, list[NextStep]] = {}
    for step in session.run(_next_steps(actor.is_staff), {"records": record_ids}).scalars():
        steps.setdefault(step.record_id, []).append(step)
    return steps


def list_categories(session: TenantSession, *, include_inactive: bool = False) -> list[TicketCategory]:
    """Categories in the tenant's order."""
    query = select(TicketCategory).order_by(TicketCategory.position, TicketCategory.key)
    if not include_inactive:
        query = query.where(TicketCategory.active)
    return list(session.scalars(query))


def list_assignable(session: TenantSession) -> list[tuple[UUID, str]]:
    """Staff who can be given a ticket, as (user id, name) by name."""
    rows = session.execute(
        select(User.id, Person.name)
        .join(Person, Person.id == User.person_id)
        .where(
            User.status == UserStatus.ACTIVE,
            select(Membership.id)
            .where(
                Membership.user_id == User.id,
                Membership.role.in_([Role.AGENT, Role.MANAGER, Role.TENANT_ADMIN]),
            )
            .exists(),
        )
        .order_by(Person.name)
    )
    return [(user_id, name) for user_id, name in rows]


def search_ids(session: TenantSession, query: str, *, actor: Actor, limit: int = 500) -> list[UUID]:
    """Ids of tickets that hold every word of a prepared prefix query, newest first (definer functions)."""
    companies, requester = search_scope(actor)
    found: Any = select(func.search_tickets(query, companies, requester, actor.is_staff, limit))
    if companies is not None:
        found = union_all(found, select(func.search_said(query, companies, requester)))
    return list(dict.fromkeys(session.connection().execute(found).scalars()))[:limit]


def search_scope(actor: Actor) -> tuple[list[UUID] | None, UUID | None]:
    """Companies and requester for the search functions: they narrow coarsely, the page's own query once more."""
    if actor.is_staff or actor.is_system:
        return None, None
    if actor.whole_company_ids:
        return list(actor.company_ids), None
    return list(actor.company_ids), actor.user_id
