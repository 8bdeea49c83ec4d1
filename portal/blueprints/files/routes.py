"""Files of customers: sending them ahead of a message, and having them."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.files import handing_out, receiving
from portal.blueprints.files.presenters import chip_view
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission, public
from portal.errors import Invalid, NotFound, invalid
from portal.lib.wording.errors import error_text
from portal.models import Attachment, Ticket
from portal.services.files.loose import drop_loose_file
from portal.services.tickets.queries import get_ticket
from portal.services.tickets.recordings import decide_recording, get_recording

bp = Blueprint("files", __name__, url_prefix="/portal/files")
addresses = Blueprint("file_addresses", __name__, url_prefix="/files")


@bp.post("")
@permission(Permission.TICKETS_REPLY)
@receiving.takes_one_file
def upload() -> ResponseReturnValue:
    """Take one file of a page's script."""
    return take_ahead()


@bp.post("/<uuid:attachment_id>/drop")
@permission(Permission.TICKETS_REPLY)
def drop(attachment_id: UUID) -> ResponseReturnValue:
    """Take a file back that was not sent yet."""
    return take_back(attachment_id)


@bp.get("/<uuid:attachment_id>")
@permission(Permission.TICKETS_READ)
def download(attachment_id: UUID) -> ResponseReturnValue:
    """The file, by an address that is good for five minutes."""
    return handing_out.redirect_to_file(attachment_id)


@bp.get("/<uuid:attachment_id>/thumbnail")
@permission(Permission.TICKETS_READ)
def thumbnail(attachment_id: UUID) -> ResponseReturnValue:
    """The small picture in a conversation."""
    return handing_out.send_thumbnail(attachment_id)


@bp.get("/<uuid:attachment_id>/preview")
@permission(Permission.TICKETS_READ)
def preview(attachment_id: UUID) -> ResponseReturnValue:
    """The file to look at in the browser."""
    return handing_out.send_preview(attachment_id)


@bp.route("/<uuid:attachment_id>/recording", methods=["GET", "POST"])
@permission(Permission.TICKETS_REPLY)
def recording(attachment_id: UUID) -> ResponseReturnValue:
    """May the team keep this recording here? Asked once (TKT-16)."""
    session, actor = http.session(), http.actor()
    found = get_recording(session, attachment_id, actor=actor)
    if request.method == "POST":
        granted = request.form.get("decision") == "allow"
        decide_recording(session, attachment_id, granted=granted, actor=actor, now=http.now())
        http.commit()
        flash(gettext("Recording allowed") if granted else gettext("Recording deleted"), "ok")
        return _to_ticket(found)
    if found.consent_at is not None or found.removed_at is not None:
        return _to_ticket(found)
    ticket = _ticket_of(found)
    return render_template("tickets/recording.html", ticket=ticket, file=chip_view(found))


def _ticket_of(file: Attachment) -> Ticket:
    try:
        assert file.ticket_id is not None
        return get_ticket(http.session(), file.ticket_id, actor=http.actor())
    except NotFound:
        raise NotFound("attachment") from None


def _to_ticket(file: Attachment) -> ResponseReturnValue:
    _ticket_of(file)
    return http.see_other("tickets.detail", ticket_id=file.ticket_id)


@addresses.get("/<token>")
@public
def hand_out(token: str) -> ResponseReturnValue:
    """The address itself proves who may have the file; it is good for minutes, and its reader can lose it."""
    return handing_out.hand_out(token)


def take_ahead() -> ResponseReturnValue:
    """Keep one file of a page's script; what is wrong is told in the reader's language."""
    sent = request.files.getlist("file")
    return _told(lambda: receiving.keep(_only(sent)))


def take_back(attachment_id: UUID) -> ResponseReturnValue:
    """Drop a file that was not sent yet; a second time it is gone already, which is just as well."""
    try:
        drop_loose_file(http.session(), attachment_id, actor=http.actor(), now=http.now())
    except NotFound:
        return "", 204
    http.commit()
    return "", 204


def _only(sent: list[FileStorage]) -> FileStorage:
    if len(sent) != 1:
        raise invalid("file", "file_missing")
    return sent[0]


def _told(keep: Callable[[], Attachment]) -> ResponseReturnValue:
    try:
        kept = chip_view(keep())
    except Invalid as error:
        http.session().rollback()
        text = " ".join(error_text(item.code, dict(item.params), gettext) for item in error.errors)
        return make_response(jsonify(message=text), 422)
    return make_response(
        jsonify(id=str(kept["id"]), name=kept["name"], size=kept["size_text"], state=kept["state"]), 201
    )
