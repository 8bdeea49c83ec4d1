"""The list as a whole under /api/v1/portal: files, several tickets at once, saved views."""

from typing import Annotated, Literal
from uuid import UUID

from flask import Blueprint, Response
from pydantic import Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import ANY_TEXT, SOME_TEXT, Body, Query, Shape, UtcDateTime, left_out
from portal.blueprints.localisation import select_timezone
from portal.blueprints.policies import permission
from portal.blueprints.tickets.exporting import MOST_CHOSEN, PDF, send_tickets
from portal.blueprints.tickets.requests import CategoryKey, DayOrInstant, SearchText, first_instant
from portal.models import TicketPriority, TicketStatus, TicketView
from portal.services.tickets.ending import MOST_AT_ONCE, EndingResult, end_tickets
from portal.services.tickets.listing import TicketFilter
from portal.services.tickets.own_views import (
    NAME_LENGTH,
    delete_view,
    get_own_view,
    list_own_views,
    rename_view,
    save_view,
)
from portal.services.tickets.validation import COMMENT_LENGTH

bp = Blueprint("ticket_list_api", __name__, url_prefix="/api/v1/portal/tickets")
ViewName = Annotated[str, Field(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)]
Value = Annotated[str, Field(max_length=200, json_schema_extra=ANY_TEXT)]


class ExportQuery(Query):
    """Which tickets, as what; a name given several times means any of the values."""

    format: Literal["csv", "pdf"] = Field("csv", description="A PDF holds the newest 1,000 tickets.")
    ids: list[UUID] = Field([], max_length=MOST_CHOSEN, description="Only these; ids that are not yours are left out.")
    status: list[TicketStatus] = Field([], description="Any of these states.")
    category: list[CategoryKey] = Field([], description="Any of these categories.")
    priority: list[TicketPriority] = Field([], description="Any of these priorities.")
    q: SearchText = Field("", description="Words that number, subject or text of a ticket hold, each from its start.")
    created_from: DayOrInstant | None = Field(None, description="Opened on that day (in your zone) or later.")
    created_to: DayOrInstant | None = Field(None, description="Opened on that day or earlier; before an instant.")


class BulkRequest(Body):
    """What to do to which tickets."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_AT_ONCE)]
    action: Literal["close", "cancel"]
    reason: str = Field(
        "", max_length=COMMENT_LENGTH, json_schema_extra=ANY_TEXT, description="Needed where tickets are cancelled."
    )


class BulkResult(Shape):
    """What came of one ticket."""

    id: UUID
    number: str | None = Field(description="null for an id that is none of your tickets.")
    ok: bool
    code: str = Field(description="`closed`, `cancelled`, or why not.", examples=["closed", "already_closed"])

    @classmethod
    def of(cls, result: EndingResult) -> "BulkResult":
        """The result as the API tells."""
        return cls(id=result.id, number=result.number, ok=result.ok, code=result.code)


class BulkResults(Shape):
    """A result for each ticket, in the order of the request."""

    results: list[BulkResult]


class ViewFilters(Body):
    """Filters of the list of tickets by their names in its address."""

    view: Literal["open", "waiting", "solved", "all"] = left_out()
    q: Value = left_out()
    status: TicketStatus = left_out()
    category: CategoryKey = left_out()
    priority: TicketPriority = left_out()
    created_from: Value = left_out()
    created_to: Value = left_out()
    sort: Value = left_out()


class ViewRequest(Body):
    """A view to keep."""

    name: ViewName
    filters: ViewFilters = ViewFilters()


class ViewPatch(Body):
    """Another name."""

    name: ViewName


class SavedView(Shape):
    """Filters under a name."""

    id: UUID
    name: str
    filters: dict[str, str]
    created_at: UtcDateTime

    @classmethod
    def of(cls, view: TicketView) -> "SavedView":
        """The view as the API tells."""
        return cls(id=view.id, name=view.name, filters=view.filters, created_at=view.created_at)


class SavedViews(Shape):
    """Your views in their order."""

    items: list[SavedView]


@bp.get("/export")
@permission(Permission.TICKETS_READ)
@operation("Export tickets", query=ExportQuery, answer=None, media=("text/csv", PDF))
def export(query: ExportQuery) -> Response:
    """Your tickets as a file, newest first. Texts that a spreadsheet would compute begin with an apostrophe."""
    zone = select_timezone()
    wanted = TicketFilter(
        status=tuple(query.status),
        category=tuple(query.category),
        priority=tuple(query.priority),
        created_from=first_instant(query.created_from, zone),
        created_to=first_instant(query.created_to, zone, after=True),
        q=query.q,
    )
    return send_tickets(query.format, wanted, query.ids, {})


@bp.post("/bulk")
@permission(Permission.TICKETS_CLOSE)
@operation("Close or cancel several tickets", body=BulkRequest, answer=BulkResults)
def bulk(body: BulkRequest) -> BulkResults:
    """Each ticket that can be ended is; the others say why not, and keep none from it."""
    results = end_tickets(
        http.session(), body.ids, action=body.action, reason=body.reason, actor=http.actor(), now=http.now()
    )
    return BulkResults(results=[BulkResult.of(result) for result in results])


@bp.get("/views")
@permission(Permission.TICKETS_READ)
@operation("List saved views", answer=SavedViews)
def views() -> SavedViews:
    """Nobody else sees them."""
    return SavedViews(items=[SavedView.of(view) for view in list_own_views(http.session(), actor=http.actor())])


@bp.get("/views/<uuid:view_id>")
@permission(Permission.TICKETS_READ)
@operation("Read a saved view", answer=SavedView)
def view(view_id: UUID) -> SavedView:
    """One view of yours."""
    return SavedView.of(get_own_view(http.session(), view_id, actor=http.actor()))


@bp.post("/views")
@permission(Permission.TICKETS_READ)
@operation("Save a view", body=ViewRequest, answer=SavedView, status=201, conflicts="There are too many views.")
def keep(body: ViewRequest) -> SavedView:
    """Keeps filters of the list under a name of your own."""
    filters = body.filters.model_dump(exclude_none=True, mode="json")
    return SavedView.of(save_view(http.session(), body.name, filters, actor=http.actor(), now=http.now()))


@bp.patch("/views/<uuid:view_id>")
@permission(Permission.TICKETS_READ)
@operation("Rename a saved view", body=ViewPatch, answer=SavedView)
def rename(view_id: UUID, body: ViewPatch) -> SavedView:
    """Gives a view of yours another name."""
    return SavedView.of(rename_view(http.session(), view_id, body.name, actor=http.actor(), now=http.now()))


@bp.delete("/views/<uuid:view_id>")
@permission(Permission.TICKETS_READ)
@operation("Delete a saved view", answer=None, status=204)
def forget(view_id: UUID) -> None:
    """Forgets a view of yours."""
    delete_view(http.session(), view_id, actor=http.actor(), now=http.now())
