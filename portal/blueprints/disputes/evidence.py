"""Files of a dispute for customers: sending them ahead, adding them, having them."""

from uuid import UUID

from flask import Blueprint, flash
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.disputes.evidence_forms import Evidence, take_evidence
from portal.blueprints.disputes.routes import show_dispute
from portal.blueprints.files import handing_out, receiving
from portal.blueprints.files.routes import take_ahead, take_back
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.services.disputes.evidence import get_evidence

bp = Blueprint("evidence", __name__, url_prefix="/portal")


@bp.post("/evidence")
@permission(Permission.INVOICES_READ)
@receiving.takes_one_file
def upload() -> ResponseReturnValue:
    """Take one file of a page's script."""
    return take_ahead()


@bp.post("/evidence/<uuid:attachment_id>/drop")
@permission(Permission.INVOICES_READ)
def drop(attachment_id: UUID) -> ResponseReturnValue:
    """Take a file back that was not sent yet."""
    return take_back(attachment_id)


@bp.post("/disputes/<uuid:dispute_id>/evidence")
@permission(Permission.INVOICES_READ)
@receiving.takes_files
def add(dispute_id: UUID) -> ResponseReturnValue:
    """Add files to a dispute that nobody has decided."""
    received = receiving.receive_files()
    try:
        take_evidence(dispute_id, received)
    except (Invalid, Conflict) as error:
        http.session().rollback()
        return show_dispute(dispute_id, Evidence.refused(error, received.ids))
    flash(gettext("Files added"), "ok")
    return http.see_other("disputes.detail", dispute_id=dispute_id)


@bp.get("/evidence/<uuid:attachment_id>")
@permission(Permission.INVOICES_READ)
def download(attachment_id: UUID) -> ResponseReturnValue:
    """The file, by an address that is good for five minutes."""
    return handing_out.redirect_to_file(attachment_id, get_evidence)


@bp.get("/evidence/<uuid:attachment_id>/thumbnail")
@permission(Permission.INVOICES_READ)
def thumbnail(attachment_id: UUID) -> ResponseReturnValue:
    """The small picture in the list."""
    return handing_out.send_thumbnail(attachment_id, get_evidence)


@bp.get("/evidence/<uuid:attachment_id>/preview")
@permission(Permission.INVOICES_READ)
def preview(attachment_id: UUID) -> ResponseReturnValue:
    """The file to look at in the browser."""
    return handing_out.send_preview(attachment_id, get_evidence)
