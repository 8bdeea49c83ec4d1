"""What stands above lists of tickets: counts of their views, capped, and the categories to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from portal.authz import Actor
from portal.models import Ticket, TicketCategory
from portal.models.session import TenantSession, prepare
from portal.services.tickets.listing import view_conditions
from portal.services.tickets.queries import Sight, sight_of, values_of, visible_by
from portal.services.tickets.rows import CategoryName

COUNT_CAP = 1000


def count_views(session: TenantSession, views: Sequence[str], *, actor: Actor, now: datetime) -> dict[str, int]:
    """How many tickets each view holds, counted to 1,001 at most, in one statement."""
    statement = _counts(sight_of(actor), tuple(views))
    return dict(zip(views, session.read(statement, {**values_of(actor), "now": now}).one(), strict=True))


@cache
def _counts(sight: Sight, views: tuple[str, ...]) -> Select[Any]:
    return prepare(select(*_count_columns(sight, views)))


def _count_columns(sight: Sight, views: Sequence[str]) -> list[Any]:
    columns = []
    for view in views:
        conditions = view_conditions(view, bindparam("me"), bindparam("now"))
        rows = select(literal(1)).select_from(Ticket).where(visible_by(sight), *conditions)
        columns.append(select(func.count()).select_from(rows.limit(COUNT_CAP + 1).subquery()).scalar_subquery())
    return columns


@dataclass(frozen=True)
class ListHead:
    """What stands above a list: counts of its views, and the categories to choose from."""

    counts: dict[str, int]
    categories: list[CategoryName]


def read_list_head(session: TenantSession, views: Sequence[str], *, actor: Actor, now: datetime) -> ListHead:
    """Counts and categories by one statement."""
    values = {**values_of(actor), "now": now, "tenant": session.tenant_id}
    row = session.read(_list_head(sight_of(actor), tuple(views)), values).one()
    return ListHead(dict(zip(views, row[:-1], strict=True)), [CategoryName(key, names) for key, names in row[-1] or ()])


@cache
def _list_head(sight: Sight, views: tuple[str, ...]) -> Select[Any]:
    categories = select(
        func.jsonb_agg(
            aggregate_order_by(
                func.jsonb_build_array(TicketCategory.key, TicketCategory.names),
                TicketCategory.position,
                TicketCategory.key,
            )
        )
    ).where(TicketCategory.active, TicketCategory.tenant_id == bindparam("tenant"))
    return prepare(select(*_count_columns(sight, views), categories.scalar_subquery()))
