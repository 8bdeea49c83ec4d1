"""What happens to files that people send; the worker scans, clears away and deletes what these tell of."""

from dataclasses import dataclass
from typing import ClassVar

from portal.events.base import Event
from portal.events.tickets import TicketFact


@dataclass(frozen=True)
class AttachmentUploaded(Event):
    """A file came in and belongs to nobody's message yet; `record_id` is the file."""

    kind: ClassVar[str] = "attachment.uploaded"
    record_type: ClassVar[str] = "attachment"


@dataclass(frozen=True)
class AttachmentRemoved(Event):
    """Nobody gets the file any more; what is stored of it goes."""

    kind: ClassVar[str] = "attachment.removed"
    record_type: ClassVar[str] = "attachment"


@dataclass(frozen=True)
class TicketFileChecked(TicketFact):
    """The virus scanner has looked at a file of the ticket: it can be had now, or never."""

    kind: ClassVar[str] = "ticket.file_checked"


@dataclass(frozen=True)
class TicketFileRemoved(TicketFact):
    """A file of the ticket was taken away."""

    kind: ClassVar[str] = "ticket.file_removed"


@dataclass(frozen=True)
class TicketRecordingDecided(TicketFact):
    """The customer agreed to a recording, or refused it (TKT-16)."""

    kind: ClassVar[str] = "ticket.recording_decided"

    granted: bool
