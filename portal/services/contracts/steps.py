"""What happens next to a contract, and when: reminders while it waits, the notice before it ends."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from portal.models import Contract, ContractStatus, NextStep, Tenant
from portal.models.session import TenantSession
from portal.services.contracts.queries import RECORD
from portal.services.signing.policy import SigningPolicy, load_signing_policy

REMINDER, EXPIRING = "contract_reminder", "contract_expiring"


@dataclass(frozen=True)
class ComingStep:
    """A step that is still to come."""

    kind: str
    key: str
    at: datetime


def plan_steps(contract: Contract, policy: SigningPolicy, timezone: str) -> list[ComingStep]:
    """What is still to come of a contract, in its order; the day of its end begins in the tenant's zone."""
    if contract.status is ContractStatus.SENT and contract.sent_at is not None:
        dates = [contract.sent_at + after for after in policy.reminders]
        return [ComingStep(REMINDER, f"remind:{n}", at) for n, at in enumerate(dates) if n >= contract.reminders]
    if contract.status is ContractStatus.SIGNED and contract.ends_on and contract.expiry_told_at is None:
        end = datetime.combine(contract.ends_on, time(), ZoneInfo(timezone)).astimezone(UTC)
        # One that was signed later than that is told of a minute after.
        told = max(end - policy.expiring_before, (contract.signed_at or end) + timedelta(minutes=1))
        return [ComingStep(EXPIRING, EXPIRING, told)] if told < end else []
    return []


def load_steps(session: TenantSession, contract: Contract) -> list[ComingStep]:
    """The same, by the tenant's own policy and zone."""
    timezone = session.scalar(select(Tenant.timezone).where(Tenant.id == session.tenant_id)) or "UTC"
    return plan_steps(contract, load_signing_policy(session), timezone)


def write_next_steps(session: TenantSession, contract: Contract, *, now: datetime) -> None:
    """Replace the rows that pages read; the first two steps are shown."""
    session.flush()
    session.execute(
        delete(NextStep).where(NextStep.record_type == RECORD, NextStep.record_id == contract.id),
        execution_options={"synchronize_session": False},
    )
    for step in [step for step in load_steps(session, contract) if step.at > now][:2]:
        session.add(
            NextStep(
                id=uuid4(),
                tenant_id=session.tenant_id,
                record_type=RECORD,
                record_id=contract.id,
                key=step.key,
                kind=step.kind,
                at=step.at,
                staff_only=False,
                params={},
            )
        )
