"""Files of disputes as the API gives and takes them."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self
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
    def of(cls, file: Attachment) -> Self:
        """A file's row."""
        names = [name for name in cls.model_fields if name != "side"]
        side: Literal["customer", "team"] = "team" if file.purpose == ANSWER else "customer"
        return cls(**{name: getattr(file, name) for name in names}, side=side)


class StaffEvidenceFile(EvidenceFile):
    """A file of a dispute, and who sent it."""

    uploaded_by: UUID | None


class EvidenceFiles(Shape):
    """All files of a dispute, in the order they came."""

    items: list[EvidenceFile]

    @classmethod
    def of(cls, files: Iterable[Attachment]) -> "EvidenceFiles":
        """The files' rows."""
        return cls(items=[EvidenceFile.of(file) for file in files])


class StaffEvidenceFiles(Shape):
    """All files of a customer's dispute, in the order they came."""

    items: list[StaffEvidenceFile]

    @classmethod
    def of(cls, files: Iterable[Attachment]) -> "StaffEvidenceFiles":
        """The files' rows."""
        return cls(items=[StaffEvidenceFile.of(file) for file in files])
