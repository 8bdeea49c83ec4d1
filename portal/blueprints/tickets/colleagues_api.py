"""Colleagues on a ticket under /api/v1/portal."""

from uuid import UUID

from flask import Blueprint
from pydantic import Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import Body, Shape
from portal.blueprints.policies import permission
from portal.services.tickets.followers import Colleague, add_follower, read_circle, remove_follower

bp = Blueprint("ticket_colleagues_api", __name__, url_prefix="/api/v1/portal/tickets")


class Follower(Shape):
    """A colleague of the ticket's company."""

    user_id: UUID
    name: str
    email: str

    @classmethod
    def of(cls, colleague: Colleague) -> "Follower":
        """The colleague as the API tells."""
        return cls(user_id=colleague.user_id, name=colleague.name, email=colleague.email)


class Followers(Shape):
    """Who follows a ticket, and which colleagues could."""

    items: list[Follower]
    others: list[Follower] = Field(description="Whom you may add; empty where you do not decide about the ticket.")


class FollowerRequest(Body):
    """Whom to add."""

    user_id: UUID = Field(description="Of `others`.")


@bp.get("/<uuid:ticket_id>/followers")
@permission(Permission.TICKETS_READ)
@operation("List a ticket's followers", answer=Followers)
def index(ticket_id: UUID) -> Followers:
    """Colleagues who see the ticket, get its mails and may answer in it."""
    circle = read_circle(http.session(), ticket_id, actor=http.actor())
    return Followers(
        items=[Follower.of(one) for one in circle.followers], others=[Follower.of(one) for one in circle.others]
    )


@bp.post("/<uuid:ticket_id>/followers")
@permission(Permission.TICKETS_REPLY)
@operation(
    "Share a ticket",
    body=FollowerRequest,
    answer=Follower,
    status=201,
    conflicts="This colleague follows it already, or too many do.",
)
def add(ticket_id: UUID, body: FollowerRequest) -> Follower:
    """Lets a colleague follow; for whoever opened the ticket and the company's administrators."""
    return Follower.of(add_follower(http.session(), ticket_id, body.user_id, actor=http.actor(), now=http.now()))


@bp.delete("/<uuid:ticket_id>/followers/<uuid:user_id>")
@permission(Permission.TICKETS_REPLY)
@operation("Share a ticket no more", answer=None, status=204)
def remove(ticket_id: UUID, user_id: UUID) -> None:
    """Ends a colleague's following at once; everybody may end their own."""
    remove_follower(http.session(), ticket_id, user_id, actor=http.actor(), now=http.now())
