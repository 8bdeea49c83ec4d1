"""Activities of files: look at them, clear them away, delete what is stored."""

from dataclasses import dataclass

from temporalio import activity

from portal.integrations.antivirus import VirusScanner
from portal.integrations.storage import FileStorage
from portal.lib.clock import utcnow
from portal.lib.faults import crash_point
from portal.models import FileState
from portal.models.session import TenantSessions
from portal.services.files.deleting import delete_stored
from portal.services.files.loose import drop_if_loose
from portal.services.tickets.file_scans import scan_file
from portal.workflows.files.shared import FileRef


@dataclass(frozen=True)
class FileTools:
    """Where files lie, and what looks at them where a scanner is configured."""

    storage: FileStorage
    scanner: VirusScanner | None = None


class FileActivities:
    """What the workflows of files ask to be done."""

    def __init__(self, sessions: TenantSessions, tools: FileTools) -> None:
        self._sessions = sessions
        self._tools = tools

    @activity.defn(name="files.scan")
    def scan(self, file: FileRef) -> None:
        """Have the scanner look at a file that waits for it; what it refuses is deleted. Safe to repeat."""
        storage, scanner = self._tools.storage, self._tools.scanner
        state = scan_file(self._sessions, file.tenant_id, file.file_id, storage=storage, scanner=scanner)
        crash_point("files.post_scan")
        if state is FileState.REFUSED:
            delete_stored(self._sessions, file.tenant_id, file.file_id, storage=storage)

    @activity.defn(name="files.drop_if_loose")
    def drop_if_loose(self, file: FileRef) -> bool:
        """Clear away what no message took along; whether the file is gone. Safe to repeat."""
        with self._sessions.begin(file.tenant_id) as session:
            return drop_if_loose(session, file.file_id, now=utcnow())

    @activity.defn(name="files.delete_stored")
    def delete_stored(self, file: FileRef) -> None:
        """Delete what is stored of a removed file. Safe to repeat."""
        delete_stored(self._sessions, file.tenant_id, file.file_id, storage=self._tools.storage)
