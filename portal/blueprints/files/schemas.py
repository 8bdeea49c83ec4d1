"""Files as the API gives and takes them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import Body, Shape, UtcDateTime
from portal.models import Attachment, FileState
from portal.services.tickets.files import TicketFile


class AttachedFile(Shape):
    """A file of a message."""

    id: UUID
    filename: str
    content_type: str
    size: int = Field(description="Bytes.")


class FileOfTicket(AttachedFile):
    """A file that came with the ticket itself."""

    state: FileState = Field(description="`clean` files can be had; `scanning` ones not yet, `refused` ones never.")

    @classmethod
    def of_file(cls, file: TicketFile) -> "FileOfTicket":
        """A file of the ticket's page."""
        names = ("id", "filename", "content_type", "size", "state")
        return cls(**{name: getattr(file, name) for name in names})


class UploadedFile(FileOfTicket):
    """A file that was sent ahead of a message, or belongs to one."""

    purpose: str = Field(description="`message`, `solution` or `recording`; of a dispute `evidence` or `answer`.")
    consent_at: UtcDateTime | None = Field(description="When the customer agreed to a recording.")
    width: int | None = Field(description="Pixels, of pictures.")
    height: int | None
    created_at: UtcDateTime

    @classmethod
    def of(cls, file: Attachment) -> "UploadedFile":
        """A file's row."""
        return cls(**{name: getattr(file, name) for name in cls.model_fields})


class FileLink(Shape):
    """An address of a file for whoever asked; it needs no token."""

    url: str
    expires_at: UtcDateTime

    @classmethod
    def of_address(cls, url: str, until: datetime) -> "FileLink":
        """An address and its end."""
        return cls(url=url, expires_at=until)


class ConsentRequest(Body):
    """Whether a recording of a session may be kept; a refused one is deleted."""

    granted: bool


def attached(snapshot: list[dict[str, Any]]) -> list[AttachedFile]:
    """The files that a message names."""
    return [AttachedFile(**file) for file in snapshot]
