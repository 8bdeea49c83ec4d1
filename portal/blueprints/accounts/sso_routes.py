"""Single sign-on at the customers' door."""

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.blueprints.accounts import sso
from portal.blueprints.accounts.routes import DOOR
from portal.blueprints.policies import public

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
