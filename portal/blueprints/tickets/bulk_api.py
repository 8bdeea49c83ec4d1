"""Changing many tickets at once under /api/v1/staff/tickets/bulk, and undoing it (contract §5)."""

from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import SOME_TEXT, Body, NoBody, Shape, UtcDateTime, left_out
from portal.blueprints.policies import permission
from portal.blueprints.tickets.requests import CategoryKey, SearchText, ViewChoice
from portal.models import BulkChange, TicketPriority, TicketStatus
from portal.services.tickets.bulk import MOST_TICKETS, UNDO_FOR, can_be_undone, change_tickets, get_change, undo_change
from portal.services.tickets.bulk_actions import BulkAction, BulkKind
from portal.services.tickets.choosing import list_ticket_ids
from portal.services.tickets.desk import MAX_TAGS, TAG_LENGTH
from portal.services.tickets.listing import TicketFilter
from portal.services.tickets.saved_views import get_saved_view
from portal.services.tickets.trash import REASON_LENGTH

bp = Blueprint("bulk_api", __name__, url_prefix="/api/v1/staff/tickets/bulk")


class BulkRequest(Body):
    """Tickets by `ids`, or those of a `view` (and words in it); an action, and the value that it needs."""

    ids: list[UUID] = left_out(min_length=1, max_length=MOST_TICKETS)
    view: ViewChoice = left_out(description="Instead of `ids`: the first 500 of a view, in its order.")
    q: SearchText = Field("", description="Words, with `view`.")
    action: BulkKind = Field(description="What is done: `close` and `restore` (from the trash) need no value.")
    assignee_id: UUID | None = Field(None, description="With `assign`; null gives tickets back to the queue.")
    status: TicketStatus = left_out(description="With `status`.")
    priority: TicketPriority = left_out(description="With `priority`.")
    category: CategoryKey = left_out(description="With `category`.")
    tags: list[Annotated[str, Field(max_length=TAG_LENGTH, json_schema_extra=SOME_TEXT)]] = left_out(
        max_length=MAX_TAGS, description="With `add_tags` and `remove_tags`."
    )
    reason: Annotated[str, Field(max_length=REASON_LENGTH, json_schema_extra=SOME_TEXT)] = left_out(
        description="With `trash`, which needs `desk:trash` as `restore` does."
    )
    change_id: UUID = left_out(description="Continues a change of yours: it stays one change with one undo.")

    @model_validator(mode="after")
    def _chosen_once(self) -> "BulkRequest":
        if (self.ids is None) == (self.view is None):
            raise PydanticCustomError("bulk_nothing_chosen", "either ids or a view")
        return self

    def bulk_action(self) -> BulkAction:
        """The same for the service."""
        return BulkAction(
            self.action,
            self.assignee_id,
            self.status,
            self.priority,
            self.category,
            tuple(self.tags or ()),
            self.reason or "",
        )


class BulkResult(Shape):
    """How it went with one ticket."""

    id: UUID
    number: str | None
    ok: bool
    changed: bool = Field(description="False where the ticket was so already, or refused.")
    code: str | None = Field(description="Why not.")
    undone: bool | None = Field(description="After an undo: whether the ticket is as it was.")
    undo_code: str | None = Field(description="Why it was not put back.")


class BulkAnswer(Shape):
    """A change of many tickets."""

    id: UUID
    action: dict[str, Any]
    results: list[BulkResult]
    created_at: UtcDateTime
    undone_at: UtcDateTime | None
    undo_until: UtcDateTime | None = Field(description="Null where there is nothing to undo (any more).")

    @classmethod
    def of(cls, row: BulkChange) -> "BulkAnswer":
        """The change with every result."""
        names = ("id", "number", "ok", "changed", "code", "undone", "undo_code")
        results = [{name: result.get(name) for name in names} for result in row.results]
        return cls(
            id=row.id,
            action=row.action,
            results=[BulkResult(**result | {"changed": bool(result["changed"])}) for result in results],
            created_at=row.created_at,
            undone_at=row.undone_at,
            undo_until=row.created_at + UNDO_FOR if can_be_undone(row, http.now()) else None,
        )


@bp.post("")
@permission(Permission.DESK_UPDATE)
@operation(
    "Change many tickets",
    body=BulkRequest,
    answer=BulkAnswer,
    conflicts="The change that is to be continued is another one, undone, or older than ten minutes.",
)
def change(body: BulkRequest) -> BulkAnswer:
    """Does one thing to up to 500 tickets and tells of each; what one refuses leaves the others as they come."""
    row = change_tickets(
        http.session(),
        body.ids or _ids_of_view(body),
        action=body.bulk_action(),
        actor=http.actor(),
        now=http.now(),
        change_id=body.change_id,
    )
    return BulkAnswer.of(row)


@bp.get("/<uuid:change_id>")
@permission(Permission.DESK_UPDATE)
@operation("Read a change of many tickets", answer=BulkAnswer)
def detail(change_id: UUID) -> BulkAnswer:
    """A change of yours with its results."""
    return BulkAnswer.of(get_change(http.session(), change_id, actor=http.actor()))


@bp.post("/<uuid:change_id>/undo")
@permission(Permission.DESK_UPDATE)
@operation(
    "Undo a change of many tickets",
    body=NoBody,
    answer=BulkAnswer,
    conflicts="It was undone already, or is older than ten minutes.",
)
def undo(change_id: UUID, body: NoBody) -> BulkAnswer:
    """Puts back every ticket to which nothing happened since, and tells of each."""
    return BulkAnswer.of(undo_change(http.session(), change_id, actor=http.actor(), now=http.now()))


def _ids_of_view(body: BulkRequest) -> list[UUID]:
    session, actor, now = http.session(), http.actor(), http.now()
    wanted = TicketFilter(view=str(body.view), q=body.q, sort="due", descending=False)
    if isinstance(body.view, UUID):
        view = get_saved_view(session, body.view, actor=actor)
        sort, descending = view.sort.removeprefix("-"), view.sort.startswith("-")
        wanted = TicketFilter(saved=view.filter, q=body.q, sort=sort, descending=descending)
    return list(list_ticket_ids(session, wanted, actor=actor, now=now, most=MOST_TICKETS))
