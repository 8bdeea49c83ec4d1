"""Sending a contract freezes its text; taking it back voids it."""

from datetime import datetime
from uuid import UUID

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, invalid
from portal.events import publish
from portal.events.contracts import ContractReminded, ContractSent, ContractVoided
from portal.integrations.storage import FileStorage
from portal.lib.text import clean_text, has_forbidden_characters
from portal.models import Contract, ContractStatus
from portal.models.session import TenantSession
from portal.services.contracts.document import freeze_document
from portal.services.contracts.queries import get_contract
from portal.services.contracts.steps import write_next_steps

REASON_LENGTH = 255


def send_contract(
    session: TenantSession, contract_id: UUID, *, storage: FileStorage, actor: Actor, now: datetime
) -> Contract:
    """Freeze the document and ask its signers. Raises NotFound, Conflict `contract_frozen` or `document_not_stored`."""
    require(actor, Permission.CONTRACTS_MANAGE)
    contract = get_contract(session, contract_id, actor=actor, lock=True)
    if contract.status is not ContractStatus.DRAFT:
        raise Conflict("contract_frozen")
    freeze_document(session, contract, storage=storage, now=now)
    contract.status = ContractStatus.SENT
    contract.sent_at = contract.updated_at = now
    write_next_steps(session, contract, now=now)
    digest = contract.content_sha256.hex() if contract.content_sha256 else ""
    publish(session, ContractSent(contract.id), actor=actor, now=now, after={"status": "sent", "sha256": digest})
    return contract


def remind_now(session: TenantSession, contract_id: UUID, *, actor: Actor, now: datetime) -> Contract:
    """Ask those whose turn it is once more, at once. Raises NotFound, Conflict `contract_not_open`."""
    require(actor, Permission.CONTRACTS_MANAGE)
    contract = get_contract(session, contract_id, actor=actor, lock=True)
    if contract.status is not ContractStatus.SENT:
        raise Conflict("contract_not_open")
    publish(session, ContractReminded(contract.id, number=0), actor=actor, now=now)
    return contract


def void_contract(session: TenantSession, contract_id: UUID, reason: str, *, actor: Actor, now: datetime) -> Contract:
    """Take a contract back that not everybody has signed. Raises Invalid, NotFound, Conflict `contract_not_open`."""
    require(actor, Permission.CONTRACTS_MANAGE)
    said = clean_text(reason)
    if not said:
        raise invalid("reason", "required")
    if len(said) > REASON_LENGTH:
        raise invalid("reason", "too_long", limit=REASON_LENGTH)
    if has_forbidden_characters(said):
        raise invalid("reason", "characters_forbidden")
    contract = get_contract(session, contract_id, actor=actor, lock=True)
    if contract.status not in (ContractStatus.DRAFT, ContractStatus.SENT):
        raise Conflict("contract_not_open")
    before = contract.status
    make_void(session, contract, said, now=now)
    publish(
        session, ContractVoided(contract.id), actor=actor, now=now, before={"status": before}, after={"status": "void"}
    )
    return contract


def make_void(session: TenantSession, contract: Contract, reason: str, *, now: datetime) -> None:
    """Nobody signs it any more; the caller holds its lock and publishes why."""
    contract.status = ContractStatus.VOID
    contract.void_reason = reason[:REASON_LENGTH]
    contract.voided_at = contract.updated_at = now
    write_next_steps(session, contract, now=now)
