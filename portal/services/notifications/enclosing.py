"""Files that leave with a mail: what was made for it, or is checked, read when the mail goes out."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from portal.integrations.mail import EnclosedFile
from portal.integrations.storage import FileGone, FileStorage
from portal.models import Attachment, FileState, MailMessage
from portal.models.session import TenantSession
from portal.services.notifications.message_ids import side_of


class FilesUnchecked(Exception):
    """The virus scanner has not looked at all of them."""


class FilesRefused(Exception):
    """The virus scanner found something in one of them."""


@dataclass(frozen=True)
class StoredFile:
    """A file to go with a mail, and where its bytes lie."""

    name: str
    content_type: str
    key: str


def find_enclosed(session: TenantSession, mail: MailMessage) -> tuple[StoredFile, ...]:
    """The file that was named for a mail, or those of a side conversation without what the team has removed.

    A mail of a side conversation has the id of what was written. Raises FilesUnchecked and FilesRefused.
    """
    if mail.attachment is not None:
        return (StoredFile(mail.attachment["name"], mail.attachment["content_type"], mail.attachment["key"]),)
    if side_of(mail.message_id) is None:
        return ()
    rows = session.scalars(
        select(Attachment)
        .where(Attachment.side_message_id == mail.id, Attachment.removed_at.is_(None))
        .order_by(Attachment.created_at, Attachment.id)
    ).all()
    states = {row.state for row in rows}
    if FileState.REFUSED in states:
        raise FilesRefused
    if FileState.SCANNING in states:
        raise FilesUnchecked
    return tuple(StoredFile(row.filename, row.content_type, row.storage_key) for row in rows)


def read_enclosed(files: Iterable[StoredFile], storage: FileStorage) -> tuple[EnclosedFile, ...]:
    """The files with their bytes; what was removed a moment ago stays here. Raises StorageUnavailable."""
    read = []
    for file in files:
        try:
            content = b"".join(storage.read(file.key))
        except FileGone:
            continue
        read.append(EnclosedFile(file.name, file.content_type, content))
    return tuple(read)
