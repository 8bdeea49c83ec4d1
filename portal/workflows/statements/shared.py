"""What the workflow of a statement is called and what it is given; ids only."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class StatementRun:
    """A statement that somebody asked for."""

    tenant_id: UUID
    statement_id: UUID


@dataclass(frozen=True)
class StatementGivenUp:
    """Input of the activity that says why there will be none; `code` is a refusal of ours."""

    tenant_id: UUID
    statement_id: UUID
    code: str


def statement_workflow_id(statement_id: UUID) -> str:
    """One run per statement."""
    return f"statement:{statement_id}"
