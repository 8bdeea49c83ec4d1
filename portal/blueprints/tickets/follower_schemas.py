"""What the team's API takes and gives about who hears of a ticket."""

from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import Body, Named, Shape
from portal.services.tickets.followers import Colleague


class FollowRequest(Body):
    """Whether you hear of the ticket."""

    follow: bool = True


class CustomerFollower(Shape):
    """Somebody of the ticket's company."""

    user_id: UUID
    name: str
    email: str

    @classmethod
    def of(cls, colleague: Colleague) -> "CustomerFollower":
        """A login of the company."""
        return cls(user_id=colleague.user_id, name=colleague.name, email=colleague.email)


class Followers(Shape):
    """Who hears of a ticket."""

    items: list[Named] = Field(description="Of the team.")
    customers: list[CustomerFollower] = Field(description="Of the ticket's company, beside who asked.")
    others: list[CustomerFollower] = Field(description="Whom you may add; empty where you may not.")
