"""What forms with evidence share: the files that came with them, what is wrong with one, and those of a dispute."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts, status_of
from portal.blueprints.files.presenters import file_view
from portal.blueprints.files.receiving import FIELD, KEPT, Received, still_attached
from portal.blueprints.localisation import gettext
from portal.errors import Conflict, Invalid
from portal.lib.wording.errors import error_text
from portal.models import Attachment
from portal.services.disputes.evidence import ANSWER, add_evidence, list_evidence
from portal.services.tickets.files import as_ticket_file


@dataclass(frozen=True)
class Evidence:
    """The files that a form brought and keeps, what is wrong with them or with all of it, and the answer's status."""

    file_ids: tuple[UUID, ...] = ()
    errors: tuple[str, ...] = ()
    problem: str = ""
    status: int = 200

    @classmethod
    def refused(cls, error: Invalid | Conflict, file_ids: tuple[UUID, ...]) -> "Evidence":
        """A form that comes back; what is wrong with other fields is told beside those."""
        if isinstance(error, Conflict):
            return cls(file_ids, (), error_text(error.code, error.params, gettext), status_of(error))
        found = [one for one in error.errors if one.field in (FIELD, KEPT)]
        texts = (error_text(one.code, dict(one.params), gettext) for one in found)
        return cls(file_ids, tuple(texts), "", status_of(error))

    def context(self) -> dict[str, Any]:
        """What the field of files shows: those that are kept already, and each one's own reason."""
        return {
            "kept_files": still_attached(self.file_ids),
            "file_errors": list(self.errors),
            "file_limit": http.tenant().files.max_mb,
        }


NOTHING_SENT = Evidence()


def form_texts(error: Invalid | Conflict) -> dict[str, str]:
    """Field -> sentence, as `refusal_texts`; what is wrong with files stands at the field that takes them."""
    return {FIELD if field == KEPT else field: text for field, text in refusal_texts(error, "problem").items()}


def take_evidence(dispute_id: UUID, received: Received) -> None:
    """Add what a form brought and commit; raises Invalid and Conflict."""
    received.check()
    add_evidence(http.session(), dispute_id, received.ids, actor=http.actor(), now=http.now())
    http.commit()


def evidence_of(dispute_id: UUID, door: str) -> dict[str, list[dict[str, Any]]]:
    """The files of a dispute by whose they are: `theirs` of the customer, `ours` of the team."""
    files = list_evidence(http.session(), dispute_id, actor=http.actor())
    return {
        "theirs": [_view(file, door) for file in files if file.purpose != ANSWER],
        "ours": [_view(file, door) for file in files if file.purpose == ANSWER],
    }


def _view(file: Attachment, door: str) -> dict[str, Any]:
    return file_view(as_ticket_file(file), door)
