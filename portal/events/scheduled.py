"""What can have happened to a payment that was planned for a later day."""

from dataclasses import dataclass
from typing import ClassVar, Self
from uuid import UUID

from portal.events.base import Event
from portal.models import ScheduledPayment


@dataclass(frozen=True)
class ScheduleFact(Event):
    """Common to all."""

    record_type: ClassVar[str] = "scheduled_payment"

    company_id: UUID
    invoice_id: UUID

    @classmethod
    def about(cls, planned: ScheduledPayment) -> Self:
        """The fact about this row."""
        return cls(planned.id, planned.customer_id, planned.invoice_id)


@dataclass(frozen=True)
class PaymentScheduled(ScheduleFact):
    """A customer planned a payment; its timer starts."""

    kind: ClassVar[str] = "scheduled_payment.created"


@dataclass(frozen=True)
class ScheduleChanged(ScheduleFact):
    """Another method takes over, since the one that was chosen is removed."""

    kind: ClassVar[str] = "scheduled_payment.changed"


@dataclass(frozen=True)
class ScheduleStarted(ScheduleFact):
    """Its day has come, and its payment is under way."""

    kind: ClassVar[str] = "scheduled_payment.started"


@dataclass(frozen=True)
class ScheduleCancelled(ScheduleFact):
    """Somebody cancelled it, or what it was for is settled otherwise."""

    kind: ClassVar[str] = "scheduled_payment.cancelled"


@dataclass(frozen=True)
class ScheduleFailed(ScheduleFact):
    """Its day came, and no payment could be started."""

    kind: ClassVar[str] = "scheduled_payment.failed"
