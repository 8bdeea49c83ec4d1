"""What happens to notices."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from portal.events.base import Event


@dataclass(frozen=True)
class NotificationsCreated(Event):
    """Bells to ring; `record_id` is the event that the notices are about."""

    kind: ClassVar[str] = "notification.created"
    record_type: ClassVar[str] = "notification"

    user_ids: tuple[UUID, ...]
