"""Files of disputes for the team: sending them ahead, and having them."""

from uuid import UUID

from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.authz import Permission
from portal.blueprints.files import handing_out, receiving
from portal.blueprints.files.routes import take_ahead, take_back
from portal.blueprints.policies import permission
from portal.services.disputes.evidence import get_evidence


class EvidenceView(ServiceView):
    """Addresses of evidence; whoever reads disputes has the files of both sides."""

    policy = Permission.BILLING_READ

    @route("/", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    @receiving.takes_one_file
    def index(self) -> ResponseReturnValue:
        """Take one file of a page's script."""
        return take_ahead()

    @route("/<uuid:attachment_id>/drop", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def drop(self, attachment_id: UUID) -> ResponseReturnValue:
        """Take a file back that was not sent yet."""
        return take_back(attachment_id)

    @route("/<uuid:attachment_id>")
    def download(self, attachment_id: UUID) -> ResponseReturnValue:
        """The file, by an address that is good for five minutes."""
        return handing_out.redirect_to_file(attachment_id, get_evidence)

    @route("/<uuid:attachment_id>/thumbnail")
    def thumbnail(self, attachment_id: UUID) -> ResponseReturnValue:
        """The small picture in the list."""
        return handing_out.send_thumbnail(attachment_id, get_evidence)

    @route("/<uuid:attachment_id>/preview")
    def preview(self, attachment_id: UUID) -> ResponseReturnValue:
        """The file to look at in the browser."""
        return handing_out.send_preview(attachment_id, get_evidence)
