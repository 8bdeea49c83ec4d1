"""Taking a file out of a conversation: by the team, when something came in that should not lie there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.events import publish
from portal.events.files import AttachmentRemoved, TicketFileRemoved
from portal.models import Attachment
from portal.models.session import TenantSession
from portal.services.files.uploading import drop_file
from portal.services.tickets.files import find_file
from portal.services.tickets.queries import lock_ticket
from portal.services.tickets.timeline import Line, lines_beside

_UNLIST = text(
    """
    UPDATE portal_ticket_messages SET attachments = coalesce(
        (SELECT jsonb_agg(file ORDER BY at) FROM jsonb_array_elements(attachments) WITH ORDINALITY AS of(file, at)
         WHERE file->>'id' <> :file), '[]')
    WHERE tenant_id = :tenant AND id = :message
    """
)


def remove_file(session: TenantSession, file_id: UUID, *, actor: Actor, now: datetime) -> UUID:
    """Remove a ticket's file for good; returns the ticket's id. NotFound where there is none (any more)."""
    require(actor, Permission.DESK_UPDATE)
    ticket_id = find_file(session, file_id, actor=actor).ticket_id
    if ticket_id is None:
        raise NotFound("attachment")
    ticket = lock_ticket(session, ticket_id, actor=actor)
    file = session.scalar(
        select(Attachment)
        .where(Attachment.id == file_id, Attachment.removed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if file is None:
        raise NotFound("attachment")
    drop_file(session, file, now=now)
    if file.message_id is not None:
        values = {"file": str(file.id), "tenant": session.tenant_id, "message": file.message_id}
        session.connection().execute(_UNLIST, values)
    line = Line("file_removed", {"filename": file.filename}, staff_only=file.is_internal)
    publish(
        session,
        TicketFileRemoved.about(ticket),
        AttachmentRemoved(file.id),
        actor=actor,
        now=now,
        before={"file": str(file.id)},
        beside=(lines_beside(ticket, line),),
    )
    return ticket.id
