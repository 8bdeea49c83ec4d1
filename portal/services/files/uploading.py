"""A file comes in: examined, stored under a random key, counted; it waits for a message to be sent with it."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from sqlalchemy import event, func, select

from portal.authz import Actor, Permission
from portal.errors import FieldError, Forbidden, Invalid
from portal.events import publish
from portal.events.files import AttachmentUploaded
from portal.integrations.file_checks import CheckedFile, FileRefused, check_file
from portal.integrations.storage import FileStorage, StorageUnavailable, new_key
from portal.lib.file_names import clean_file_name
from portal.models import Attachment, FileState
from portal.models.session import TenantSession
from portal.services.files.quota import release, reserve, used_bytes
from portal.services.tenants.directory import load_file_policy
from portal.services.tenants.file_policy import FilePolicy

FIELD = "file"
# Files of one person that no message took along: nobody fills the tenant's room without writing anything.
LOOSE_FILES = 50
_MAY_UPLOAD = (
    Permission.TICKETS_CREATE,
    Permission.TICKETS_REPLY,
    Permission.DESK_REPLY,
    Permission.DESK_NOTE,
    # Evidence of disputes.
    Permission.INVOICES_READ,
    Permission.BILLING_MANAGE,
)
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class FilePlace:
    """Where files lie, and whether a scanner has to look at them before anybody gets them (SEC-11)."""

    storage: FileStorage
    scanned: bool = False


@dataclass(frozen=True)
class Upload:
    """A file as it was sent; the content can be sought in."""

    name: str
    content: BinaryIO

    @property
    def size(self) -> int:
        """Bytes."""
        return self.content.seek(0, io.SEEK_END)


def keep_file(session: TenantSession, upload: Upload, *, place: FilePlace, actor: Actor, now: datetime) -> Attachment:
    """Take a file in; it belongs to whoever sent it until a message takes it along.

    Raises Invalid about `file`, with the file's name and the reason. What was stored goes again where the
    transaction does not end well.
    """
    if not any(map(actor.may, _MAY_UPLOAD)):
        raise Forbidden("not_allowed", permission=Permission.TICKETS_REPLY.value)
    name = clean_file_name(upload.name)
    policy = load_file_policy(session)
    _check_room(session, upload, name, policy, actor=actor)
    try:
        checked = check_file(upload.content, name)
    except FileRefused as refused:
        raise refusal(refused.code, name) from refused
    attachment = _describe(session, checked, name, place=place, actor=actor, now=now)
    _store(session, place.storage, attachment, checked)
    # From here on other uploads of the tenant wait until the transaction ends.
    if not reserve(session, attachment.size, quota=policy.quota_bytes):
        raise refusal("file_quota", name)
    session.add(attachment)
    publish(session, AttachmentUploaded(attachment.id), actor=actor, now=now)
    return attachment


def refusal(code: str, name: str, **params: Any) -> Invalid:
    """An `Invalid` about one file, by its name."""
    return Invalid(FieldError(FIELD, code, (("name", name), *params.items())))


def _check_room(session: TenantSession, upload: Upload, name: str, policy: FilePolicy, *, actor: Actor) -> None:
    if upload.size == 0:
        raise refusal("file_empty", name)
    if upload.size > policy.max_bytes:
        raise refusal("file_too_large", name, limit=policy.max_mb)
    if _count_loose(session, actor) >= LOOSE_FILES:
        raise refusal("file_too_many_loose", name)
    # Looked at first, so that a full tenant costs no work; what counts is the condition of `reserve`.
    if used_bytes(session) + upload.size > policy.quota_bytes:
        raise refusal("file_quota", name)


def _count_loose(session: TenantSession, actor: Actor) -> int:
    loose = (Attachment.is_loose(), Attachment.removed_at.is_(None))
    return session.scalar(select(func.count()).where(Attachment.uploaded_by == actor.user_id, *loose)) or 0


def _describe(
    session: TenantSession, checked: CheckedFile, name: str, *, place: FilePlace, actor: Actor, now: datetime
) -> Attachment:
    checked.content.seek(0)
    digest = hashlib.sha256()
    for chunk in iter(lambda: checked.content.read(_CHUNK), b""):
        digest.update(chunk)
    return Attachment(
        id=uuid4(),
        tenant_id=session.tenant_id,
        uploaded_by=actor.user_id,
        filename=name,
        content_type=checked.content_type,
        size=checked.content.tell(),
        sha256=digest.digest(),
        storage_key=new_key(),
        state=FileState.SCANNING if place.scanned else FileState.CLEAN,
        width=checked.width,
        height=checked.height,
        thumbnail_key=new_key() if checked.thumbnail else None,
        created_at=now,
    )


def _store(session: TenantSession, storage: FileStorage, attachment: Attachment, checked: CheckedFile) -> None:
    keys = stored_keys(attachment)
    _forget_unless_committed(session, storage, keys)
    try:
        checked.content.seek(0)
        storage.put(attachment.storage_key, checked.content)
        if attachment.thumbnail_key and checked.thumbnail:
            storage.put(attachment.thumbnail_key, io.BytesIO(checked.thumbnail))
    except StorageUnavailable as error:
        raise refusal("file_not_stored", attachment.filename) from error


def _forget_unless_committed(session: TenantSession, storage: FileStorage, keys: Sequence[str]) -> None:
    """Remove what was stored when the transaction is rolled back."""
    waiting = list(keys)

    @event.listens_for(session, "after_commit")
    def keep(_: Any) -> None:
        waiting.clear()

    @event.listens_for(session, "after_rollback")
    def drop(_: Any) -> None:
        gone, waiting[:] = list(waiting), []
        try:
            storage.delete(gone)
        except StorageUnavailable:
            # It lies there under a random key that nobody knows; the refusal that is on its way matters more.
            return


def stored_keys(attachment: Attachment) -> list[str]:
    """Everything that is stored of a file."""
    return [attachment.storage_key, *([attachment.thumbnail_key] if attachment.thumbnail_key else [])]


def list_loose(session: TenantSession, file_ids: Sequence[UUID], *, actor: Actor) -> list[Attachment]:
    """Of these the actor's own that belong to no message yet, in the order of the ids."""
    if not file_ids:
        return []
    rows = session.scalars(
        select(Attachment).where(
            Attachment.id.in_(file_ids),
            Attachment.uploaded_by == actor.user_id,
            Attachment.is_loose(),
            Attachment.removed_at.is_(None),
        )
    )
    return sorted(rows, key=lambda row: file_ids.index(row.id))


def drop_file(session: TenantSession, attachment: Attachment, *, now: datetime) -> None:
    """Mark a locked file as gone and give its room back; its bytes go when the event about it is answered."""
    attachment.removed_at = now
    release(session, attachment.size)
