"""What can have happened at the bank's side: statements read, transfers matched, and what was given up of invoices."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from portal.events.base import Event


@dataclass(frozen=True)
class StatementImported(Event):
    """A statement was read; `known` entries were there already."""

    kind: ClassVar[str] = "bank_statement.imported"
    record_type: ClassVar[str] = "bank_statement"

    added: int
    known: int


@dataclass(frozen=True)
class TransferFact(Event):
    """Common to all about money on the account."""

    record_type: ClassVar[str] = "bank_transaction"


@dataclass(frozen=True)
class TransferMatched(TransferFact):
    """A transfer became a payment."""

    kind: ClassVar[str] = "bank_transaction.matched"

    payment_id: UUID
    company_id: UUID


@dataclass(frozen=True)
class TransferMatchUndone(TransferFact):
    """A match was taken back by entries that reverse it; the transfer waits again."""

    kind: ClassVar[str] = "bank_transaction.match_undone"

    payment_id: UUID
    company_id: UUID


@dataclass(frozen=True)
class TransferSetAside(TransferFact):
    """A transfer is no customer's payment."""

    kind: ClassVar[str] = "bank_transaction.set_aside"


@dataclass(frozen=True)
class TransferTakenBack(TransferFact):
    """A transfer that was set aside waits again."""

    kind: ClassVar[str] = "bank_transaction.taken_back"


@dataclass(frozen=True)
class WriteOffFact(Event):
    """Something about giving up what is owed of an invoice; `amount` in minor units."""

    record_type: ClassVar[str] = "invoice"

    company_id: UUID
    write_off_id: UUID
    amount: int


@dataclass(frozen=True)
class WriteOffRequested(WriteOffFact):
    """Somebody wants to give up what is owed; a second person has to agree."""

    kind: ClassVar[str] = "invoice.write_off_requested"


@dataclass(frozen=True)
class WriteOffReversalRequested(WriteOffFact):
    """Somebody wants what was given up to be owed again; a second person has to agree."""

    kind: ClassVar[str] = "invoice.write_off_reversal_requested"


@dataclass(frozen=True)
class InvoiceWriteOffReversed(WriteOffFact):
    """What was given up is owed again."""

    kind: ClassVar[str] = "invoice.write_off_reversed"


@dataclass(frozen=True)
class WriteOffDeclined(WriteOffFact):
    """A colleague did not agree, be it to a write-off or to taking one back."""

    kind: ClassVar[str] = "invoice.write_off_declined"


@dataclass(frozen=True)
class InvoiceWrittenOff(WriteOffFact):
    """What was owed is owed no more."""

    kind: ClassVar[str] = "invoice.written_off"
