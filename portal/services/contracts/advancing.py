"""The timer's work on a contract: reminders and the notice before its end, each once, and when to look again."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import system_actor
from portal.events import publish
from portal.events.contracts import ContractExpiring, ContractReminded
from portal.models import Contract, ContractStatus
from portal.models.session import TenantSession
from portal.services.contracts.steps import REMINDER, load_steps, write_next_steps


@dataclass(frozen=True)
class Wake:
    """When to look again (None: only when something changes); `done` ends the run."""

    at: datetime | None
    done: bool


def advance_contract(session: TenantSession, contract_id: UUID, *, now: datetime) -> Wake:
    """Do what is due. Of reminders that were missed only the last is sent. Safe to repeat."""
    contract = session.scalar(
        select(Contract).where(Contract.id == contract_id).with_for_update().execution_options(populate_existing=True)
    )
    if contract is None or contract.status in (ContractStatus.VOID, ContractStatus.DRAFT):
        return Wake(None, done=True)
    due = [step for step in load_steps(session, contract) if step.at <= now]
    if due:
        _fire(session, contract, due[-1].kind, len(due), now)
        write_next_steps(session, contract, now=now)
    coming = [step.at for step in load_steps(session, contract) if step.at > now]
    waiting = contract.status is ContractStatus.SENT
    return Wake(min(coming, default=None), done=not coming and not waiting)


def _fire(session: TenantSession, contract: Contract, kind: str, passed: int, now: datetime) -> None:
    actor = system_actor(session.tenant_id)
    if kind == REMINDER:
        contract.reminders += passed
        publish(session, ContractReminded(contract.id, number=contract.reminders), actor=actor, now=now)
    else:
        contract.expiry_told_at = now
        publish(session, ContractExpiring(contract.id), actor=actor, now=now)
