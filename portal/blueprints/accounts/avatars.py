"""People's pictures as files; fetched with the cookie of the door, since not everybody may see everybody."""

from uuid import UUID

from flask import make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.routes import account
from portal.blueprints.policies import permission
from portal.services.accounts.avatars import get_avatar


@account.get("/avatars/<uuid:person_id>")
@permission(Permission.DASHBOARD_VIEW)
def avatar(person_id: UUID) -> ResponseReturnValue:
    """The picture of a person that a customer may see."""
    return send_avatar(person_id)


def send_avatar(person_id: UUID) -> Response:
    """The picture with its ETag; browsers keep it, but ask each time, since access may have been taken away."""
    found = get_avatar(http.session(), person_id, actor=http.actor())
    answer = make_response(found.content)
    answer.mimetype = "image/webp"
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.set_etag(found.sha256.hex())
    return answer.make_conditional(request)
