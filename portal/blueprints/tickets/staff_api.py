"""The team's side of tickets under /api/v1/staff (contract §5)."""

from typing import Any
from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.policies import permission
from portal.blueprints.tickets.hits import API_EXCERPT, find_excerpts
from portal.blueprints.tickets.requests import (
    AssignRequest,
    NoteRequest,
    StaffReplyRequest,
    StaffTicketQuery,
    TicketPatch,
)
from portal.blueprints.tickets.schemas import StaffMessage, StaffTicket, StaffTicketHit, StaffTickets
from portal.errors import NotFound, invalid
from portal.services.tickets.collisions import refuse_crossing
from portal.services.tickets.conversation import add_note, reply_as_staff
from portal.services.tickets.desk import TicketChanges, assign_ticket, update_ticket
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.listing import TicketFilter, list_tickets
from portal.services.tickets.saved_views import get_saved_view
from portal.services.tickets.view_filters import ViewFilter

bp = Blueprint("desk_api", __name__, url_prefix="/api/v1/staff/tickets")


@bp.get("")
@permission(Permission.DESK_READ)
@operation("List the queue", query=StaffTicketQuery, answer=StaffTickets)
def index(query: StaffTicketQuery) -> StaffTickets:
    """Every ticket of the tenant by view, filters and words; what is due first comes first unless you sort it."""
    saved = _saved_filter(query.view) if isinstance(query.view, UUID) else None
    wanted = TicketFilter(
        view=None if isinstance(query.view, UUID) else query.view,
        saved=saved,
        status=tuple(query.status),
        priority=tuple(query.priority),
        category=tuple(query.category),
        company=query.company,
        q=query.q,
        sort=query.sort.key,
        descending=query.sort.descending,
        limit=query.limit,
        cursor=query.cursor,
        **_assignee(query.assignee),
    )
    page = list_tickets(http.session(), wanted, actor=http.actor(), now=http.now(), whole=True)
    places = find_excerpts(page, wanted.words, API_EXCERPT)
    items = [StaffTicketHit.of_hit(row, http.now(), places.get(row.ticket.id)) for row in page.items]
    return StaffTickets(items=items, next_cursor=page.next_cursor, approximate=page.approximate)


def _saved_filter(view_id: UUID) -> ViewFilter:
    try:
        return get_saved_view(http.session(), view_id, actor=http.actor()).filter
    except NotFound:
        raise invalid("view", "unknown_choice") from None


@bp.get("/<uuid:ticket_id>")
@permission(Permission.DESK_READ)
@operation("Read a ticket", answer=StaffTicket)
def detail(ticket_id: UUID) -> StaffTicket:
    """The ticket with its whole conversation, internal notes among them."""
    return _ticket(ticket_id)


@bp.post("/<uuid:ticket_id>/reply")
@permission(Permission.DESK_REPLY)
@operation(
    "Answer the customer",
    body=StaffReplyRequest,
    answer=StaffMessage,
    status=201,
    conflicts="The ticket is closed, cannot go to that status, or somebody wrote since what you have seen.",
)
def reply(ticket_id: UUID, body: StaffReplyRequest) -> StaffMessage:
    """Adds a public answer, which keeps the promise of a first one."""
    if body.seen is not None:
        refuse_crossing(http.session(), ticket_id, seen=body.seen, actor=http.actor())
    entry = reply_as_staff(
        http.session(),
        ticket_id,
        message=body.message,
        status=body.status,
        custom_status=body.custom_status,
        attachment_ids=body.attachment_ids,
        file_purpose=body.file_purpose,
        actor=http.actor(),
        now=http.now(),
    )
    return StaffMessage.of(entry)


@bp.post("/<uuid:ticket_id>/notes")
@permission(Permission.DESK_NOTE)
@operation("Add an internal note", body=NoteRequest, answer=StaffMessage, status=201)
def note(ticket_id: UUID, body: NoteRequest) -> StaffMessage:
    """Adds a note that no customer ever sees."""
    entry = add_note(
        http.session(),
        ticket_id,
        message=body.message,
        attachment_ids=body.attachment_ids,
        actor=http.actor(),
        now=http.now(),
    )
    return StaffMessage.of(entry)


@bp.post("/<uuid:ticket_id>/assign")
@permission(Permission.DESK_UPDATE)
@operation("Assign a ticket", body=AssignRequest, answer=StaffTicket)
def assign(ticket_id: UUID, body: AssignRequest) -> StaffTicket:
    """Gives the ticket to a member of the team, or back to the queue."""
    assign_ticket(http.session(), ticket_id, assignee_id=body.assignee_id, actor=http.actor(), now=http.now())
    return _ticket(ticket_id)


@bp.patch("/<uuid:ticket_id>")
@permission(Permission.DESK_UPDATE)
@operation("Change a ticket", body=TicketPatch, answer=StaffTicket, conflicts="The ticket cannot go to that status.")
def change(ticket_id: UUID, body: TicketPatch) -> StaffTicket:
    """Changes status, priority, category, subject or labels as one; the clock follows at once."""
    changes: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "tags" in changes:
        changes["tags"] = tuple(changes["tags"])
    update_ticket(http.session(), ticket_id, changes=TicketChanges(**changes), actor=http.actor(), now=http.now())
    return _ticket(ticket_id)


def _assignee(wanted: UUID | str | None) -> dict[str, Any]:
    if wanted == "none":
        return {"unassigned": True}
    return {"assignee": http.actor().user_id if wanted == "me" else wanted}


def _ticket(ticket_id: UUID) -> StaffTicket:
    found = get_ticket_detail(http.session(), ticket_id, actor=http.actor())
    return StaffTicket.of(found, http.now())
