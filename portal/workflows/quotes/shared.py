"""What the workflows of quotes are called and what they are given; ids only."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class QuoteRun:
    """One version of a quote, from its sending to its decision."""

    tenant_id: UUID
    quote_id: UUID


@dataclass(frozen=True)
class AdvanceQuote:
    """Input of the activity: `now` is the workflow's time."""

    tenant_id: UUID
    quote_id: UUID
    now: datetime


@dataclass(frozen=True)
class QuoteLook:
    """When to look again; `done` ends the run."""

    at: datetime | None
    done: bool


def quote_workflow_id(quote_id: UUID) -> str:
    """One run per version."""
    return f"quote:{quote_id}"


def quote_invoice_workflow_id(quote_id: UUID) -> str:
    """One run per accepted version."""
    return f"quote-invoice:{quote_id}"
