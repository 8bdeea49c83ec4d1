"""Merging, splitting, linking, following up and the trash under /api/v1/staff; what customers get of it."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody, PageQuery
from portal.blueprints.policies import permission
from portal.blueprints.tickets.relations_schemas import (
    FollowUpRequest,
    IncidentOutcome,
    IncidentOutcomes,
    IncidentsRequest,
    Link,
    LinkRequest,
    Links,
    MergeRequest,
    SplitRequest,
    Trashed,
    TrashList,
    TrashRequest,
)
from portal.blueprints.tickets.schemas import CustomerTicket, StaffTicket
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.following_up import open_follow_up
from portal.services.tickets.incidents import solve_incidents
from portal.services.tickets.links import Relation, add_link, list_links, remove_link
from portal.services.tickets.merging import merge_tickets
from portal.services.tickets.opening import NewTicket
from portal.services.tickets.splitting import split_ticket
from portal.services.tickets.trash import get_trashed, list_trash, restore_ticket, trash_ticket

bp = Blueprint("relations_api", __name__, url_prefix="/api/v1/staff")
customer_bp = Blueprint("own_relations_api", __name__, url_prefix="/api/v1/portal")


@bp.post("/tickets/<uuid:ticket_id>/merge")
@permission(Permission.DESK_UPDATE)
@operation(
    "Merge a ticket into another one",
    body=MergeRequest,
    answer=StaffTicket,
    conflicts="The ticket was merged already, or the other one was merged or is closed.",
)
def merge(ticket_id: UUID, body: MergeRequest) -> StaffTicket:
    """Closes the ticket for good; its conversation, files and followers go to the other one of the same customer.

    There is no way back.
    """
    merge_tickets(http.session(), ticket_id, into_id=body.into_id, actor=http.actor(), now=http.now())
    return _ticket(ticket_id)


@bp.post("/tickets/<uuid:ticket_id>/split")
@permission(Permission.DESK_UPDATE)
@operation(
    "Split messages off",
    body=SplitRequest,
    answer=StaffTicket,
    status=201,
    conflicts="The ticket was merged into another one.",
)
def split(ticket_id: UUID, body: SplitRequest) -> StaffTicket:
    """Opens a ticket from messages of this one, with a promise from now; this one keeps them, marked."""
    made = split_ticket(
        http.session(),
        ticket_id,
        message_ids=body.message_ids,
        subject=body.subject,
        category=body.category or "",
        actor=http.actor(),
        now=http.now(),
    )
    return _ticket(made.id)


@bp.post("/tickets/<uuid:ticket_id>/follow-up")
@permission(Permission.DESK_UPDATE)
@operation(
    "Open a follow-up for the customer",
    body=FollowUpRequest,
    answer=StaffTicket,
    status=201,
    conflicts="The ticket is open, can be reopened, or was merged.",
)
def follow_up(ticket_id: UUID, body: FollowUpRequest) -> StaffTicket:
    """Opens a ticket that goes on from one which is over for good, for whoever asked that one."""
    return _ticket(_follow_up(ticket_id, body))


@customer_bp.post("/tickets/<uuid:ticket_id>/follow-up")
@permission(Permission.TICKETS_CREATE)
@operation(
    "Open a follow-up",
    body=FollowUpRequest,
    answer=CustomerTicket,
    status=201,
    conflicts="The ticket is open, can be reopened, or was merged.",
)
def own_follow_up(ticket_id: UUID, body: FollowUpRequest) -> CustomerTicket:
    """Opens a ticket that goes on from one which cannot be reopened any more."""
    made = _follow_up(ticket_id, body)
    return CustomerTicket.of(get_ticket_detail(http.session(), made, actor=http.actor()), http.now())


def _follow_up(ticket_id: UUID, body: FollowUpRequest) -> UUID:
    request = NewTicket(
        body.subject or "", body.description, "", source="api", attachment_ids=tuple(body.attachment_ids)
    )
    return open_follow_up(http.session(), ticket_id, request, actor=http.actor(), now=http.now()).id


@bp.get("/tickets/<uuid:ticket_id>/links")
@permission(Permission.DESK_READ)
@operation("List linked tickets", answer=Links)
def links(ticket_id: UUID) -> Links:
    """What a ticket is linked with, and how."""
    return _links(ticket_id)


@customer_bp.get("/tickets/<uuid:ticket_id>/links")
@permission(Permission.TICKETS_READ)
@operation("List linked tickets", answer=Links)
def own_links(ticket_id: UUID) -> Links:
    """Which of your tickets this one is linked with, and how."""
    return _links(ticket_id)


@bp.post("/tickets/<uuid:ticket_id>/links")
@permission(Permission.DESK_UPDATE)
@operation("Link a ticket", body=LinkRequest, answer=Links, status=201, conflicts="The tickets are linked already.")
def link(ticket_id: UUID, body: LinkRequest) -> Links:
    """Says what another ticket is to this one; both show it."""
    relation = Relation(body.relation)
    add_link(http.session(), ticket_id, number=body.number, relation=relation, actor=http.actor(), now=http.now())
    return _links(ticket_id)


@bp.delete("/tickets/<uuid:ticket_id>/links/<uuid:link_id>")
@permission(Permission.DESK_UPDATE)
@operation("Remove a link", answer=None, status=204, conflicts="The link tells what was done, and stays.")
def unlink(ticket_id: UUID, link_id: UUID) -> None:
    """Removes a link that somebody made by hand."""
    remove_link(http.session(), ticket_id, link_id, actor=http.actor(), now=http.now())


@bp.post("/tickets/<uuid:ticket_id>/incidents/solve")
@permission(Permission.DESK_REPLY)
@operation(
    "Answer all incidents of a problem",
    body=IncidentsRequest,
    answer=IncidentOutcomes,
    conflicts="No incident is open any more.",
)
def solve(ticket_id: UUID, body: IncidentsRequest) -> IncidentOutcomes:
    """Sends one public answer to every open incident and solves it; at most 200 a call."""
    found = solve_incidents(http.session(), ticket_id, message=body.message, actor=http.actor(), now=http.now())
    return IncidentOutcomes(items=[IncidentOutcome.of(one) for one in found], next_cursor=None)


@bp.post("/tickets/<uuid:ticket_id>/trash")
@permission(Permission.DESK_TRASH)
@operation("Put a ticket into the trash", body=TrashRequest, answer=Trashed, conflicts="It lies there already.")
def trash(ticket_id: UUID, body: TrashRequest) -> Trashed:
    """Takes the ticket out of every list, search and count; it can be restored for 30 days."""
    trash_ticket(http.session(), ticket_id, reason=body.reason, actor=http.actor(), now=http.now())
    return Trashed.of(get_trashed(http.session(), ticket_id, actor=http.actor()))


@bp.post("/tickets/<uuid:ticket_id>/restore")
@permission(Permission.DESK_TRASH)
@operation("Restore a ticket", body=NoBody, answer=Trashed, conflicts="It does not lie in the trash.")
def restore(ticket_id: UUID, body: NoBody) -> Trashed:
    """Brings the ticket back as it was; the answer tells what lay in the trash."""
    found = get_trashed(http.session(), ticket_id, actor=http.actor())
    restore_ticket(http.session(), ticket_id, actor=http.actor(), now=http.now())
    return Trashed.of(found)


@bp.get("/trash")
@permission(Permission.DESK_TRASH)
@operation("List the trash", query=PageQuery, answer=TrashList)
def trash_list(query: PageQuery) -> TrashList:
    """What lies in the trash, the newest first, with the reason and when it is gone for good."""
    page = list_trash(http.session(), actor=http.actor(), limit=query.limit, cursor=query.cursor)
    return TrashList(items=[Trashed.of(row) for row in page.items], next_cursor=page.next_cursor)


def _links(ticket_id: UUID) -> Links:
    found = list_links(http.session(), ticket_id, actor=http.actor())
    return Links(items=[Link.of(one) for one in found], next_cursor=None)


def _ticket(ticket_id: UUID) -> StaffTicket:
    return StaffTicket.of(get_ticket_detail(http.session(), ticket_id, actor=http.actor()), http.now())
