"""Recordings of a session: the customer agrees or refuses, once, and that is kept (TKT-16)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, NotFound
from portal.events import publish
from portal.events.base import Event
from portal.events.files import AttachmentRemoved, TicketRecordingDecided
from portal.models import Attachment
from portal.models.session import TenantSession
from portal.services.files.uploading import drop_file
from portal.services.tickets.attaching import RECORDING
from portal.services.tickets.queries import lock_ticket
from portal.services.tickets.timeline import Line, lines_beside


def get_recording(session: TenantSession, file_id: UUID, *, actor: Actor, lock: bool = False) -> Attachment:
    """A recording of a ticket that the actor may see, also a refused one; NotFound for everything else."""
    query = select(Attachment).where(
        Attachment.id == file_id,
        Attachment.purpose == RECORDING,
        Attachment.is_internal.is_(False),
        Attachment.ticket_id.is_not(None),
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise NotFound("attachment")
    return found


def decide_recording(
    session: TenantSession, file_id: UUID, *, granted: bool, actor: Actor, now: datetime
) -> Attachment:
    """Agree to a recording, or refuse it: a refused one is deleted.

    Raises NotFound, Forbidden for the team (whose consent it is not) and Conflict `recording_decided`.
    """
    ticket_id = get_recording(session, file_id, actor=actor).ticket_id
    assert ticket_id is not None
    try:
        ticket = lock_ticket(session, ticket_id, actor=actor)
    except NotFound:
        raise NotFound("attachment") from None
    require(actor, Permission.TICKETS_REPLY)
    if not actor.is_customer:
        raise Forbidden("not_allowed", permission=Permission.TICKETS_REPLY.value)
    recording = get_recording(session, file_id, actor=actor, lock=True)
    if recording.consent_at is not None or recording.removed_at is not None:
        raise Conflict("recording_decided")
    events: list[Event] = [TicketRecordingDecided.about(ticket, granted=granted)]
    if granted:
        recording.consent_at = now
    else:
        drop_file(session, recording, now=now)
        events.append(AttachmentRemoved(recording.id))
    line = Line("recording_allowed" if granted else "recording_refused", {"filename": recording.filename})
    publish(
        session,
        *events,
        actor=actor,
        now=now,
        after={"file": str(recording.id), "granted": granted},
        beside=(lines_beside(ticket, line),),
    )
    return recording
