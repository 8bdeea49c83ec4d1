"""Views of the queue under /api/v1/staff/ticket-views: the team's shared ones and the caller's own."""

from typing import Any, Literal
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import ANY_TEXT, SOME_TEXT, Body, Shape, UtcDateTime, left_out
from portal.blueprints.policies import permission
from portal.lib.cel_tree import LONGEST
from portal.models import TicketPriority, TicketStatus
from portal.services.tickets.saved_counting import count_saved_views
from portal.services.tickets.saved_views import (
    NAME_LENGTH,
    STANDARD_COLUMNS,
    SavedView,
    ViewForm,
    delete_view,
    duplicate_view,
    get_saved_view,
    list_saved_views,
    list_view_versions,
    move_view,
    restore_view,
    save_view,
)
from portal.services.tickets.view_filters import LONGEST_DAYS, LONGEST_HOURS, MOST_VALUES, ViewFilter

bp = Blueprint("ticket_views_api", __name__, url_prefix="/api/v1/staff/ticket-views")

Column = Literal[
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
]
ViewOrder = Literal[
    "due", "-due", "-updated", "updated", "-created", "created", "-priority", "priority", "status", "-status"
]


class ViewFilterBody(Body):
    """What a view narrows by; several values of one field mean any of them, of `tags` all are asked for."""

    status: list[TicketStatus] = Field([], max_length=MOST_VALUES)
    custom_status: list[str] = Field([], max_length=MOST_VALUES)
    priority: list[TicketPriority] = Field([], max_length=MOST_VALUES)
    category: list[str] = Field([], max_length=MOST_VALUES)
    assignee: list[str] = Field([], max_length=MOST_VALUES, description="Ids of the team, `me`, or `none`.")
    company: list[UUID] = Field([], max_length=MOST_VALUES)
    tags: list[str] = Field([], max_length=MOST_VALUES)
    sla: list[Literal["breached", "due", "paused", "none"]] = Field([], max_length=4)
    due_hours: int = left_out(ge=1, le=LONGEST_HOURS, strict=True, description="Due within so many hours.")
    created_days: int = left_out(ge=1, le=LONGEST_DAYS, strict=True, description="Opened within so many days.")
    updated_days: int = left_out(ge=1, le=LONGEST_DAYS, strict=True, description="Active within so many days.")
    idle_days: int = left_out(ge=1, le=LONGEST_DAYS, strict=True, description="Nothing happened for so many days.")
    text: str = Field("", max_length=200, description="Words that are searched for.", json_schema_extra=ANY_TEXT)
    condition: str = Field(
        "",
        max_length=LONGEST,
        description="A condition in CEL, asked beside all others; its errors carry line and column.",
        examples=['ticket.priority == "high" && "vip" in ticket.tags'],
    )

    def filter(self) -> ViewFilter:
        """The same for the service."""
        return ViewFilter.of(self.model_dump(mode="json"))


class ViewRequest(Body):
    """A view; `version` is the one that is being replaced."""

    name: str = Field(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)
    filters: ViewFilterBody = left_out(description="Without them every ticket.")
    columns: list[Column] = left_out(max_length=20, description="Without them those of the standing views.")
    sort: ViewOrder = "due"
    shared: bool = Field(False, description="For the whole team; needs `desk:views`.", strict=True)
    version: int = left_out(ge=1, strict=True, description="Refused with 409 where another version is there by now.")

    def form(self) -> ViewForm:
        """The same for the service."""
        filters = ViewFilter() if self.filters is None else self.filters.filter()
        columns = STANDARD_COLUMNS if self.columns is None else self.columns
        return ViewForm(self.name, filters, columns, self.sort, self.shared, self.version)


class CopyRequest(Body):
    """What the copy is called."""

    name: str = Field(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)


class MoveRequest(Body):
    """One place up or down among its like."""

    direction: Literal["up", "down"]


class RestoreRequest(Body):
    """The version to go back to."""

    version: int = Field(ge=1, strict=True)


class View(Shape):
    """A view of the queue."""

    id: UUID
    name: str
    shared: bool
    filters: dict[str, Any] = Field(description="Only what narrows.")
    columns: list[str]
    sort: str
    version: int
    count: int | None = Field(description="Tickets in it, counted to 1,001 at most; in the list of views only.")

    @classmethod
    def of(cls, view: SavedView, count: int | None = None) -> "View":
        """The view, with what it holds where that was counted."""
        shown = {name: getattr(view, name) for name in ("id", "name", "shared", "sort", "version")}
        return cls(**shown, filters=view.filter.stored(), columns=list(view.columns), count=count)


class Views(Shape):
    """Every view that the caller may open: shared ones first, each kind in its order."""

    items: list[View]


class ViewVersion(Shape):
    """How a view was when it was saved."""

    version: int
    data: dict[str, Any]
    saved_by: str
    saved_at: UtcDateTime


class ViewVersions(Shape):
    """The newest first, 50 at most."""

    items: list[ViewVersion]


@bp.get("")
@permission(Permission.DESK_READ)
@operation("List the views of the queue", answer=Views)
def index() -> Views:
    """Shared views and your own, with how many tickets each holds."""
    session, actor = http.session(), http.actor()
    views = list_saved_views(session, actor=actor)
    counts = count_saved_views(session, views, actor=actor, now=http.now())
    return Views(items=[View.of(view, counts[view.id]) for view in views])


@bp.post("")
@permission(Permission.DESK_READ)
@operation("Make a view", body=ViewRequest, answer=View, status=201)
def create(body: ViewRequest) -> View:
    """Keeps filters, columns and an order under a name."""
    return View.of(save_view(http.session(), None, form=body.form(), actor=http.actor(), now=http.now()))


@bp.get("/<uuid:view_id>")
@permission(Permission.DESK_READ)
@operation("Read a view", answer=View)
def detail(view_id: UUID) -> View:
    """A shared view, or one of your own."""
    return View.of(get_saved_view(http.session(), view_id, actor=http.actor()))


@bp.put("/<uuid:view_id>")
@permission(Permission.DESK_READ)
@operation("Replace a view", body=ViewRequest, answer=View, conflicts="Somebody saved it since.")
def replace(view_id: UUID, body: ViewRequest) -> View:
    """Saves the view as a new version."""
    return View.of(save_view(http.session(), view_id, form=body.form(), actor=http.actor(), now=http.now()))


@bp.delete("/<uuid:view_id>")
@permission(Permission.DESK_READ)
@operation("Delete a view", answer=None, status=204)
def delete(view_id: UUID) -> None:
    """Removes the view; its tickets stay as they are."""
    delete_view(http.session(), view_id, actor=http.actor(), now=http.now())


@bp.post("/<uuid:view_id>/duplicate")
@permission(Permission.DESK_READ)
@operation("Copy a view", body=CopyRequest, answer=View, status=201)
def duplicate(view_id: UUID, body: CopyRequest) -> View:
    """Makes a copy of your own."""
    return View.of(duplicate_view(http.session(), view_id, name=body.name, actor=http.actor(), now=http.now()))


@bp.post("/<uuid:view_id>/move")
@permission(Permission.DESK_READ)
@operation("Move a view", body=MoveRequest, answer=View)
def move(view_id: UUID, body: MoveRequest) -> View:
    """Swaps it with its neighbour; at the end nothing happens."""
    move_view(http.session(), view_id, up=body.direction == "up", actor=http.actor(), now=http.now())
    return View.of(get_saved_view(http.session(), view_id, actor=http.actor()))


@bp.get("/<uuid:view_id>/versions")
@permission(Permission.DESK_READ)
@operation("List the versions of a view", answer=ViewVersions)
def versions(view_id: UUID) -> ViewVersions:
    """How it was at each saving, and who saved it."""
    rows = list_view_versions(http.session(), view_id, actor=http.actor())
    items = [
        ViewVersion(version=row.version, data=row.data, saved_by=row.saved_by_name, saved_at=row.saved_at)
        for row in rows
    ]
    return ViewVersions(items=items)


@bp.post("/<uuid:view_id>/restore")
@permission(Permission.DESK_READ)
@operation("Go back to a version", body=RestoreRequest, answer=View)
def restore(view_id: UUID, body: RestoreRequest) -> View:
    """Makes an earlier version the newest one."""
    session, actor = http.session(), http.actor()
    return View.of(restore_view(session, view_id, version=body.version, actor=actor, now=http.now()))
