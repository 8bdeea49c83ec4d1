"""Files under /api/v1: sent ahead of a message, had by addresses that are good for minutes."""

from urllib.parse import urljoin
from uuid import UUID

from flask import Blueprint, request

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.files.handing_out import make_address
from portal.blueprints.files.receiving import place, takes_one_file
from portal.blueprints.files.schemas import ConsentRequest, FileLink, UploadedFile
from portal.blueprints.policies import permission
from portal.services.files.addresses import LIFE
from portal.services.files.loose import drop_loose_file
from portal.services.files.uploading import Upload, keep_file
from portal.services.tickets.file_removal import remove_file
from portal.services.tickets.files import find_file
from portal.services.tickets.recordings import decide_recording

bp = Blueprint("files_api", __name__, url_prefix="/api/v1/portal/attachments")
staff_bp = Blueprint("staff_files_api", __name__, url_prefix="/api/v1/staff/attachments")


@bp.post("")
@permission(Permission.TICKETS_REPLY)
@takes_one_file
@operation("Send a file", upload=True, answer=UploadedFile, status=201)
def upload(upload: Upload) -> UploadedFile:
    """Takes a file for a ticket or reply, which names it in `attachment_ids` within a day. Pictures are drawn anew."""
    return _keep(upload)


@bp.get("/<uuid:attachment_id>")
@permission(Permission.TICKETS_READ)
@operation("Read about a file", answer=UploadedFile)
def detail(attachment_id: UUID) -> UploadedFile:
    """Name, size and state of a file of yours, or of a ticket that you may see."""
    return _detail(attachment_id)


@bp.delete("/<uuid:attachment_id>")
@permission(Permission.TICKETS_REPLY)
@operation("Take a file back", answer=None, status=204)
def drop(attachment_id: UUID) -> None:
    """Deletes a file of yours that no message has taken along."""
    drop_loose_file(http.session(), attachment_id, actor=http.actor(), now=http.now())


@bp.get("/<uuid:attachment_id>/link")
@permission(Permission.TICKETS_READ)
@operation("Make a file's address", answer=FileLink, conflicts="The file is being checked, or is held back.")
def link(attachment_id: UUID) -> FileLink:
    """An address that is good for five minutes and ends with your session."""
    return _link(attachment_id)


@bp.post("/<uuid:attachment_id>/consent")
@permission(Permission.TICKETS_REPLY)
@operation(
    "Decide about a recording", body=ConsentRequest, answer=UploadedFile, conflicts="It has been decided already."
)
def consent(attachment_id: UUID, body: ConsentRequest) -> UploadedFile:
    """Agrees to a recording of a session, or refuses it, which deletes it; once."""
    return UploadedFile.of(
        decide_recording(http.session(), attachment_id, granted=body.granted, actor=http.actor(), now=http.now())
    )


@staff_bp.post("")
@permission(Permission.DESK_NOTE)
@takes_one_file
@operation("Send a file", upload=True, answer=UploadedFile, status=201)
def staff_upload(upload: Upload) -> UploadedFile:
    """Takes a file for an answer or a note, which names it in `attachment_ids` within a day."""
    return _keep(upload)


@staff_bp.get("/<uuid:attachment_id>")
@permission(Permission.DESK_READ)
@operation("Read about a file", answer=UploadedFile)
def staff_detail(attachment_id: UUID) -> UploadedFile:
    """Name, size and state of a file of any ticket, or of your own."""
    return _detail(attachment_id)


@staff_bp.delete("/<uuid:attachment_id>")
@permission(Permission.DESK_NOTE)
@operation("Take a file back", answer=None, status=204)
def staff_drop(attachment_id: UUID) -> None:
    """Deletes a file of yours that no message has taken along."""
    drop_loose_file(http.session(), attachment_id, actor=http.actor(), now=http.now())


@staff_bp.get("/<uuid:attachment_id>/link")
@permission(Permission.DESK_READ)
@operation("Make a file's address", answer=FileLink, conflicts="The file is being checked, or is held back.")
def staff_link(attachment_id: UUID) -> FileLink:
    """An address that is good for five minutes and ends with your session."""
    return _link(attachment_id)


@staff_bp.post("/<uuid:attachment_id>/remove")
@permission(Permission.DESK_UPDATE)
@operation("Remove a file", body=NoBody, answer=None, status=204)
def staff_remove(attachment_id: UUID, body: NoBody) -> None:
    """Takes a file out of its conversation and deletes it, whoever sent it."""
    remove_file(http.session(), attachment_id, actor=http.actor(), now=http.now())


def _keep(upload: Upload) -> UploadedFile:
    return UploadedFile.of(keep_file(http.session(), upload, place=place(), actor=http.actor(), now=http.now()))


def _detail(attachment_id: UUID) -> UploadedFile:
    return UploadedFile.of(find_file(http.session(), attachment_id, actor=http.actor()))


def _link(attachment_id: UUID) -> FileLink:
    url = urljoin(request.host_url, make_address(attachment_id))
    return FileLink.of_address(url, http.now() + LIFE)
