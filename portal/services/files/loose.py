"""Files that no message took along: their sender may look at and drop them, and after a day they go by themselves."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, system_actor
from portal.errors import NotFound
from portal.events import publish
from portal.events.files import AttachmentRemoved
from portal.models import Attachment
from portal.models.session import TenantSession
from portal.services.files.uploading import drop_file

# Long enough to finish an answer that was begun the evening before.
LOOSE_FOR = timedelta(hours=24)


def drop_loose_file(session: TenantSession, file_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Take back an own file that no message took along; NotFound for everything else, and the second time."""
    attachment = _lock_loose(session, file_id)
    if attachment is None or attachment.uploaded_by != actor.user_id:
        raise NotFound("attachment")
    drop_file(session, attachment, now=now)
    publish(session, AttachmentRemoved(attachment.id), actor=actor, now=now)


def drop_if_loose(session: TenantSession, file_id: UUID, *, now: datetime) -> bool:
    """Clear a file away that no message took along; whether it is gone now. Safe to repeat."""
    attachment = _lock_loose(session, file_id)
    if attachment is None:
        return session.scalar(select(Attachment.removed_at).where(Attachment.id == file_id)) is not None
    drop_file(session, attachment, now=now)
    publish(session, AttachmentRemoved(attachment.id), actor=system_actor(session.tenant_id), now=now)
    return True


def _lock_loose(session: TenantSession, file_id: UUID) -> Attachment | None:
    return session.scalar(
        select(Attachment)
        .where(Attachment.id == file_id, Attachment.is_loose(), Attachment.removed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
