"""What is stored of a removed or refused file goes, after the transaction that decided it."""

from uuid import UUID

from sqlalchemy import or_, select

from portal.integrations.storage import FileStorage
from portal.models import Attachment, FileState
from portal.models.session import TenantSession, TenantSessions
from portal.services.files.uploading import stored_keys


def delete_stored(sessions: TenantSessions, tenant_id: UUID, file_id: UUID, *, storage: FileStorage) -> None:
    """Delete the bytes of a file that nobody gets any more; safe to repeat. Raises StorageUnavailable."""
    with sessions.begin(tenant_id) as session:
        attachment = session.scalar(
            select(Attachment).where(
                Attachment.id == file_id,
                or_(Attachment.removed_at.is_not(None), Attachment.state == FileState.REFUSED),
            )
        )
        keys = stored_keys(attachment) if attachment is not None and not _is_shared(session, attachment) else []
    storage.delete(keys)


def _is_shared(session: TenantSession, attachment: Attachment) -> bool:
    """Whether a ticket that was split off has a row of its own for the same bytes."""
    others = select(Attachment.id).where(
        Attachment.storage_key == attachment.storage_key,
        Attachment.id != attachment.id,
        Attachment.removed_at.is_(None),
        Attachment.state != FileState.REFUSED,
    )
    return session.scalar(others.limit(1)) is not None
