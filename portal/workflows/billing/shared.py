"""What the workflow of an invoice is called and what it is given; ids only."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class InvoiceRun:
    """An unpaid invoice; a further `cycle` begins when one that was paid is owed again."""

    tenant_id: UUID
    invoice_id: UUID
    cycle: int


@dataclass(frozen=True)
class AdvanceInvoice:
    """Input of the activity: `now` is the workflow's time."""

    tenant_id: UUID
    invoice_id: UUID
    cycle: int
    now: datetime


@dataclass(frozen=True)
class InvoiceWake:
    """When to look again (None: only when something changes); `done` ends the run."""

    at: datetime | None
    done: bool


def invoice_workflow_id(invoice_id: UUID, cycle: int) -> str:
    """One run per invoice, and one for each time that it is owed again."""
    return f"invoice:{invoice_id}" if cycle == 0 else f"invoice:{invoice_id}:{cycle}"
