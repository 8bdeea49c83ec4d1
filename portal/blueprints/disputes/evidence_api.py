"""Files of disputes under /api/v1: sent ahead, added, listed, had by addresses that are good for minutes."""

from urllib.parse import urljoin
from uuid import UUID

from flask import Blueprint, request

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.disputes.evidence_schemas import EvidenceFiles, EvidenceRequest, StaffEvidenceFiles
from portal.blueprints.files.handing_out import make_address
from portal.blueprints.files.receiving import place, takes_one_file
from portal.blueprints.files.schemas import FileLink, UploadedFile
from portal.blueprints.policies import permission
from portal.models import Attachment
from portal.services.disputes.evidence import add_evidence, find_evidence, get_evidence, list_evidence
from portal.services.files.addresses import LIFE
from portal.services.files.loose import drop_loose_file
from portal.services.files.uploading import Upload, keep_file

bp = Blueprint("evidence_api", __name__, url_prefix="/api/v1/portal")
staff_bp = Blueprint("staff_evidence_api", __name__, url_prefix="/api/v1/staff")
DECIDED = "It was decided about or withdrawn already."
CHECKED = "The file is being checked, or was refused."


@bp.post("/evidence")
@permission(Permission.INVOICES_READ)
@takes_one_file
@operation("Send a file for a dispute", upload=True, answer=UploadedFile, status=201)
def upload(upload: Upload) -> UploadedFile:
    """Takes a file, which a dispute names in `attachment_ids` within a day. Pictures are drawn anew."""
    return _keep(upload)


@bp.get("/evidence/<uuid:attachment_id>")
@permission(Permission.INVOICES_READ)
@operation("Read about a file of a dispute", answer=UploadedFile)
def detail(attachment_id: UUID) -> UploadedFile:
    """Name, size and state of a file of yours, or of a dispute that you may see."""
    return _detail(attachment_id)


@bp.delete("/evidence/<uuid:attachment_id>")
@permission(Permission.INVOICES_READ)
@operation("Take a file for a dispute back", answer=None, status=204)
def drop(attachment_id: UUID) -> None:
    """Deletes a file of yours that nothing has taken along."""
    drop_loose_file(http.session(), attachment_id, actor=http.actor(), now=http.now())


@bp.get("/evidence/<uuid:attachment_id>/link")
@permission(Permission.INVOICES_READ)
@operation("Make the address of a dispute's file", answer=FileLink, conflicts=CHECKED)
def link(attachment_id: UUID) -> FileLink:
    """An address that is good for five minutes and ends with your session."""
    return _link(attachment_id)


@bp.get("/disputes/<uuid:dispute_id>/evidence")
@permission(Permission.INVOICES_READ)
@operation("List the files of a dispute", answer=EvidenceFiles)
def index(dispute_id: UUID) -> EvidenceFiles:
    """Yours and ours, in the order they came."""
    return EvidenceFiles.of(_list(dispute_id))


@bp.post("/disputes/<uuid:dispute_id>/evidence")
@permission(Permission.INVOICES_READ)
@operation("Add files to a dispute", body=EvidenceRequest, answer=EvidenceFiles, conflicts=DECIDED)
def add(dispute_id: UUID, body: EvidenceRequest) -> EvidenceFiles:
    """While nobody has decided; a file that was added stays."""
    return EvidenceFiles.of(_add(dispute_id, body))


@staff_bp.post("/evidence")
@permission(Permission.BILLING_MANAGE)
@takes_one_file
@operation("Send a file for a dispute", upload=True, answer=UploadedFile, status=201)
def staff_upload(upload: Upload) -> UploadedFile:
    """Takes a file, which a decision or a dispute names in `attachment_ids` within a day."""
    return _keep(upload)


@staff_bp.get("/evidence/<uuid:attachment_id>")
@permission(Permission.BILLING_READ)
@operation("Read about a file of a dispute", answer=UploadedFile)
def staff_detail(attachment_id: UUID) -> UploadedFile:
    """Name, size and state of a file of any dispute, or of your own."""
    return _detail(attachment_id)


@staff_bp.delete("/evidence/<uuid:attachment_id>")
@permission(Permission.BILLING_MANAGE)
@operation("Take a file for a dispute back", answer=None, status=204)
def staff_drop(attachment_id: UUID) -> None:
    """Deletes a file of yours that nothing has taken along."""
    drop_loose_file(http.session(), attachment_id, actor=http.actor(), now=http.now())


@staff_bp.get("/evidence/<uuid:attachment_id>/link")
@permission(Permission.BILLING_READ)
@operation("Make the address of a dispute's file", answer=FileLink, conflicts=CHECKED)
def staff_link(attachment_id: UUID) -> FileLink:
    """An address that is good for five minutes and ends with your session."""
    return _link(attachment_id)


@staff_bp.get("/disputes/<uuid:dispute_id>/evidence")
@permission(Permission.BILLING_READ)
@operation("List the files of a customer's dispute", answer=StaffEvidenceFiles)
def staff_index(dispute_id: UUID) -> StaffEvidenceFiles:
    """The customer's and the team's, in the order they came."""
    return StaffEvidenceFiles.of(_list(dispute_id))


@staff_bp.post("/disputes/<uuid:dispute_id>/evidence")
@permission(Permission.BILLING_MANAGE)
@operation("Add files to a customer's dispute", body=EvidenceRequest, answer=StaffEvidenceFiles, conflicts=DECIDED)
def staff_add(dispute_id: UUID, body: EvidenceRequest) -> StaffEvidenceFiles:
    """The customer sees them; files of the decision itself go with it."""
    return StaffEvidenceFiles.of(_add(dispute_id, body))


def _keep(upload: Upload) -> UploadedFile:
    return UploadedFile.of(keep_file(http.session(), upload, place=place(), actor=http.actor(), now=http.now()))


def _detail(attachment_id: UUID) -> UploadedFile:
    return UploadedFile.of(find_evidence(http.session(), attachment_id, actor=http.actor()))


def _link(attachment_id: UUID) -> FileLink:
    url = urljoin(request.host_url, make_address(attachment_id, get_evidence))
    return FileLink.of_address(url, http.now() + LIFE)


def _list(dispute_id: UUID) -> list[Attachment]:
    return list_evidence(http.session(), dispute_id, actor=http.actor())


def _add(dispute_id: UUID, body: EvidenceRequest) -> list[Attachment]:
    add_evidence(http.session(), dispute_id, body.attachment_ids, actor=http.actor(), now=http.now())
    return _list(dispute_id)
