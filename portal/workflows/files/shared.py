"""What the workflows of files are called and what they are given; ids only."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID


@dataclass(frozen=True)
class FileRun:
    """A file that came in; what no message takes along goes after `loose_for`."""

    tenant_id: UUID
    file_id: UUID
    loose_for: timedelta


@dataclass(frozen=True)
class FileRef:
    """One file."""

    tenant_id: UUID
    file_id: UUID


def upload_workflow_id(file_id: UUID) -> str:
    """One run per file that came in."""
    return f"file-uploaded:{file_id}"


def removal_workflow_id(file_id: UUID) -> str:
    """One run per file that was removed."""
    return f"file-removed:{file_id}"
