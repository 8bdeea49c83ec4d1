"""What surrounds one ticket, as the API gives it."""

from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import Shape, UtcDateTime
from portal.models import LinkKind, TicketStatus


class EarlierMessage(Shape):
    """What a message said before it was edited."""

    message: str
    replaced_at: UtcDateTime


class EarlierMessages(Shape):
    """What a message said before, oldest first."""

    items: list[EarlierMessage]


class PreparedItem(Shape):
    """A prepared reply, its places filled; edit it before you send it."""

    id: UUID
    name: str
    text: str


class PreparedItems(Shape):
    """Prepared replies, in the tenant's order."""

    items: list[PreparedItem]


class RelatedItem(Shape):
    """Another ticket that has to do with one."""

    id: UUID
    number: str
    subject: str
    status: TicketStatus
    link: LinkKind | None = Field(description="How it is linked; null where only the category is the same.")
    relation: str = Field(description="The same in the reader's language.")


class RelatedItems(Shape):
    """Linked tickets first, then those of the same category."""

    items: list[RelatedItem]
