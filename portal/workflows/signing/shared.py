"""What the workflows of contracts and seals are called and what they are given; ids only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

# How often a time-stamp authority that was away is asked again.
RAISE_EVERY = timedelta(minutes=30)


@dataclass(frozen=True)
class ContractRun:
    """A contract from its sending to its end."""

    tenant_id: UUID
    contract_id: UUID


@dataclass(frozen=True)
class AdvanceContract:
    """Input of the activity: `now` is the workflow's time."""

    tenant_id: UUID
    contract_id: UUID
    now: datetime


@dataclass(frozen=True)
class ContractWake:
    """When to look again (None: only when something changes); `done` ends the run."""

    at: datetime | None
    done: bool


@dataclass(frozen=True)
class SealRun:
    """A document that everybody has signed; `raise_every` is the pause between tries for a time stamp."""

    tenant_id: UUID
    record_type: str
    record_id: UUID
    raise_every: timedelta


@dataclass(frozen=True)
class Sealed:
    """The level a document has now; `rises` says whether a time stamp is still to come."""

    level: str
    rises: bool


def contract_workflow_id(contract_id: UUID) -> str:
    """One run per contract."""
    return f"contract:{contract_id}"


def seal_workflow_id(record_type: str, record_id: UUID) -> str:
    """One run per signed document."""
    return f"seal:{record_type}:{record_id}"
