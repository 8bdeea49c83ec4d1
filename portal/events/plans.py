"""What can have happened to a payment plan."""

from dataclasses import dataclass
from typing import ClassVar, Self
from uuid import UUID

from portal.events.base import Event
from portal.models import PaymentPlan


@dataclass(frozen=True)
class PlanFact(Event):
    """Common to all."""

    record_type: ClassVar[str] = "payment_plan"

    company_id: UUID
    invoice_id: UUID

    @classmethod
    def about(cls, plan: PaymentPlan) -> Self:
        """The fact about this plan."""
        return cls(plan.id, plan.customer_id, plan.invoice_id)


@dataclass(frozen=True)
class PlanAsked(PlanFact):
    """A customer asks to pay in instalments."""

    kind: ClassVar[str] = "payment_plan.requested"


@dataclass(frozen=True)
class PlanGranted(PlanFact):
    """The team wrote the plan down; it waits for the customer's signature."""

    kind: ClassVar[str] = "payment_plan.granted"


@dataclass(frozen=True)
class PlanRefused(PlanFact):
    """The invoice stays due as it is."""

    kind: ClassVar[str] = "payment_plan.refused"


@dataclass(frozen=True)
class PlanWithdrawn(PlanFact):
    """The customer asks no more, or does not take what was offered."""

    kind: ClassVar[str] = "payment_plan.withdrawn"


@dataclass(frozen=True)
class PlanAccepted(PlanFact):
    """The customer signed; from now on the instalments' dates count."""

    kind: ClassVar[str] = "payment_plan.accepted"


@dataclass(frozen=True)
class PlanKept(PlanFact):
    """Nothing is owed any more."""

    kind: ClassVar[str] = "payment_plan.kept"


@dataclass(frozen=True)
class PlanMissed(PlanFact):
    """An instalment was not paid in time; the invoice is asked for as a whole again."""

    kind: ClassVar[str] = "payment_plan.missed"


@dataclass(frozen=True)
class PlanEnded(PlanFact):
    """What it was about is gone: the invoice is void, or settled before the plan was in force."""

    kind: ClassVar[str] = "payment_plan.ended"


@dataclass(frozen=True)
class InstalmentReminded(Event):
    """An instalment is due soon, or is late; `position` counts from one."""

    kind: ClassVar[str] = "payment_plan.reminded"
    record_type: ClassVar[str] = "payment_plan"

    company_id: UUID
    invoice_id: UUID
    position: int
    late: bool
