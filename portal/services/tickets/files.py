"""Files of tickets as they are shown and handed out; who may see the ticket may see them, notes' files only staff."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from portal.authz import Actor
from portal.errors import Conflict, NotFound
from portal.models import Attachment, FileState, Ticket
from portal.models.session import TenantSession
from portal.services.tickets.attaching import RECORDING
from portal.services.tickets.queries import visible_to


@dataclass(frozen=True)
class TicketFile:
    """A file as the ticket's pages show it; `size` in bytes."""

    id: UUID
    message_id: UUID | None
    filename: str
    content_type: str
    size: int
    state: FileState
    has_thumbnail: bool
    purpose: str
    consent_at: datetime | None
    uploaded_by: UUID | None

    @property
    def waits_for_consent(self) -> bool:
        """A recording that the customer has not agreed to."""
        return self.purpose == RECORDING and self.consent_at is None


# Parallel to the fields of TicketFile.
_COLUMNS: tuple[Any, ...] = (
    Attachment.id,
    Attachment.message_id,
    Attachment.filename,
    Attachment.content_type,
    Attachment.size,
    Attachment.state,
    Attachment.thumbnail_key.is_not(None),
    Attachment.purpose,
    Attachment.consent_at,
    Attachment.uploaded_by,
)


def files_column(*, staff: bool) -> Any:
    """The files of the ticket of an outer statement, in the order they came, as one JSON value."""
    files = (
        select(*(column.label(f"c{at}") for at, column in enumerate(_COLUMNS)), Attachment.created_at)
        .where(
            Attachment.tenant_id == Ticket.tenant_id,
            Attachment.ticket_id == Ticket.id,
            Attachment.removed_at.is_(None),
            Attachment.side_message_id.is_(None),
            *(() if staff else (Attachment.is_internal.is_(False),)),
        )
        .correlate(Ticket)
        .subquery()
    )
    row = func.jsonb_build_array(*(files.c[f"c{at}"] for at in range(len(_COLUMNS))))
    return select(func.jsonb_agg(aggregate_order_by(row, files.c.created_at, files.c.c0))).scalar_subquery()


def read_files(value: Iterable[Any] | None) -> list[TicketFile]:
    """What `files_column` brought."""
    return [_read(*row) for row in value or ()]


def _read(
    id_: str, message: str | None, name: str, kind: str, size: int, state: str, small: bool, purpose: str,
    consent: str | None, by: str
) -> TicketFile:  # fmt: skip
    return TicketFile(
        UUID(id_),
        UUID(message) if message else None,
        name,
        kind,
        size,
        FileState(state),
        small,
        purpose,
        datetime.fromisoformat(consent) if consent else None,
        UUID(by),
    )


def as_ticket_file(row: Attachment) -> TicketFile:
    """The same of a file's row."""
    return TicketFile(
        row.id,
        row.message_id,
        row.filename,
        row.content_type,
        row.size,
        row.state,
        row.thumbnail_key is not None,
        row.purpose,
        row.consent_at,
        row.uploaded_by,
    )


def find_file(session: TenantSession, file_id: UUID, *, actor: Actor) -> Attachment:
    """A file that the actor may know of: own loose ones, and those of visible tickets; NotFound for all others."""
    of_ticket = select(Ticket.id).where(Ticket.id == Attachment.ticket_id, visible_to(actor)).exists()
    seen = of_ticket if actor.is_staff or actor.is_system else and_(Attachment.is_internal.is_(False), of_ticket)
    own = and_(Attachment.is_loose(), Attachment.uploaded_by == actor.user_id)
    found = session.scalar(
        select(Attachment).where(Attachment.id == file_id, Attachment.removed_at.is_(None), or_(own, seen))
    )
    if found is None:
        raise NotFound("attachment")
    return found


def get_file(session: TenantSession, file_id: UUID, *, actor: Actor) -> Attachment:
    """A file to hand out now.

    Raises NotFound, and Conflict while it is being looked at (`file_scanning`), where something was found in it
    (`file_refused`), and for a recording that nobody agreed to (`recording_without_consent`).
    """
    found = find_file(session, file_id, actor=actor)
    if found.state is not FileState.CLEAN:
        raise Conflict("file_scanning" if found.state is FileState.SCANNING else "file_refused")
    if found.purpose == RECORDING and found.consent_at is None:
        raise Conflict("recording_without_consent")
    return found
