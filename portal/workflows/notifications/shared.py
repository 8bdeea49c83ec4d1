"""What the notification workflow is called and what it is given; ids only."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class NotificationRun:
    """One event that people must hear of."""

    tenant_id: UUID
    event_id: UUID


@dataclass(frozen=True)
class MailBatch:
    """Mails of one event that still have to go out."""

    tenant_id: UUID
    mail_ids: list[UUID]


def notification_workflow_id(event_id: UUID) -> str:
    """One run per event."""
    return f"notify:{event_id}"
