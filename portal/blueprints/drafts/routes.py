"""Where the script of a form leaves what is typed, and finds it again; one place at either door."""

from flask import Blueprint, Response, jsonify, request

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.policies import permission
from portal.services.tickets.drafts import load_draft, save_draft

bp = Blueprint("drafts", __name__, url_prefix="/portal/drafts")
staff_bp = Blueprint("staff_drafts", __name__, url_prefix="/admin/drafts")
_NO_FIELDS = frozenset({"place", "csrf_token"})


@bp.get("")
@permission(Permission.TICKETS_READ)
def show() -> Response:
    """What was typed at a place."""
    return _show()


@bp.post("")
@permission(Permission.TICKETS_READ)
def keep() -> Response:
    """Keep what is typed now."""
    return _keep()


@staff_bp.get("")
@permission(Permission.DESK_READ)
def staff_show() -> Response:
    """What was typed at a place."""
    return _show()


@staff_bp.post("")
@permission(Permission.DESK_READ)
def staff_keep() -> Response:
    """Keep what is typed now."""
    return _keep()


def _show() -> Response:
    found = load_draft(http.session(), request.args.get("place", ""), actor=http.actor())
    answer = jsonify({"fields": dict(found.fields)})
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _keep() -> Response:
    typed = {name: value for name, value in request.form.items() if name not in _NO_FIELDS}
    save_draft(http.session(), request.form.get("place", ""), typed, actor=http.actor(), now=http.now())
    http.commit()
    return Response(status=204)
