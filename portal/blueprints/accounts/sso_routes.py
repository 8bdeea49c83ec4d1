"""Single sign-on at the customers' door."""

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.blueprints.accounts import sso
from portal.blueprints.accounts.routes import DOOR
from portal.blueprints.policies import public
from portal.extensions import csrf

bp = Blueprint("sso", __name__, url_prefix="/portal/sso")


@bp.route("", methods=["GET", "POST"])
@public
def choose() -> ResponseReturnValue:
    """Find the provider by address."""
    return sso.choose(DOOR)


@bp.post("/<uuid:provider_id>")
@public
def start(provider_id: UUID) -> ResponseReturnValue:
    """Go to a provider."""
    return sso.start(DOOR, provider_id)


@bp.get("/callback")
@public
def callback() -> ResponseReturnValue:
    """Come back from a provider."""
    return sso.come_back(DOOR)


@bp.post("/<uuid:provider_id>/backchannel-logout")
@public
def backchannel_logout(provider_id: UUID) -> ResponseReturnValue:
    """A provider, of either door's people, tells of a sign-out there."""
    return sso.sign_out(provider_id)


# Nobody's browser sends it, and what it carries is signed.
csrf.exempt(backchannel_logout)
