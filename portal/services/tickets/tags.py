"""Tags that the team uses, to choose from."""

from sqlalchemy import func, select

from portal.authz import Actor, Permission, require
from portal.models import Ticket
from portal.models.session import TenantSession

# What is in use shows in what changed lately; looking through every ticket would take seconds.
LOOKED_AT = 2_000


def suggest_tags(session: TenantSession, *, actor: Actor, search: str = "", limit: int = 20) -> list[str]:
    """Tags of the tickets that changed last, the most used first; `search` is how they begin."""
    require(actor, Permission.DESK_READ)
    newest = (
        select(Ticket.tags.label("tags"))
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    used = select(func.jsonb_array_elements_text(newest.c.tags).label("tag")).subquery()
    query = select(used.c.tag)
    if begins := search.strip().casefold():
        query = query.where(func.starts_with(func.lower(used.c.tag), begins))
    return list(session.scalars(query.group_by(used.c.tag).order_by(func.count().desc(), used.c.tag).limit(limit)))
