"""What surrounds one of a customer's tickets, under /api/v1/portal."""

from uuid import UUID

from flask import Blueprint, Response

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.localisation import current_locale
from portal.blueprints.policies import permission
from portal.blueprints.tickets.case import related_view
from portal.blueprints.tickets.case_schemas import PreparedItem, PreparedItems, RelatedItem, RelatedItems
from portal.blueprints.tickets.document import PDF, send_document
from portal.blueprints.tickets.requests import MessagePatch
from portal.blueprints.tickets.schemas import CustomerMessage
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.editing import edit_message
from portal.services.tickets.prepared import offer_replies
from portal.services.tickets.related import list_related

bp = Blueprint("ticket_case_api", __name__, url_prefix="/api/v1/portal/tickets")


@bp.patch("/<uuid:ticket_id>/messages/<uuid:message_id>")
@permission(Permission.TICKETS_REPLY)
@operation(
    "Edit an own message",
    body=MessagePatch,
    answer=CustomerMessage,
    conflicts="The ticket is closed, or the message was answered or is too old.",
)
def edit(ticket_id: UUID, message_id: UUID, body: MessagePatch) -> CustomerMessage:
    """Replaces the words of your own message while nobody has answered it; it says that it was edited."""
    entry = edit_message(
        http.session(), ticket_id, message_id, message=body.message, actor=http.actor(), now=http.now()
    )
    return CustomerMessage.of(entry)


@bp.get("/<uuid:ticket_id>/pdf")
@permission(Permission.TICKETS_READ)
@operation("Download a ticket", answer=None, media=(PDF,))
def pdf(ticket_id: UUID) -> Response:
    """The ticket with its public conversation as PDF, in your language."""
    return send_document(get_ticket_detail(http.session(), ticket_id, actor=http.actor()))


@bp.get("/<uuid:ticket_id>/related")
@permission(Permission.TICKETS_READ)
@operation("List related tickets", answer=RelatedItems)
def related(ticket_id: UUID) -> RelatedItems:
    """Tickets of the same company that are linked to this one, and the newest of its category."""
    rows = list_related(http.session(), ticket_id, actor=http.actor())
    return RelatedItems(items=[RelatedItem(**related_view(row)) for row in rows])


@bp.get("/<uuid:ticket_id>/prepared-replies")
@permission(Permission.TICKETS_REPLY)
@operation("List prepared replies", answer=PreparedItems)
def prepared(ticket_id: UUID) -> PreparedItems:
    """Texts that you can start an answer from, in your language."""
    found = offer_replies(http.session(), ticket_id, locale=current_locale(), actor=http.actor())
    return PreparedItems(items=[PreparedItem(id=row.id, name=row.name, text=row.text) for row in found])
