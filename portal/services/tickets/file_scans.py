"""A file is looked at by the virus scanner, before anybody gets it (SEC-11)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import system_actor
from portal.events import audit, publish
from portal.events.files import TicketFileChecked
from portal.integrations.antivirus import ScannerUnavailable, Verdict, VirusScanner
from portal.integrations.storage import FileGone, FileStorage, StorageUnavailable
from portal.lib.clock import utcnow
from portal.models import Attachment, FileState
from portal.models.session import TenantSession, TenantSessions
from portal.services.files.quota import release
from portal.services.tickets.queries import lock_ticket
from portal.services.tickets.timeline import Line, lines_beside


class TransientScanError(Exception):
    """The file could not be looked at; it stays as it is, and is tried again."""


def scan_file(
    sessions: TenantSessions, tenant_id: UUID, file_id: UUID, *, storage: FileStorage, scanner: VirusScanner | None
) -> FileState | None:
    """Look at a file that waits for it; returns its state, None where it is gone. Safe to repeat.

    Raises TransientScanError: without an answer, and where no scanner is configured (any more) although the file
    was taken in to be scanned, nobody gets it. No transaction waits for the scanner.
    """
    with sessions.begin(tenant_id) as session:
        found = session.execute(
            select(Attachment.state, Attachment.storage_key).where(
                Attachment.id == file_id, Attachment.removed_at.is_(None)
            )
        ).first()
    if found is None or found.state is not FileState.SCANNING:
        return found.state if found is not None else None
    if scanner is None:
        raise TransientScanError("no scanner is configured")
    try:
        verdict = scanner.scan(storage.read(found.storage_key))
    except (ScannerUnavailable, StorageUnavailable, FileGone) as error:
        raise TransientScanError(str(error)) from error
    with sessions.begin(tenant_id) as session:
        return _conclude(session, file_id, verdict, now=utcnow())


def _conclude(session: TenantSession, file_id: UUID, verdict: Verdict, *, now: datetime) -> FileState | None:
    actor = system_actor(session.tenant_id)
    ticket_id = session.scalar(select(Attachment.ticket_id).where(Attachment.id == file_id))
    # The ticket first, as everywhere; a message that takes the file along meanwhile waits or has gone before.
    ticket = lock_ticket(session, ticket_id, actor=actor) if ticket_id else None
    file = session.scalar(
        select(Attachment)
        .where(Attachment.id == file_id, Attachment.removed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if file is None or file.state is not FileState.SCANNING:
        return file.state if file is not None else None
    if ticket is None and file.ticket_id is not None:
        raise TransientScanError("taken along meanwhile")
    file.state = FileState.CLEAN if verdict.clean else FileState.REFUSED
    if not verdict.clean:
        release(session, file.size)
        audit(
            session,
            "attachment.refused",
            "attachment",
            file.id,
            actor=actor,
            now=now,
            after={"found": verdict.found},
        )
    if ticket is not None:
        refused = Line("file_refused", {"filename": file.filename}, staff_only=file.is_internal)
        lines = () if verdict.clean else (lines_beside(ticket, refused),)
        publish(session, TicketFileChecked.about(ticket), actor=actor, now=now, beside=lines)
    return file.state
