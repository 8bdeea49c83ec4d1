"""The staff door: its own sign-in, its own token, so that one browser can stand at both doors."""

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.blueprints.accounts import sso
from portal.blueprints.accounts.doors import Door
from portal.blueprints.accounts.joining import Joining
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
    sso="admin_access.sso_choose",
    sso_start="admin_access.sso_start",
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


@bp.route("/join/<token>", methods=["GET", "POST"])
@public
def join(token: str) -> ResponseReturnValue:
    """An invitation to the team."""
    return Joining(DOOR).follow(token)


@bp.route("/sso", methods=["GET", "POST"])
@public
def sso_choose() -> ResponseReturnValue:
    """Find the identity provider by address."""
    return sso.choose(DOOR)


@bp.post("/sso/<uuid:provider_id>")
@public
def sso_start(provider_id: UUID) -> ResponseReturnValue:
    """Go to an identity provider."""
    return sso.start(DOOR, provider_id)


@bp.get("/sso/callback")
@public
def sso_callback() -> ResponseReturnValue:
    """Come back from an identity provider."""
    return sso.come_back(DOOR)
