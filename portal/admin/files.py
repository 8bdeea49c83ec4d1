"""Files on the desk: what customers have, and taking one out of a conversation."""

from uuid import UUID

from flask import flash
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.files import handing_out, receiving
from portal.blueprints.files.routes import take_ahead, take_back
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.services.tickets.file_removal import remove_file


class FilesView(ServiceView):
    """Addresses of files for the team."""

    policy = Permission.DESK_READ

    @route("/", methods=("POST",))
    @permission(Permission.DESK_NOTE)
    @receiving.takes_one_file
    def index(self) -> ResponseReturnValue:
        """Take one file of a page's script."""
        return take_ahead()

    @route("/<uuid:attachment_id>/drop", methods=("POST",))
    @permission(Permission.DESK_NOTE)
    def drop(self, attachment_id: UUID) -> ResponseReturnValue:
        """Take a file back that was not sent yet."""
        return take_back(attachment_id)

    @route("/<uuid:attachment_id>")
    def download(self, attachment_id: UUID) -> ResponseReturnValue:
        """The file, by an address that is good for five minutes."""
        return handing_out.redirect_to_file(attachment_id)

    @route("/<uuid:attachment_id>/thumbnail")
    def thumbnail(self, attachment_id: UUID) -> ResponseReturnValue:
        """The small picture in a conversation."""
        return handing_out.send_thumbnail(attachment_id)

    @route("/<uuid:attachment_id>/preview")
    def preview(self, attachment_id: UUID) -> ResponseReturnValue:
        """The file to look at in the browser."""
        return handing_out.send_preview(attachment_id)

    @route("/<uuid:attachment_id>/remove", methods=("POST",))
    @permission(Permission.DESK_UPDATE)
    def remove(self, attachment_id: UUID) -> ResponseReturnValue:
        """Remove a file for good."""
        ticket_id = remove_file(http.session(), attachment_id, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("File removed"), "ok")
        return http.see_other("desk.ticket", ticket_id=ticket_id)
