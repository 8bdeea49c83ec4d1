"""The team's own views of the queue: filters, columns and an order under a name, shared or somebody's own.

Everybody of the desk keeps views of their own; shared ones need `desk:views`. Somebody else's own view is not found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, or_, select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid, NotFound
from portal.events import audit
from portal.models import ConfigVersion, TicketView
from portal.models.session import TenantSession
from portal.services.tickets.validation import checked_text
from portal.services.tickets.view_filters import ViewFilter, check_filter

AUDIENCE = "staff"
RECORD = "ticket_view"
NAME_LENGTH = 60
MOST_VIEWS = 40
COLUMNS = (
    "priority",
    "number",
    "subject",
    "customer",
    "requester",
    "category",
    "status",
    "promise",
    "next_step",
    "tags",
    "source",
    "assignee",
    "created",
    "active",
)
STANDARD_COLUMNS = ("priority", "number", "subject", "customer", "status", "promise", "next_step", "assignee", "active")
# The promise that is missed next comes first by `due`.
ORDERS = ("due", "-due", "-updated", "updated", "-created", "created", "-priority", "priority", "status", "-status")


@dataclass(frozen=True)
class ViewForm:
    """A view as it is edited; `version` is the one that was opened, None for whichever is there."""

    name: str
    filter: ViewFilter = field(default_factory=ViewFilter)
    columns: Sequence[str] = STANDARD_COLUMNS
    sort: str = "due"
    shared: bool = False
    version: int | None = None


@dataclass(frozen=True)
class SavedView:
    """A view as lists use it: nothing in it changes any more, so parts of pages can be kept by it."""

    id: UUID
    name: str
    shared: bool
    filter: ViewFilter
    columns: tuple[str, ...]
    sort: str
    version: int

    @classmethod
    def of(cls, row: TicketView) -> "SavedView":
        """The view of a row; columns that this version does not know are left out."""
        columns = tuple(name for name in row.columns if name in COLUMNS)
        shared = row.owner_id is None
        return cls(row.id, row.name, shared, ViewFilter.of(row.filters), columns, row.sort, row.version)


def list_saved_views(session: TenantSession, *, actor: Actor) -> list[SavedView]:
    """What the actor may open: the shared ones in the team's order, then the own ones. Raises Forbidden."""
    return [SavedView.of(row) for row in _rows(session, actor)]


def get_saved_view(session: TenantSession, view_id: UUID, *, actor: Actor) -> SavedView:
    """One of them. Raises Forbidden and NotFound."""
    require(actor, Permission.DESK_READ)
    row = session.scalar(select(TicketView).where(TicketView.id == view_id, _visible_to(actor)))
    if row is None:
        raise NotFound("view")
    return SavedView.of(row)


def save_view(
    session: TenantSession, view_id: UUID | None, *, form: ViewForm, actor: Actor, now: datetime
) -> SavedView:
    """Create (id None) or change a view. Raises Forbidden, NotFound, Invalid per field and Conflict.

    Making an own view a shared one, or the other way round, needs `desk:views`, as does changing a shared one;
    `changed_meanwhile` says that somebody saved another version since `form.version` was opened.
    """
    row = _lock(session, view_id, actor=actor) if view_id else None
    _require_for(actor, shared=form.shared or (row is not None and row.owner_id is None))
    if row is not None and form.version not in (None, row.version):
        raise Conflict("changed_meanwhile")
    values = _checked(session, form)
    owner = None if form.shared else actor.user_id
    before = _data(row) if row else None
    if row is None or row.owner_id != owner:
        others = [other for other in _rows(session, actor) if other.owner_id == owner]
        if len(others) >= MOST_VIEWS:
            raise Invalid(FieldError("name", "too_many", (("limit", MOST_VIEWS),)))
        position = max((other.position for other in others), default=-1) + 1
    else:
        position = row.position
    if row is None:
        row = TicketView(id=uuid4(), tenant_id=session.tenant_id, audience=AUDIENCE, version=0, created_at=now)
        session.add(row)
    row.owner_id, row.position = owner, position
    for name, value in values.items():
        setattr(row, name, value)
    return _keep(session, row, before, actor=actor, now=now)


def duplicate_view(session: TenantSession, view_id: UUID, *, name: str, actor: Actor, now: datetime) -> SavedView:
    """An own copy of a view, under another name. Raises Forbidden, NotFound and Invalid."""
    seen = get_saved_view(session, view_id, actor=actor)
    form = ViewForm(name, seen.filter, seen.columns, seen.sort)
    return save_view(session, None, form=form, actor=actor, now=now)


def delete_view(session: TenantSession, view_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Remove a view; its tickets stay as they are. Raises Forbidden and NotFound."""
    row = _lock(session, view_id, actor=actor)
    _require_for(actor, shared=row.owner_id is None)
    audit(session, "ticket_view.deleted", RECORD, row.id, actor=actor, now=now, before=_data(row))
    session.delete(row)
    session.flush()


def move_view(session: TenantSession, view_id: UUID, *, up: bool, actor: Actor, now: datetime) -> None:
    """Swap places with the neighbour among the shared or the own ones; at the end nothing happens.

    Raises Forbidden and NotFound.
    """
    require(actor, Permission.DESK_READ)
    rows = list(session.scalars(_select(actor).with_for_update()))
    row = next((found for found in rows if found.id == view_id), None)
    if row is None:
        raise NotFound("view")
    _require_for(actor, shared=row.owner_id is None)
    peers = [peer for peer in rows if peer.owner_id == row.owner_id]
    index = peers.index(row)
    other = index - 1 if up else index + 1
    if not 0 <= other < len(peers):
        return
    peers[index], peers[other] = peers[other], peers[index]
    for position, peer in enumerate(peers):
        peer.position = position
    audit(session, "ticket_view.moved", RECORD, row.id, actor=actor, now=now, after={"position": other})


def list_view_versions(session: TenantSession, view_id: UUID, *, actor: Actor) -> list[ConfigVersion]:
    """How the view was at each saving, the newest first. Raises Forbidden and NotFound."""
    get_saved_view(session, view_id, actor=actor)
    return list(
        session.scalars(
            select(ConfigVersion)
            .where(ConfigVersion.record_type == RECORD, ConfigVersion.record_id == view_id)
            .order_by(ConfigVersion.version.desc())
            .limit(50)
        )
    )


def restore_view(session: TenantSession, view_id: UUID, *, version: int, actor: Actor, now: datetime) -> SavedView:
    """Make an earlier version the newest one; raises Forbidden, NotFound, and Invalid where it no longer holds."""
    versions = list_view_versions(session, view_id, actor=actor)
    data = next((entry.data for entry in versions if entry.version == version), None)
    if data is None:
        raise NotFound("version")
    shared = get_saved_view(session, view_id, actor=actor).shared
    form = ViewForm(data["name"], ViewFilter.of(data["filters"]), data["columns"], data["sort"], shared)
    return save_view(session, view_id, form=form, actor=actor, now=now)


def _visible_to(actor: Actor) -> ColumnElement[bool]:
    mine = or_(TicketView.owner_id.is_(None), TicketView.owner_id == actor.user_id)
    return and_(TicketView.audience == AUDIENCE, mine)


def _select(actor: Actor) -> Any:
    return (
        select(TicketView)
        .where(_visible_to(actor))
        .order_by(TicketView.owner_id.is_not(None), TicketView.position, TicketView.name, TicketView.id)
    )


def _rows(session: TenantSession, actor: Actor) -> list[TicketView]:
    require(actor, Permission.DESK_READ)
    return list(session.scalars(_select(actor)))


def _lock(session: TenantSession, view_id: UUID, *, actor: Actor) -> TicketView:
    require(actor, Permission.DESK_READ)
    row = session.scalar(select(TicketView).where(TicketView.id == view_id, _visible_to(actor)).with_for_update())
    if row is None:
        raise NotFound("view")
    return row


def _require_for(actor: Actor, *, shared: bool) -> None:
    require(actor, Permission.DESK_VIEWS if shared else Permission.DESK_READ)


def _checked(session: TenantSession, form: ViewForm) -> dict[str, Any]:
    errors: list[FieldError] = []
    name = " ".join(checked_text("name", form.name, limit=NAME_LENGTH, errors=errors).split())
    columns = list(dict.fromkeys(form.columns))
    if set(columns) - set(COLUMNS):
        errors.append(FieldError("columns", "unknown_choice"))
    elif "subject" not in columns:
        # The way into the ticket is its subject.
        errors.append(FieldError("columns", "subject_missing"))
    if form.sort not in ORDERS:
        errors.append(FieldError("sort", "unknown_choice"))
    found = check_filter(session, form.filter, errors)
    if errors:
        raise Invalid(*errors)
    return {"name": name, "columns": columns, "sort": form.sort, "filters": found.stored()}


def _data(row: TicketView) -> dict[str, Any]:
    return {
        "name": row.name,
        "filters": row.filters,
        "columns": row.columns,
        "sort": row.sort,
        "shared": row.owner_id is None,
    }


def _keep(
    session: TenantSession, row: TicketView, before: dict[str, Any] | None, *, actor: Actor, now: datetime
) -> SavedView:
    data = _data(row)
    if data == before:
        return SavedView.of(row)
    row.version += 1
    session.add(
        ConfigVersion(
            tenant_id=session.tenant_id,
            record_type=RECORD,
            record_id=row.id,
            version=row.version,
            data=data,
            saved_by=actor.user_id,
            saved_by_name=actor.name,
            saved_at=now,
        )
    )
    session.flush()
    audit(session, "ticket_view.saved", RECORD, row.id, actor=actor, now=now, before=before, after=data)
    return SavedView.of(row)
