"""What the workflows of payments are called and what they are given; ids only."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

RECONCILE_ID = "gateway-events"
COMPARE_ID = "gateway-comparison"


@dataclass(frozen=True)
class PaymentRun:
    """A payment that is not decided."""

    tenant_id: UUID
    payment_id: UUID


@dataclass(frozen=True)
class LookAtPayment:
    """Input of the activity: `now` is the workflow's time; runs of before it was told have none."""

    tenant_id: UUID
    payment_id: UUID
    now: datetime | None = None


@dataclass(frozen=True)
class RefundRun:
    """A refund that is to be sent."""

    tenant_id: UUID
    refund_id: UUID


@dataclass(frozen=True)
class Wake:
    """When to look again; None where nothing is left to do, or only once something changes."""

    at: datetime | None


@dataclass(frozen=True)
class AutoPayRun:
    """The due invoices of a company."""

    tenant_id: UUID
    company_id: UUID


@dataclass(frozen=True)
class AdvanceAutoPay:
    """Input of the activity: `now` is the workflow's time."""

    tenant_id: UUID
    company_id: UUID
    now: datetime


@dataclass(frozen=True)
class ScheduleRun:
    """A payment that waits for its day."""

    tenant_id: UUID
    planned_id: UUID


@dataclass(frozen=True)
class AdvanceSchedule:
    """Input of the activity: `now` is the workflow's time."""

    tenant_id: UUID
    planned_id: UUID
    now: datetime


@dataclass(frozen=True)
class ExpiryRun:
    """A saved card until the end that it has now; a card that is renewed gets a run of its own."""

    tenant_id: UUID
    method_id: UUID
    expires: str


@dataclass(frozen=True)
class AdvanceExpiry:
    """Input of the activity: `now` is the workflow's time."""

    tenant_id: UUID
    method_id: UUID
    expires: str
    now: datetime


def payment_workflow_id(payment_id: UUID) -> str:
    """One run per payment."""
    return f"payment:{payment_id}"


def refund_workflow_id(refund_id: str) -> str:
    """One run per refund."""
    return f"refund:{refund_id}"


def auto_pay_workflow_id(company_id: str) -> str:
    """One run per company."""
    return f"auto-pay:{company_id}"


def schedule_workflow_id(planned_id: UUID) -> str:
    """One run per planned payment."""
    return f"scheduled-payment:{planned_id}"


def expiry_workflow_id(method_id: UUID, expires: str) -> str:
    """One run per saved card and end: `2028-08`."""
    return f"card-expiry:{method_id}:{expires}"
