"""The orders of lists of tickets, and how a page of one begins where the page before ended (keyset)."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Integer, Select, and_, case, literal, literal_column, or_

from portal.lib.paging import Cursor
from portal.models import DUE_SQL, PRIORITY_RANK, PRIORITY_SQL, Ticket, TicketStatus

_priority_rank = literal_column(PRIORITY_SQL.text, Integer)
due_at = literal_column(DUE_SQL.text, DateTime(timezone=True))
_status_rank = case({status.value: rank for rank, status in enumerate(TicketStatus)}, value=Ticket.status, else_=0)


def sort_key(sort: str) -> ColumnElement[Any]:
    """What a list is ordered by."""
    keys: dict[str, ColumnElement[Any]] = {
        "created": Ticket.created_at.expression,
        "priority": _priority_rank,
        "status": _status_rank,
        # What has no promise comes behind what has one; coalescing lets a keyset walk over it.
        "due": due_at,
    }
    return keys.get(sort, Ticket.updated_at.expression)


def key_of(ticket: Ticket, sort: str) -> tuple[Any, UUID]:
    """Where a ticket stands in that order."""
    if sort == "priority":
        return PRIORITY_RANK[ticket.priority], ticket.id
    if sort == "status":
        return list(TicketStatus).index(ticket.status), ticket.id
    if sort == "due":
        return ticket.sla_due_at, ticket.id
    return (ticket.created_at if sort == "created" else ticket.updated_at), ticket.id


def seek(query: Select[Any], sort: str, descending: bool, cursor: Cursor | None) -> Select[Any]:
    """The query in that order, from the cursor on."""
    key = sort_key(sort)
    if cursor is not None:
        value = _cursor_value(cursor, sort)
        descending ^= cursor.backwards
        past = key < value if descending else key > value
        level = Ticket.id < cursor.id if descending else Ticket.id > cursor.id
        query = query.where(or_(past, and_(key == value, level)))
    return order(query, key, descending)


def _cursor_value(cursor: Cursor, sort: str) -> Any:
    if sort in ("priority", "status"):
        return cursor.number()
    moment = cursor.moment()
    return literal("infinity").cast(Ticket.sla_due_at.type) if moment is None else moment


def order(query: Select[Any], key: ColumnElement[Any], descending: bool) -> Select[Any]:
    """The query in order of the key; the id makes it total."""
    if descending:
        return query.order_by(key.desc(), Ticket.id.desc())
    return query.order_by(key.asc(), Ticket.id.asc())
