"""What surrounds one ticket on the team's side, under /api/v1/staff."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.policies import permission
from portal.blueprints.tickets.case_schemas import EarlierMessage, EarlierMessages
from portal.blueprints.tickets.requests import MessagePatch
from portal.blueprints.tickets.schemas import StaffMessage
from portal.services.tickets.editing import edit_message, list_earlier_texts

bp = Blueprint("desk_case_api", __name__, url_prefix="/api/v1/staff/tickets")


@bp.patch("/<uuid:ticket_id>/messages/<uuid:message_id>")
@permission(Permission.DESK_REPLY)
@operation(
    "Edit an own answer",
    body=MessagePatch,
    answer=StaffMessage,
    conflicts="The ticket is closed, or the customer has answered or it is too old.",
)
def edit(ticket_id: UUID, message_id: UUID, body: MessagePatch) -> StaffMessage:
    """Replaces the words of your own public answer while the customer has not answered; it says that it was edited."""
    entry = edit_message(
        http.session(), ticket_id, message_id, message=body.message, actor=http.actor(), now=http.now()
    )
    return StaffMessage.of(entry)


@bp.get("/<uuid:ticket_id>/messages/<uuid:message_id>/earlier")
@permission(Permission.DESK_READ)
@operation("Read earlier words", answer=EarlierMessages)
def earlier(ticket_id: UUID, message_id: UUID) -> EarlierMessages:
    """What a message said before it was edited, oldest first."""
    found = list_earlier_texts(http.session(), ticket_id, message_id, actor=http.actor())
    return EarlierMessages(items=[EarlierMessage(message=row.text, replaced_at=row.replaced_at) for row in found])
