"""Side conversations under /api/v1/staff: mail with somebody outside about a ticket."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.policies import permission
from portal.blueprints.tickets.relations_schemas import (
    SideConversation,
    SideConversationRequest,
    SideConversations,
    SideMail,
    SideMessageRequest,
)
from portal.services.tickets.side_conversations import (
    SideLetter,
    close_side_conversation,
    get_side_thread,
    list_side_threads,
    open_side_conversation,
    write_side_message,
)
from portal.services.tickets.side_files import files_of_mails

bp = Blueprint("side_api", __name__, url_prefix="/api/v1/staff")


@bp.get("/tickets/<uuid:ticket_id>/side-conversations")
@permission(Permission.DESK_READ)
@operation("List side conversations", answer=SideConversations)
def index(ticket_id: UUID) -> SideConversations:
    """Mail with people outside about the ticket, the newest conversation first; customers never see it."""
    found = list_side_threads(http.session(), ticket_id, actor=http.actor())
    return SideConversations(items=[SideConversation.of(one) for one in found], next_cursor=None)


@bp.post("/tickets/<uuid:ticket_id>/side-conversations")
@permission(Permission.DESK_REPLY)
@operation("Write to somebody outside", body=SideConversationRequest, answer=SideConversation, status=201)
def create(ticket_id: UUID, body: SideConversationRequest) -> SideConversation:
    """Begins a conversation by mail beside the ticket; what comes back is added to it.

    Files go along once they are checked: at most 18 MB in one mail.
    """
    made = open_side_conversation(
        http.session(),
        ticket_id,
        SideLetter(body.recipient, body.subject, body.message, tuple(body.attachment_ids)),
        tenant=http.tenant(),
        actor=http.actor(),
        now=http.now(),
    )
    return SideConversation.of(get_side_thread(http.session(), made.id, actor=http.actor()))


@bp.post("/side-conversations/<uuid:conversation_id>/messages")
@permission(Permission.DESK_REPLY)
@operation("Write again", body=SideMessageRequest, answer=SideMail, status=201, conflicts="The conversation is closed.")
def write(conversation_id: UUID, body: SideMessageRequest) -> SideMail:
    """Sends a further mail of the conversation."""
    entry = write_side_message(
        http.session(),
        conversation_id,
        body=body.message,
        tenant=http.tenant(),
        actor=http.actor(),
        now=http.now(),
        attachment_ids=body.attachment_ids,
    )
    return SideMail.of(entry, files_of_mails(http.session(), [entry]).get(entry.id, ()))


@bp.post("/side-conversations/<uuid:conversation_id>/close")
@permission(Permission.DESK_REPLY)
@operation(
    "Close a side conversation", body=NoBody, answer=SideConversation, conflicts="The conversation is closed already."
)
def close(conversation_id: UUID, body: NoBody) -> SideConversation:
    """Says that nothing more is expected; an answer that comes after all opens it again."""
    close_side_conversation(http.session(), conversation_id, actor=http.actor(), now=http.now())
    return SideConversation.of(get_side_thread(http.session(), conversation_id, actor=http.actor()))
