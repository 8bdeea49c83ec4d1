"""What the workflows of accounts are called and what they are given; ids only."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class DomainProofRun:
    """A mail domain whose proof is looked for, for as long as a provider claims it."""

    tenant_id: UUID
    domain_id: UUID


@dataclass(frozen=True)
class LookForProof:
    """Input of the activity: `now` is the workflow's time."""

    tenant_id: UUID
    domain_id: UUID
    now: datetime


@dataclass(frozen=True)
class DomainLook:
    """When to look again (None: only when asked to); `gone` ends the run, the claim was withdrawn."""

    again_at: datetime | None
    gone: bool


def domain_proof_workflow_id(domain_id: UUID) -> str:
    """One run per claimed domain."""
    return f"domain-proof:{domain_id}"
