"""Handing files out: the reader's rights first, then the bytes, with headers that let nothing in them run."""

from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import Protocol, cast
from urllib.parse import quote
from uuid import UUID

from flask import Response, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ServiceUnavailable

from portal.authz import Actor, Permission
from portal.blueprints import http
from portal.blueprints.files.receiving import place
from portal.errors import NotFound
from portal.integrations.file_checks import is_quiet_pdf
from portal.integrations.storage import FileGone, StorageUnavailable
from portal.lib.file_kinds import is_picture
from portal.models import Attachment
from portal.models.session import TenantSession
from portal.services.disputes.evidence import get_evidence
from portal.services.files.addresses import LIFE, FileAddress, find_reader
from portal.services.tickets.files import get_file

PDF = "application/pdf"
# Not even a picture may load, run or send anything, nor be shown within a page of somebody else's.
_CONFINED = "default-src 'none'; sandbox"
# Chromium shows no PDF in a frame that is sandboxed, whatever the frame is allowed: so only quiet ones are shown, by
# the browser's own viewer, in a page that may load nothing.
_FRAMED_PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_THUMBNAIL_SECONDS = 300


class LookUp(Protocol):
    """Finds a file with its reader's rights; raises NotFound and Conflict."""

    def __call__(self, session: TenantSession, file_id: UUID, /, *, actor: Actor) -> Attachment:
        """The file."""


def make_address(attachment_id: UUID, look_up: LookUp = get_file) -> str:
    """An address at which the reader has the file for five minutes; raises NotFound and Conflict."""
    actor = http.actor()
    file = look_up(http.session(), attachment_id, actor=actor)
    assert actor.user_id is not None
    address = FileAddress(http.tenant().id, actor.user_id, file.id, _held_session(), http.now() + LIFE)
    return url_for("file_addresses.hand_out", token=address.sealed(http.vault()))


def redirect_to_file(attachment_id: UUID, look_up: LookUp = get_file) -> ResponseReturnValue:
    """302 to such an address."""
    return redirect(make_address(attachment_id, look_up), code=302)


def hand_out(token: str) -> Response:
    """The file of an address, as a download; NotFound where it is over, or its reader may not have it any more."""
    address = FileAddress.opened(token, http.vault())
    where = http.origin()
    reader = find_reader(http.session(), address, now=http.now(), ip=where.ip, request_id=where.request_id)
    file = _find(address.file_id, reader.actor)
    return _send(file.storage_key, file.content_type, file.size, _disposition("attachment", file.filename))


def send_thumbnail(attachment_id: UUID, look_up: LookUp = get_file) -> Response:
    """The small picture of a file, for pages; NotFound where there is none."""
    file = look_up(http.session(), attachment_id, actor=http.actor())
    if file.thumbnail_key is None:
        raise NotFound("attachment")
    answer = _send(file.thumbnail_key, "image/webp", None, "inline")
    answer.headers["Cache-Control"] = f"private, max-age={_THUMBNAIL_SECONDS}"
    return answer


def send_preview(attachment_id: UUID, look_up: LookUp = get_file) -> ResponseReturnValue:
    """The file to look at: pictures, and PDFs that are nothing but paper; everything else is a download."""
    file = look_up(http.session(), attachment_id, actor=http.actor())
    shown = _disposition("inline", file.filename)
    if is_picture(file.content_type):
        return _send(file.storage_key, file.content_type, file.size, shown)
    if file.content_type != PDF or not _is_quiet(file):
        return redirect_to_file(attachment_id, look_up)
    answer = _send(file.storage_key, PDF, file.size, shown)
    answer.headers["Content-Security-Policy"] = _FRAMED_PDF
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def _is_quiet(file: Attachment) -> bool:
    return is_quiet_pdf(BytesIO(b"".join(_read(file.storage_key))))


def _find(file_id: UUID, actor: Actor) -> Attachment:
    """The file of an address, by the right to its ticket or to its dispute as it is now."""
    tickets = Permission.DESK_READ if actor.is_staff else Permission.TICKETS_READ
    disputes = Permission.BILLING_READ if actor.is_staff else Permission.INVOICES_READ
    doors: tuple[tuple[Permission, LookUp], ...] = ((tickets, get_file), (disputes, get_evidence))
    for needed, look_up in doors:
        if actor.may(needed):
            with suppress(NotFound):
                return look_up(http.session(), file_id, actor=actor)
    raise NotFound("attachment")


def _read(key: str) -> Iterator[bytes]:
    try:
        return place().storage.read(key)
    except FileGone:
        raise NotFound("attachment") from None
    except StorageUnavailable as error:
        raise ServiceUnavailable(retry_after=5) from error


def _send(key: str, content_type: str, size: int | None, disposition: str) -> Response:
    pieces = _read(key)
    answer = Response(() if request.method == "HEAD" else pieces, mimetype=content_type)
    if size is not None:
        answer.content_length = size
    answer.headers["Content-Disposition"] = disposition
    answer.headers["Content-Security-Policy"] = _CONFINED
    return answer


def _disposition(kind: str, name: str) -> str:
    """With the name in full, and without what old readers cannot read (RFC 6266)."""
    plain = "".join(char if " " <= char < "\x7f" and char not in '"\\%' else "_" for char in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _held_session() -> UUID | None:
    """What the reader is signed in by: the browser's session, or the family of the program's token."""
    held = g.get("auth_session")
    return cast("UUID | None", held.id if held is not None else g.get("token_family"))
