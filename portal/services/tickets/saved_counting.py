"""How many tickets each saved view holds: capped, and one statement for all of them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select

from portal.authz import Actor
from portal.lib.text import search_query
from portal.models import Ticket
from portal.models.session import TenantSession
from portal.services.tickets.counting import COUNT_CAP
from portal.services.tickets.queries import visible_to
from portal.services.tickets.saved_views import SavedView
from portal.services.tickets.view_filters import saved_conditions

# As many as the search function gives at most.
_MOST_HITS = 500


def count_saved_views(
    session: TenantSession, views: Sequence[SavedView], *, actor: Actor, now: datetime
) -> dict[UUID, int]:
    """Tickets by view, counted to 1,001 at most (views with words to 500), by one statement."""
    if not views:
        return {}
    columns = [_count(view, actor, now) for view in views]
    return dict(zip([view.id for view in views], session.execute(select(*columns)).one(), strict=True))


def _count(view: SavedView, actor: Actor, now: datetime) -> ColumnElement[int]:
    conditions = saved_conditions(view.filter, actor.user_id, now)
    if view.filter.text:
        query = search_query(view.filter.text)
        if query is None:
            return literal(0)
        found = select(func.search_tickets(query, None, None, actor.is_staff, _MOST_HITS))
        conditions.append(Ticket.id.in_(found))
    rows = (
        select(literal(1))
        .select_from(Ticket)
        .where(Ticket.tenant_id == actor.tenant_id, visible_to(actor), *conditions)
        .limit(COUNT_CAP + 1)
    )
    return select(func.count()).select_from(rows.subquery()).scalar_subquery()
