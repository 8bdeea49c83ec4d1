"""Files kept for tests as somebody's, in a folder of the test."""

import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from portal.authz import Actor
from portal.errors import Invalid
from portal.integrations.storage import ObjectStorage, build_storage
from portal.models import Attachment
from portal.models.session import TenantSession
from portal.services.files.uploading import FilePlace, Upload, keep_file

TEXT = b"2026-11-24 09:00:01 ERROR tunnel lost\n"


def upload(name: str = "vpn.log", content: bytes = TEXT) -> Upload:
    """A file as it is sent."""
    return Upload(name, io.BytesIO(content))


class Shelf:
    """Keeps files in one session, as somebody of the world."""

    def __init__(
        self, session: TenantSession, place: FilePlace, actor_of: Callable[[str], Actor], now: datetime
    ) -> None:
        self.session, self.place, self.actor_of, self.now = session, place, actor_of, now

    def keep(self, who: str = "bob", name: str = "vpn.log", content: bytes = TEXT) -> Attachment:
        """Keep a file."""
        return keep_file(self.session, upload(name, content), place=self.place, actor=self.actor_of(who), now=self.now)

    def stored(self, key: str) -> bytes:
        """What lies under a key."""
        return b"".join(self.place.storage.read(key))


def folder_of(settings: Any) -> Path:
    """Where the bytes are."""
    return Path(settings.data_dir) / "files"


def count_stored(settings: Any) -> int:
    """How many objects lie in the folder."""
    return sum(1 for path in folder_of(settings).rglob("*") if path.is_file())


def place_in(settings: Any, *, scanned: bool = False) -> FilePlace:
    """The folder of these settings."""
    storage = build_storage(settings)
    assert isinstance(storage, ObjectStorage)
    return FilePlace(storage, scanned)


def only_error(refused: Invalid) -> tuple[str, str, dict[str, Any]]:
    """Field, code and parameters of a refusal about one thing."""
    (error,) = refused.errors
    return error.field, error.code, dict(error.params)
