"""Saved views of a customer: filters of the list of tickets under a name, seen by nobody else."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Select, func, select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, NotFound, invalid
from portal.events import audit
from portal.models import TicketView, User
from portal.models.session import TenantSession
from portal.services.tickets.validation import one_text

NAME_LENGTH = 60
MOST_VIEWS = 30
AUDIENCE = "customer"
# What a view keeps: filters by their names in the list's address, as texts.
FILTERS = ("view", "q", "status", "category", "priority", "created_from", "created_to", "sort")
_VALUE_LENGTH = 200


def list_own_views(session: TenantSession, *, actor: Actor) -> list[TicketView]:
    """The actor's views in their order."""
    require(actor, Permission.TICKETS_READ)
    return list(session.scalars(_own(actor).order_by(TicketView.position, TicketView.created_at, TicketView.id)))


def get_own_view(session: TenantSession, view_id: UUID, *, actor: Actor) -> TicketView:
    """One of the actor's views, else NotFound."""
    view = session.scalar(_own(actor).where(TicketView.id == view_id))
    if view is None:
        raise NotFound("view")
    return view


def save_view(
    session: TenantSession, name: str, filters: Mapping[str, str], *, actor: Actor, now: datetime
) -> TicketView:
    """Keep the filters under a name of the actor's own.

    Raises Invalid (`name`: also `name_taken`; `filters`) and Conflict `too_many_views`.
    """
    require(actor, Permission.TICKETS_READ)
    kept = _checked(filters)
    # One after the other, so that neither a name nor the number of views slips through.
    session.execute(select(User.id).where(User.id == actor.user_id).with_for_update())
    text = _free_name(session, name, actor=actor)
    count = session.scalar(select(func.count()).select_from(_own(actor).subquery())) or 0
    if count >= MOST_VIEWS:
        raise Conflict("too_many_views", limit=MOST_VIEWS)
    view = TicketView(
        id=uuid4(),
        audience=AUDIENCE,
        owner_id=actor.user_id,
        name=text,
        filters=kept,
        columns=[],
        sort=kept.get("sort", "-updated"),
        position=count,
        created_at=now,
    )
    session.add(view)
    audit(session, "ticket_view.saved", "ticket_view", view.id, actor=actor, now=now, after={"filters": sorted(kept)})
    return view


def rename_view(session: TenantSession, view_id: UUID, name: str, *, actor: Actor, now: datetime) -> TicketView:
    """Give an own view another name. Raises NotFound and Invalid about `name`."""
    require(actor, Permission.TICKETS_READ)
    session.execute(select(User.id).where(User.id == actor.user_id).with_for_update())
    view = get_own_view(session, view_id, actor=actor)
    view.name = _free_name(session, name, actor=actor, besides=view_id)
    view.version += 1
    audit(session, "ticket_view.renamed", "ticket_view", view.id, actor=actor, now=now)
    return view


def delete_view(session: TenantSession, view_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Forget an own view. Raises NotFound, also the second time."""
    require(actor, Permission.TICKETS_READ)
    view = session.scalar(_own(actor).where(TicketView.id == view_id).with_for_update())
    if view is None:
        raise NotFound("view")
    session.delete(view)
    audit(session, "ticket_view.deleted", "ticket_view", view_id, actor=actor, now=now)


def _own(actor: Actor) -> Select[TicketView]:
    return select(TicketView).where(TicketView.audience == AUDIENCE, TicketView.owner_id == actor.user_id)


def _free_name(session: TenantSession, name: str, *, actor: Actor, besides: UUID | None = None) -> str:
    text = one_text("name", " ".join(name.split()), limit=NAME_LENGTH)
    same = _own(actor).where(func.lower(TicketView.name) == text.lower())
    if besides is not None:
        same = same.where(TicketView.id != besides)
    if session.scalar(same.limit(1)) is not None:
        raise invalid("name", "name_taken")
    return text


def _checked(filters: Mapping[str, str]) -> dict[str, str]:
    unknown = next((name for name in filters if name not in FILTERS), None)
    if unknown is not None:
        raise invalid("filters", "unknown_field")
    return {name: one_text("filters", value, limit=_VALUE_LENGTH) for name, value in filters.items() if value}
