"""What happens to messages that are not about a record of their own."""

from dataclasses import dataclass
from typing import ClassVar

from portal.events.base import Event


@dataclass(frozen=True)
class MessageQueued(Event):
    """A mail or text message of an account waits to be sent; `record_id` is the message."""

    kind: ClassVar[str] = "message.queued"
    record_type: ClassVar[str] = "outgoing_message"
