"""A drawn signature: a PNG in a data URL, examined, drawn anew without anything else that was in it, and stored."""

import base64
import binascii
import io
from typing import Any, BinaryIO

from sqlalchemy import event

from portal.errors import invalid
from portal.integrations.file_checks import FileRefused, check_file
from portal.integrations.storage import FileStorage, StorageUnavailable, new_key
from portal.models.session import TenantSession

FIELD = "signature"
_BEGINNING = "data:image/png;base64,"
MOST_BYTES = 200 * 1024
# A pad of 400 x 160 at three times the density; nobody signs on a poster.
MOST_WIDTH, MOST_HEIGHT = 2400, 1200
MOST_CHARACTERS = len(_BEGINNING) + (MOST_BYTES * 4) // 3 + 4


def draw_signature(data_url: str) -> BinaryIO:
    """The picture of a data URL, drawn anew. Raises Invalid about `signature`."""
    if not data_url.startswith(_BEGINNING) or len(data_url) > MOST_CHARACTERS:
        raise invalid(FIELD, "signature_invalid")
    try:
        content = base64.b64decode(data_url[len(_BEGINNING) :], validate=True)
    except (binascii.Error, ValueError):
        raise invalid(FIELD, "signature_invalid") from None
    if not content or len(content) > MOST_BYTES:
        raise invalid(FIELD, "signature_invalid")
    try:
        drawn = check_file(io.BytesIO(content), "signature.png")
    except FileRefused as refused:
        raise invalid(FIELD, "signature_invalid") from refused
    if (drawn.width or 0) > MOST_WIDTH or (drawn.height or 0) > MOST_HEIGHT:
        raise invalid(FIELD, "signature_invalid")
    return drawn.content


def keep_signature(session: TenantSession, drawn: BinaryIO, storage: FileStorage) -> str:
    """Store the picture and return its key; it goes again where the transaction does not end well.

    Raises Invalid about `signature` while the store does not answer.
    """
    key = new_key()
    _forget_unless_committed(session, storage, key)
    drawn.seek(0)
    try:
        storage.put(key, drawn)
    except StorageUnavailable as error:
        raise invalid(FIELD, "signature_not_stored") from error
    return key


def _forget_unless_committed(session: TenantSession, storage: FileStorage, key: str) -> None:
    waiting = [key]

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
