"""The team lets colleagues of a customer follow a ticket, under /api/v1/staff."""

from uuid import UUID

from flask import Blueprint
from pydantic import Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import Body
from portal.blueprints.policies import permission
from portal.blueprints.tickets.answer_api import followers_of
from portal.blueprints.tickets.follower_schemas import Followers
from portal.services.tickets.followers import add_follower, remove_follower

bp = Blueprint("staff_followers_api", __name__, url_prefix="/api/v1/staff/tickets/<uuid:ticket_id>/followers")


class CustomerFollowerRequest(Body):
    """Whom of the customer to add."""

    user_id: UUID = Field(description="Of `others`.")


@bp.post("")
@permission(Permission.DESK_UPDATE)
@operation(
    "Share a ticket with a colleague of the customer",
    body=CustomerFollowerRequest,
    answer=Followers,
    status=201,
    conflicts="This colleague follows it already, or too many do.",
)
def add(ticket_id: UUID, body: CustomerFollowerRequest) -> Followers:
    """Lets somebody of the ticket's company see it, hear of it and answer in it."""
    add_follower(http.session(), ticket_id, body.user_id, actor=http.actor(), now=http.now())
    return followers_of(ticket_id)


@bp.delete("/<uuid:user_id>")
@permission(Permission.DESK_UPDATE)
@operation("Share a ticket with a colleague of the customer no more", answer=None, status=204)
def remove(ticket_id: UUID, user_id: UUID) -> None:
    """Ends it at once: page, files, mails and live updates."""
    remove_follower(http.session(), ticket_id, user_id, actor=http.actor(), now=http.now())
