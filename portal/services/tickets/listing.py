"""Lists of tickets: the customer's own and the team's queue; keyset paging, no exact counts of large sets."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    Uuid,
    bindparam,
    literal_column,
)
from sqlalchemy.dialects.postgresql import ARRAY

from portal.authz import Actor
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.models import (
    ACTIVE_SQL,
    Ticket,
    TicketPriority,
    TicketStatus,
)
from portal.models.session import TenantSession, prepare
from portal.services.tickets.ordering import due_at, is_one_of, key_of, order, seek, sort_key
from portal.services.tickets.queries import (
    Sight,
    list_next_steps,
    sight_of,
    values_of,
    visible_by,
    visible_to,
)
from portal.services.tickets.rows import TicketRow, build_listed, build_row, select_list
from portal.services.tickets.searching import Found, find_tickets
from portal.services.tickets.view_filters import ViewFilter, saved_conditions

SORTS = ("updated", "created", "priority", "status", "due")
# What goes no further without the customer.
NEEDING = (TicketStatus.WAITING_CUSTOMER, TicketStatus.AWAITING_PAYMENT, TicketStatus.RESOLVED)
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
    saved: ViewFilter | None = None
    q: str = ""
    sort: str = "updated"
    descending: bool = True
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    @property
    def narrowed(self) -> bool:
        """Whether anything but a view and words is asked for."""
        return bool(
            self.status
            or self.category
            or self.priority
            or self.assignee
            or self.unassigned
            or self.company
            or self.created_from
            or self.created_to
            or self.saved
        )

    @property
    def words(self) -> str:
        """What is searched for: the words of the saved view, and those of the address."""
        return f"{self.saved.text} {self.q}" if self.saved else self.q


def list_tickets(
    session: TenantSession, wanted: TicketFilter, *, actor: Actor, now: datetime, whole: bool = False
) -> Page[TicketRow]:
    """One page of what the actor may see, by two statements at most. Raises Invalid about the cursor.

    `whole` reads the tickets with their texts and all their steps, by one statement more: what pages do not
    show in lists and the API gives.
    """
    cursor = decode_cursor(wanted.cursor)
    found = find_words(session, wanted, actor)
    if found is not None and not found:
        return Page([])
    similar = found.similar if found else ()
    if cursor is None and not wanted.narrowed and not similar:
        shape = (sight_of(actor), actor.is_staff, wanted.view, wanted.sort, wanted.descending, found is not None, whole)
        values = {**values_of(actor), "now": now, "found": found and found.ids, "rows": wanted.limit + 1}
        statement = _standing_list(*shape)
        result = session.run(statement, values) if whole else session.read(statement, values)
    else:
        query = select_list(staff=actor.is_staff, whole=whole, labels=wanted.saved is not None).where(
            visible_to(actor), *filter_conditions(wanted, actor, now)
        )
        if found is not None:
            query = query.where(is_one_of(found.ids))
        query = seek(query, wanted.sort, wanted.descending, cursor, similar)
        result = session.execute(query.limit(wanted.limit + 1))
    rows = [*map(build_row if whole else build_listed, result)]
    page = paginate(rows, wanted.limit, cursor, lambda row: key_of(row.ticket, wanted.sort))
    if similar:
        page = replace(page, approximate=all(row.ticket.id in similar for row in page.items))
    if whole:
        steps = list_next_steps(session, [row.ticket.id for row in page.items], actor=actor)
        for row in page.items:
            row.steps.extend(steps.get(row.ticket.id, ()))
    return page


@cache
def _standing_list(
    sight: Sight, staff: bool, view: str | None, sort: str, descending: bool, searched: bool, whole: bool
) -> Select[Any]:
    """The first page of a view, built once for each kind of reader: building it took longer than running it."""
    query = select_list(staff=staff, whole=whole).where(visible_by(sight))
    if view:
        query = query.where(*view_conditions(view, bindparam("me"), bindparam("now")))
    if searched:
        query = query.where(is_one_of(bindparam("found", type_=ARRAY(Uuid()))))
    return prepare(order(query, sort_key(sort), descending).limit(bindparam("rows", type_=Integer())))


def find_words(session: TenantSession, wanted: TicketFilter, actor: Actor) -> Found | None:
    """What the words of the list find; None where it has none. A view without words of the reader's shows hits only."""
    return find_tickets(session, wanted.words, actor=actor, near=bool(wanted.q.strip()))


def filter_conditions(wanted: TicketFilter, actor: Actor, now: datetime) -> list[ColumnElement[bool]]:
    """What a filter asks of a ticket, apart from the words searched for."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.view:
        conditions.extend(view_conditions(wanted.view, actor.user_id, now))
    if wanted.saved:
        conditions.extend(saved_conditions(wanted.saved, actor.user_id, now))
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


def is_active() -> ColumnElement[bool]:
    """Neither resolved nor over, in the words of the partial indexes."""
    return literal_column(ACTIVE_SQL.text, Boolean)


def view_conditions(view: str, me: Any, now: Any) -> list[ColumnElement[bool]]:
    """The standing views of the team's queue (and of the customer's tabs); `me` and `now` may be parameters."""
    active = is_active()
    views: dict[str, list[ColumnElement[bool]]] = {
        "mine": [active, Ticket.assigned_to == me],
        "unassigned": [active, Ticket.assigned_to.is_(None)],
        # Whatever has a promise running, the soonest first: the order says what is soon.
        "due_soon": [active, due_at < literal_column("'infinity'::timestamptz")],
        "breached": [active, due_at < now],
        "with_customer": [Ticket.status == TicketStatus.WAITING_CUSTOMER],
        "open": [active],
        "solved": [Ticket.status.in_((TicketStatus.RESOLVED, TicketStatus.CLOSED))],
        "waiting": [Ticket.status.in_((TicketStatus.WAITING_CUSTOMER, TicketStatus.AWAITING_PAYMENT))],
        "all": [],
    }
    return views.get(view, [])
