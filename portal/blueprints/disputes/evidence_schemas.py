"""Files of disputes as the API gives and takes them."""

from collections.abc import Iterable
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import Body, Shape, UtcDateTime
from portal.blueprints.files.schemas import FileOfTicket
from portal.models import Attachment
from portal.services.disputes.evidence import ANSWER
from portal.services.tenants.file_policy import FILES_A_MESSAGE

EvidenceIds = Annotated[
    list[UUID],
    Field(max_length=FILES_A_MESSAGE, description="Files of yours that were sent ahead, each for one dispute."),
]


class EvidenceRequest(Body):
    """Files to add."""

    attachment_ids: Annotated[EvidenceIds, Field(min_length=1)]


class EvidenceFile(FileOfTicket):
    """A file of a dispute; both sides see those of both."""

    side: Literal["customer", "team"]
    created_at: UtcDateTime

    @classmethod
    def of(cls, file: Attachment) -> "EvidenceFile":
        """A file's row."""
        names = ("id", "filename", "content_type", "size", "state", "created_at")
        side = "team" if file.purpose == ANSWER else "customer"
        return cls(**{name: getattr(file, name) for name in names}, side=side)


class EvidenceFiles(Shape):
    """All files of a dispute, in the order they came."""

    items: list[EvidenceFile]

    @classmethod
    def of(cls, files: Iterable[Attachment]) -> "EvidenceFiles":
        """The files' rows."""
        return cls(items=[EvidenceFile.of(file) for file in files])
