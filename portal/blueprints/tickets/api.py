"""A customer's own tickets under /api/v1/portal (ledger API-01)."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.localisation import current_locale, select_timezone
from portal.blueprints.policies import permission
from portal.blueprints.tickets.category_schemas import Categories, CategoryChoice
from portal.blueprints.tickets.hits import API_EXCERPT, find_excerpts
from portal.blueprints.tickets.requests import (
    CancelRequest,
    EscalationRequest,
    RatingRequest,
    ReplyRequest,
    TicketQuery,
    TicketRequest,
    first_instant,
)
from portal.blueprints.tickets.schemas import (
    CustomerMessage,
    CustomerTicket,
    CustomerTicketHit,
    CustomerTickets,
)
from portal.services.tickets.conversation import reply_as_customer
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.escalation_request import request_escalation
from portal.services.tickets.lifecycle import cancel_ticket, close_ticket, rate_ticket, reopen_ticket
from portal.services.tickets.listing import TicketFilter, list_tickets
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.queries import list_categories

bp = Blueprint("tickets_api", __name__, url_prefix="/api/v1/portal/tickets")


@bp.post("")
@permission(Permission.TICKETS_CREATE)
@operation("Open a ticket", body=TicketRequest, answer=CustomerTicket, status=201)
def create(body: TicketRequest) -> CustomerTicket:
    """Opens a ticket for your company and promises a time for the first answer."""
    ticket = create_ticket(
        http.session(),
        NewTicket(
            body.subject,
            body.description,
            body.category,
            body.priority.value,
            source="api",
            attachment_ids=tuple(body.attachment_ids),
            custom_fields=body.custom_fields,
        ),
        actor=http.actor(),
        now=http.now(),
    )
    return _ticket(ticket.id)


@bp.get("")
@permission(Permission.TICKETS_READ)
@operation("List tickets", query=TicketQuery, answer=CustomerTickets)
def index(query: TicketQuery) -> CustomerTickets:
    """Your tickets, for administrators those of the company."""
    zone = select_timezone()
    wanted = TicketFilter(
        status=tuple(query.status),
        category=tuple(query.category),
        priority=tuple(query.priority),
        created_from=first_instant(query.created_from, zone),
        created_to=first_instant(query.created_to, zone, after=True),
        q=query.q,
        sort=query.sort.key,
        descending=query.sort.descending,
        limit=query.limit,
        cursor=query.cursor,
    )
    page = list_tickets(http.session(), wanted, actor=http.actor(), now=http.now(), whole=True)
    places = find_excerpts(page, query.q, API_EXCERPT)
    items = [CustomerTicketHit.of_hit(row, http.now(), places.get(row.ticket.id)) for row in page.items]
    return CustomerTickets(items=items, next_cursor=page.next_cursor, approximate=page.approximate)


@bp.get("/categories")
@permission(Permission.TICKETS_READ)
@operation("List categories", answer=Categories)
def categories() -> Categories:
    """What a ticket can be about, and what each asks of new tickets, in your language."""
    locale, fallback = current_locale(), http.tenant().locale
    return Categories(items=[CategoryChoice.of(row, locale, fallback) for row in list_categories(http.session())])


@bp.get("/<uuid:ticket_id>")
@permission(Permission.TICKETS_READ)
@operation("Read a ticket", answer=CustomerTicket)
def detail(ticket_id: UUID) -> CustomerTicket:
    """The ticket with its public conversation, its timeline and what happens next."""
    return _ticket(ticket_id)


@bp.post("/<uuid:ticket_id>/reply")
@permission(Permission.TICKETS_REPLY)
@operation("Reply", body=ReplyRequest, answer=CustomerMessage, status=201, conflicts="The ticket is closed.")
def reply(ticket_id: UUID, body: ReplyRequest) -> CustomerMessage:
    """Adds your answer. A ticket that waited for you, or was resolved, is taken up again."""
    entry = reply_as_customer(
        http.session(),
        ticket_id,
        message=body.message,
        attachment_ids=body.attachment_ids,
        actor=http.actor(),
        now=http.now(),
    )
    return CustomerMessage.of(entry)


@bp.post("/<uuid:ticket_id>/close")
@permission(Permission.TICKETS_CLOSE)
@operation("Close a ticket", body=NoBody, answer=CustomerTicket, conflicts="The ticket is closed already.")
def close(ticket_id: UUID, body: NoBody) -> CustomerTicket:
    """Closes the ticket; a second time is a conflict."""
    close_ticket(http.session(), ticket_id, actor=http.actor(), now=http.now())
    return _ticket(ticket_id)


@bp.post("/<uuid:ticket_id>/reopen")
@permission(Permission.TICKETS_CLOSE)
@operation("Reopen a ticket", body=NoBody, answer=CustomerTicket, conflicts="The ticket is open.")
def reopen(ticket_id: UUID, body: NoBody) -> CustomerTicket:
    """Takes a resolved or closed ticket up again; a closed one gets a new promise."""
    reopen_ticket(http.session(), ticket_id, actor=http.actor(), now=http.now())
    return _ticket(ticket_id)


@bp.post("/<uuid:ticket_id>/cancel")
@permission(Permission.TICKETS_CLOSE)
@operation("Cancel a ticket", body=CancelRequest, answer=CustomerTicket, conflicts="The ticket is not active.")
def cancel(ticket_id: UUID, body: CancelRequest) -> CustomerTicket:
    """Withdraws an active ticket, with a reason."""
    cancel_ticket(http.session(), ticket_id, reason=body.reason, actor=http.actor(), now=http.now())
    return _ticket(ticket_id)


@bp.post("/<uuid:ticket_id>/escalate")
@permission(Permission.TICKETS_REPLY)
@operation(
    "Ask for escalation",
    body=EscalationRequest,
    answer=CustomerTicket,
    conflicts="The ticket is not active, or was escalated and is not answered since.",
)
def escalate(ticket_id: UUID, body: EscalationRequest) -> CustomerTicket:
    """Hands an active ticket further up at once, with a reason; again only after somebody has answered."""
    request_escalation(http.session(), ticket_id, reason=body.reason, actor=http.actor(), now=http.now())
    return _ticket(ticket_id)


@bp.post("/<uuid:ticket_id>/rate")
@permission(Permission.TICKETS_RATE)
@operation(
    "Rate the solution",
    body=RatingRequest,
    answer=CustomerTicket,
    conflicts="The ticket is rated already, or not resolved yet.",
)
def rate(ticket_id: UUID, body: RatingRequest) -> CustomerTicket:
    """Rates a resolved or closed ticket, once, from 1 to 5."""
    rate_ticket(
        http.session(),
        ticket_id,
        rating=body.rating,
        comment=body.comment,
        actor=http.actor(),
        now=http.now(),
    )
    return _ticket(ticket_id)


def _ticket(ticket_id: UUID) -> CustomerTicket:
    found = get_ticket_detail(http.session(), ticket_id, actor=http.actor())
    return CustomerTicket.of(found, http.now())
