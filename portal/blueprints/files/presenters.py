"""What pages show of a file: name, size, state, and where it can be had and looked at."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from babel.units import format_unit

from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext
from portal.lib.file_kinds import is_picture
from portal.lib.i18n import babel_locale
from portal.lib.wording import N_
from portal.models import Attachment, FileState
from portal.services.tickets.attaching import RECORDING, SOLUTION
from portal.services.tickets.files import TicketFile

_NO_FILE = UUID(int=0)
_UNITS = (("digital-megabyte", 1024 * 1024), ("digital-kilobyte", 1024))
_ICONS = {"application/pdf": "file-text", "application/zip": "archive", "message/rfc822": "mail"}
_PURPOSES = {SOLUTION: N_("Solution"), RECORDING: N_("Recording of the session")}


def format_size(size: int) -> str:
    """Bytes as people read them: kilobytes or megabytes, with one decimal below ten, never less than 0.1."""
    unit, factor = next((found for found in _UNITS if size >= found[1]), _UNITS[-1])
    number = size / factor
    shown = max(round(number, 1), 0.1) if number < 10 else round(number)
    return str(format_unit(shown, unit, length="short", locale=babel_locale(current_locale())))


def file_views(files: Iterable[TicketFile], door: str) -> list[dict[str, Any]]:
    """Files of a message; `door` is the blueprint whose addresses the reader may use (`files` or `staff_files`)."""
    return [file_view(file, door) for file in files]


def file_view(file: TicketFile, door: str) -> dict[str, Any]:
    """One file of a ticket."""
    ready = file.state is FileState.CLEAN and not file.waits_for_consent
    shown = chip_view(file)
    purpose = _PURPOSES.get(file.purpose)
    shown["note"] = gettext(purpose) if purpose else ""
    if file.waits_for_consent and file.state is not FileState.REFUSED:
        shown["state"] = "consent"
        shown["decide_url"] = _address("files.recording", file.id) if door == "files" else None
    if ready:
        shown["url"] = _address(f"{door}.download", file.id)
        if is_picture(file.content_type) or file.content_type == "application/pdf":
            shown["preview_url"] = _address(f"{door}.preview", file.id)
        if file.has_thumbnail:
            shown["thumbnail_url"] = _address(f"{door}.thumbnail", file.id)
    return shown


def chip_view(file: TicketFile | Attachment) -> dict[str, Any]:
    """A file that nobody has sent yet, or what all files have in common."""
    picture = is_picture(file.content_type)
    return {
        "id": file.id,
        "name": file.filename,
        "size_text": format_size(file.size),
        "icon": "file-image" if picture else _ICONS.get(file.content_type, "file-text"),
        "is_picture": picture,
        "state": "" if file.state is FileState.CLEAN else file.state.value,
        "url": None,
    }


def _address(endpoint: str, file_id: UUID) -> str:
    # Addresses of two files differ by the id alone, so each is built once.
    return http.address_of(endpoint, attachment_id=_NO_FILE).replace(str(_NO_FILE), str(file_id), 1)
