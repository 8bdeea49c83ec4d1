"""What can have happened to a statement of an account."""

from dataclasses import dataclass
from typing import ClassVar, Self
from uuid import UUID

from portal.events.base import Event
from portal.models import Statement


@dataclass(frozen=True)
class StatementFact(Event):
    """Common to all: whose account it is about, and as what kind of file."""

    record_type: ClassVar[str] = "statement"

    company_id: UUID
    format: str

    @classmethod
    def about(cls, statement: Statement) -> Self:
        """The fact about this statement."""
        return cls(record_id=statement.id, company_id=statement.customer_id, format=statement.format.value)


@dataclass(frozen=True)
class StatementRequested(StatementFact):
    """Somebody asked for it; the worker makes it."""

    kind: ClassVar[str] = "statement.requested"


@dataclass(frozen=True)
class StatementReady(StatementFact):
    """It is made and stored."""

    kind: ClassVar[str] = "statement.ready"


@dataclass(frozen=True)
class StatementFailed(StatementFact):
    """It could not be made."""

    kind: ClassVar[str] = "statement.failed"
