"""Lists of tickets: the customer's own and the team's queue; keyset paging, no exact counts of large sets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import aliased

from portal.authz import Actor
from portal.lib.paging import DEFAULT_LIMIT, Cursor, Page, decode_cursor, paginate
from portal.lib.text import search_query
from portal.models import (
    ACTIVE,
    PRIORITY_RANK,
    Company,
    NextStep,
    Person,
    Ticket,
    TicketCategory,
    TicketPriority,
    TicketStatus,
    User,
)
from portal.models.session import TenantSession
from portal.services.tickets.queries import list_next_steps, search_ids, visible_to

COUNT_CAP = 1000
SORTS = ("updated", "created", "priority", "status", "due")
STAFF_VIEWS = ("mine", "unassigned", "due_soon", "breached", "with_customer", "open", "solved", "all")


@dataclass(frozen=True)
class TicketFilter:
    """What a list shows; every field is a query parameter of the page and of the API."""

    status: tuple[TicketStatus, ...] = ()
    category: tuple[str, ...] = ()
    priority: tuple[TicketPriority, ...] = ()
    assignee: UUID | None = None
    unassigned: bool = False
    company: UUID | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    view: str | None = None
    q: str = ""
    sort: str = "updated"
    descending: bool = True
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True)
class TicketRow:
    """A ticket in a list, with the names around it."""

    ticket: Ticket
    company_name: str
    requester_name: str
    assignee_name: str | None
    category: TicketCategory
    steps: list[NextStep] = field(default_factory=list)

    @property
    def next_step(self) -> NextStep | None:
        """The soonest step the reader may see."""
        return self.steps[0] if self.steps else None


_requester_user = aliased(User, name="requester_user")
_requester = aliased(Person, name="requester")
_assignee_user = aliased(User, name="assignee_user")
_assignee = aliased(Person, name="assignee")
_priority_rank = case(
    {priority.value: rank for priority, rank in PRIORITY_RANK.items()}, value=Ticket.priority, else_=0
)
_status_rank = case({status.value: rank for rank, status in enumerate(TicketStatus)}, value=Ticket.status, else_=0)


def select_rows() -> Select[Any]:
    """Ticket, company, requester, assignee and category in one statement."""
    return (
        select(Ticket, Company.name, _requester.name, _assignee.name, TicketCategory)
        .join(Company, Company.id == Ticket.customer_id)
        .join(_requester_user, _requester_user.id == Ticket.requester_id)
        .join(_requester, _requester.id == _requester_user.person_id)
        .outerjoin(_assignee_user, _assignee_user.id == Ticket.assigned_to)
        .outerjoin(_assignee, _assignee.id == _assignee_user.person_id)
        .join(TicketCategory, TicketCategory.key == Ticket.category)
    )


def list_tickets(session: TenantSession, wanted: TicketFilter, *, actor: Actor, now: datetime) -> Page[TicketRow]:
    """One page of what the actor may see. Raises Invalid about the cursor.

    Ids are found first and rows joined afterwards, so that joins never touch more than a page.
    """
    cursor = decode_cursor(wanted.cursor)
    found = _search(session, wanted, actor)
    if found is not None and not found:
        return Page([])
    key = _sort_key(wanted.sort)
    ids = select(Ticket.id).where(visible_to(actor), *_conditions(wanted, actor, now))
    if found is not None:
        ids = ids.where(Ticket.id.in_(found))
    ids = _seek(ids, key, wanted, cursor).limit(wanted.limit + 1)
    rows = session.execute(
        _order(select_rows().where(Ticket.id.in_(ids)), key, wanted.descending ^ bool(cursor and cursor.backwards))
    ).all()
    page = paginate([TicketRow(*row) for row in rows], wanted.limit, cursor, lambda row: _key_of(row, wanted.sort))
    steps = list_next_steps(session, [row.ticket.id for row in page.items], actor=actor)
    for row in page.items:
        row.steps.extend(steps.get(row.ticket.id, ()))
    return page


def _search(session: TenantSession, wanted: TicketFilter, actor: Actor) -> list[UUID] | None:
    if not wanted.q.strip():
        return None
    query = search_query(wanted.q)
    return search_ids(session, query, actor=actor) if query else []


def _conditions(wanted: TicketFilter, actor: Actor, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.view:
        conditions.extend(view_conditions(wanted.view, actor, now))
    if wanted.status:
        conditions.append(Ticket.status.in_(wanted.status))
    if wanted.category:
        conditions.append(Ticket.category.in_(wanted.category))
    if wanted.priority:
        conditions.append(Ticket.priority.in_(wanted.priority))
    if wanted.unassigned:
        conditions.append(Ticket.assigned_to.is_(None))
    elif wanted.assignee:
        conditions.append(Ticket.assigned_to == wanted.assignee)
    if wanted.company:
        conditions.append(Ticket.customer_id == wanted.company)
    if wanted.created_from:
        conditions.append(Ticket.created_at >= wanted.created_from)
    if wanted.created_to:
        conditions.append(Ticket.created_at < wanted.created_to)
    return conditions


def view_conditions(view: str, actor: Actor, now: datetime) -> list[ColumnElement[bool]]:
    """The standing views of the team's queue (and of the customer's tabs)."""
    active = Ticket.status.in_(ACTIVE)
    views: dict[str, list[ColumnElement[bool]]] = {
        "mine": [active, Ticket.assigned_to == actor.user_id],
        "unassigned": [active, Ticket.assigned_to.is_(None)],
        # Whatever has a promise running, the soonest first: the order says what is soon.
        "due_soon": [active, Ticket.sla_due_at.is_not(None)],
        "breached": [active, Ticket.sla_due_at < now],
        "with_customer": [Ticket.status == TicketStatus.WAITING_CUSTOMER],
        "open": [active],
        "solved": [Ticket.status.in_((TicketStatus.RESOLVED, TicketStatus.CLOSED))],
        "waiting": [Ticket.status.in_((TicketStatus.WAITING_CUSTOMER, TicketStatus.AWAITING_PAYMENT))],
        "all": [],
    }
    return views.get(view, [])


def count_views(
    session: TenantSession, views: Sequence[str], *, actor: Actor, now: datetime
) -> dict[str, int]:
    """How many tickets each view holds, counted to 1,001 at most, in one statement."""
    columns = []
    for view in views:
        rows = select(literal(1)).select_from(Ticket).where(visible_to(actor), *view_conditions(view, actor, now))
        columns.append(
            select(func.count()).select_from(rows.limit(COUNT_CAP + 1).subquery()).scalar_subquery().label(view)
        )
    return dict(session.execute(select(*columns)).one()._mapping)


def _sort_key(sort: str) -> ColumnElement[Any]:
    keys: dict[str, ColumnElement[Any]] = {
        "created": Ticket.created_at.expression,
        "priority": _priority_rank,
        "status": _status_rank,
        # NULLS LAST keeps what has no promise behind what has one; coalescing lets a keyset walk over it.
        "due": func.coalesce(Ticket.sla_due_at, literal("infinity").cast(Ticket.sla_due_at.type)),
    }
    return keys.get(sort, Ticket.updated_at.expression)


def _key_of(row: TicketRow, sort: str) -> tuple[Any, UUID]:
    ticket = row.ticket
    if sort == "priority":
        return PRIORITY_RANK[ticket.priority], ticket.id
    if sort == "status":
        return list(TicketStatus).index(ticket.status), ticket.id
    if sort == "due":
        return ticket.sla_due_at, ticket.id
    return (ticket.created_at if sort == "created" else ticket.updated_at), ticket.id


def _seek(query: Select[Any], key: ColumnElement[Any], wanted: TicketFilter, cursor: Cursor | None) -> Select[Any]:
    descending = wanted.descending
    if cursor is not None:
        value = _cursor_value(cursor, wanted.sort)
        descending ^= cursor.backwards
        past = key < value if descending else key > value
        level = Ticket.id < cursor.id if descending else Ticket.id > cursor.id
        query = query.where(or_(past, and_(key == value, level)))
    return _order(query, key, descending)


def _cursor_value(cursor: Cursor, sort: str) -> Any:
    if sort in ("priority", "status"):
        return cursor.number()
    moment = cursor.moment()
    return literal("infinity").cast(Ticket.sla_due_at.type) if moment is None else moment


def _order(query: Select[Any], key: ColumnElement[Any], descending: bool) -> Select[Any]:
    if descending:
        return query.order_by(key.desc(), Ticket.id.desc())
    return query.order_by(key.asc(), Ticket.id.asc())
