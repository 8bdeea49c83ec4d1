"""The staff door: its own sign-in, its own token, so that one browser can stand at both doors."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.blueprints.accounts.doors import Door
from portal.blueprints.accounts.recovery import add_recovery
from portal.blueprints.accounts.second_step import add_second_step
from portal.blueprints.policies import public, signed_in, while_enrolling

DOOR = Door(
    name="admin",
    template="admin/login.html",
    endpoint="admin_access.login",
    verify="admin_access.verify",
    home="admin.index",
    prefix="/admin/",
)
bp = Blueprint("admin_access", __name__, url_prefix="/admin")
add_recovery(bp, DOOR)
add_second_step(bp, DOOR, "/login")


@bp.route("/login", methods=["GET", "POST"])
@public
def login() -> ResponseReturnValue:
    """The sign-in of staff."""
    return DOOR.log_in()


@bp.post("/logout")
@while_enrolling
@signed_in
def logout() -> ResponseReturnValue:
    """End the session of staff."""
    return DOOR.log_out()
