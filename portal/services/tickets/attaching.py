"""Files that a message takes along: the sender's own loose ones, each once (H2.5)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm.attributes import set_committed_value

from portal.authz import Actor
from portal.errors import invalid
from portal.events import Beside
from portal.models import Attachment, FileState
from portal.models.session import TenantSession
from portal.services.tenants.file_policy import FILES_A_MESSAGE
from portal.services.tickets.timeline import Line

FIELD = "attachment_ids"
MESSAGE, SOLUTION, RECORDING = PURPOSES = ("message", "solution", "recording")
_LINES = {SOLUTION: "solution_attached", RECORDING: "recording_offered"}


@dataclass(frozen=True)
class Taken:
    """Locked files on their way into a message."""

    files: tuple[Attachment, ...] = ()
    purpose: str = MESSAGE

    def snapshot(self) -> list[dict[str, Any]]:
        """What the message says of them (contract §5)."""
        return [describe(file) for file in self.files]

    def lines(self) -> tuple[Line, ...]:
        """What the timeline says of a solution or a recording (TKT-16)."""
        kind = _LINES.get(self.purpose)
        return tuple(Line(kind, {"filename": file.filename}) for file in self.files) if kind else ()


def describe(file: Attachment) -> dict[str, Any]:
    """A file as messages and the API name it; `size` in bytes."""
    return {"id": str(file.id), "filename": file.filename, "content_type": file.content_type, "size": file.size}


def take_files(
    session: TenantSession,
    ids: Sequence[UUID],
    *,
    ticket_id: UUID,
    message_id: UUID | None,
    actor: Actor,
    purpose: str = MESSAGE,
) -> Taken:
    """Lock the files for a message, or for the ticket itself where `message_id` is None.

    Raises Invalid about `attachment_ids` for more than ten, and for ids that are not the actor's own loose files.
    A form that comes twice finds its files with what it made before, whose key the second INSERT then meets.
    """
    if not ids:
        return Taken()
    if len(ids) > FILES_A_MESSAGE:
        raise invalid(FIELD, "files_too_many", limit=FILES_A_MESSAGE)
    if purpose not in PURPOSES:
        raise invalid("file_purpose", "unknown_choice")
    mine = Attachment.message_id == message_id if message_id else Attachment.message_id.is_(None)
    rows = session.scalars(
        select(Attachment)
        .where(
            Attachment.id.in_(ids),
            Attachment.uploaded_by == actor.user_id,
            Attachment.removed_at.is_(None),
            Attachment.state != FileState.REFUSED,
            or_(Attachment.is_loose(), and_(Attachment.ticket_id == ticket_id, mine)),
        )
        .order_by(Attachment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if len(rows) != len(set(ids)) or len(ids) != len(set(ids)):
        raise invalid(FIELD, "file_unknown")
    return Taken(tuple(sorted(rows, key=lambda row: ids.index(row.id))), purpose)


_FILES = """
    files AS (
        UPDATE attachments SET ticket_id = :files_ticket, message_id = :files_message, is_internal = :files_internal,
                               purpose = :files_purpose
        WHERE tenant_id = :tenant_id AND id = ANY(cast(:files AS uuid[]))
    )
"""


def files_beside(
    taken: Taken, *, ticket_id: UUID, message_id: UUID | None = None, internal: bool = False
) -> tuple[Beside, ...]:
    """Binding the files, as part of the statement of `publish`; nothing where there are none."""
    if not taken.files:
        return ()
    for file in taken.files:
        set_committed_value(file, "ticket_id", ticket_id)
        set_committed_value(file, "message_id", message_id)
        set_committed_value(file, "is_internal", internal)
        set_committed_value(file, "purpose", taken.purpose)
    values = {
        "files": [str(file.id) for file in taken.files],
        "files_ticket": ticket_id,
        "files_message": message_id,
        "files_internal": internal,
        "files_purpose": taken.purpose,
    }
    return (Beside(_FILES, values),)


def snapshot_json(taken: Taken) -> str:
    """The snapshot for a JSON column."""
    return json.dumps(taken.snapshot(), ensure_ascii=False)
