"""How a member of staff signs in: own password and sessions; and everybody's pictures."""

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.authz import Permission
from portal.blueprints.accounts.avatars import send_avatar
from portal.blueprints.accounts.password_pages import password_page
from portal.blueprints.accounts.session_pages import end_and_return, end_others_and_return, sessions_page
from portal.blueprints.policies import permission

bp = Blueprint("staff_avatars", __name__, url_prefix="/admin/avatars")


class PasswordView(ServiceView):
    """Another password."""

    policy = Permission.PROFILE_EDIT

    @route("/", methods=("GET", "POST"))
    def index(self) -> ResponseReturnValue:
        """The form, or what was sent with it."""
        return password_page("admin/password.html", "staff_password.index")


class SessionsView(ServiceView):
    """Where one is signed in, and was."""

    policy = Permission.PROFILE_EDIT

    @route("/")
    def index(self) -> ResponseReturnValue:
        """What is signed in now, and the history."""
        return sessions_page("admin/sessions.html", "staff_sessions.index")

    @route("/<uuid:session_id>/end", methods=("POST",))
    def end(self, session_id: UUID) -> ResponseReturnValue:
        """End one."""
        return end_and_return(session_id, "staff_sessions.index")

    @route("/end-others", methods=("POST",))
    def end_others(self) -> ResponseReturnValue:
        """End all but this one."""
        return end_others_and_return("staff_sessions.index")


@bp.get("/<uuid:person_id>")
@permission(Permission.DASHBOARD_VIEW)
def picture(person_id: UUID) -> ResponseReturnValue:
    """The picture of anybody."""
    return send_avatar(person_id)
