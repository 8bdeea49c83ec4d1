"""The orders of lists of tickets, and how a page of one begins where the page before ended (keyset)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Uuid,
    and_,
    any_,
    case,
    literal,
    literal_column,
    not_,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY

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


def seek(
    query: Select[Any], sort: str, descending: bool, cursor: Cursor | None, behind: Sequence[UUID] = ()
) -> Select[Any]:
    """The query in that order, from the cursor on; tickets of `behind` follow all others, in the same order."""
    key = sort_key(sort)
    last = is_one_of(list(behind)) if behind else None
    backwards = cursor is not None and cursor.backwards
    if cursor is not None:
        value = _cursor_value(cursor, sort)
        descending ^= backwards
        past = key < value if descending else key > value
        level = Ticket.id < cursor.id if descending else Ticket.id > cursor.id
        beyond = or_(past, and_(key == value, level))
        query = query.where(beyond if last is None else _across(last, beyond, cursor.id in behind, backwards))
    if last is not None:
        query = query.order_by(last.desc() if backwards else last.asc())
    return order(query, key, descending)


def _across(last: ColumnElement[bool], beyond: ColumnElement[bool], among_last: bool, backwards: bool) -> Any:
    """What follows within the cursor's own half of the list, and all of the half that comes after it."""
    own = last if among_last else not_(last)
    return and_(own, beyond) if among_last is not backwards else or_(and_(own, beyond), not_(own))


def is_one_of(ids: Any) -> ColumnElement[bool]:
    """One parameter for any number of ids, where IN has one for each."""
    return Ticket.id == any_(literal(ids, ARRAY(Uuid())) if isinstance(ids, list) else ids)


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
