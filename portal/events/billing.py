"""What can have happened to an invoice (names: contract §6)."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self
from uuid import UUID

from portal.events.base import Event
from portal.models import Invoice


@dataclass(frozen=True)
class InvoiceFact(Event):
    """Common to all: the company decides whose open pages are told, `cycle` names the run of the timer."""

    record_type: ClassVar[str] = "invoice"

    company_id: UUID
    cycle: int

    @classmethod
    def about(cls, invoice: Invoice, **more: Any) -> Self:
        """The fact about this invoice; `more` are the fields of the kind."""
        return cls(record_id=invoice.id, company_id=invoice.customer_id, cycle=invoice.cycle, **more)


@dataclass(frozen=True)
class InvoiceIssued(InvoiceFact):
    """It has its number and is owed; `made_from` names what it was made from (quote:<id>:full), if anything."""

    kind: ClassVar[str] = "invoice.issued"

    made_from: str | None = None


@dataclass(frozen=True)
class InvoiceOverdue(InvoiceFact):
    """Its time is over and it is not paid."""

    kind: ClassVar[str] = "invoice.overdue"


@dataclass(frozen=True)
class InvoiceReminded(InvoiceFact):
    """A step of the plan of reminders came; `step` is its duration from the due time."""

    kind: ClassVar[str] = "invoice.reminded"

    step: str


@dataclass(frozen=True)
class InvoicePaid(InvoiceFact):
    """Nothing of it is owed any more."""

    kind: ClassVar[str] = "invoice.paid"


@dataclass(frozen=True)
class InvoiceVoided(InvoiceFact):
    """It is not owed, and never was."""

    kind: ClassVar[str] = "invoice.voided"


@dataclass(frozen=True)
class InvoiceCredited(InvoiceFact):
    """A credit note took some of it back."""

    kind: ClassVar[str] = "invoice.credited"

    credit_note_id: UUID


@dataclass(frozen=True)
class InvoiceChanged(InvoiceFact):
    """What is paid, held or disputed of it changed, or the plan of reminders; its timer must be set anew."""

    kind: ClassVar[str] = "invoice.changed"

    from_status: str
    to_status: str
