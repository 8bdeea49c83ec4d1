"""Signing and declining a contract, by both sides."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict
from portal.events import publish
from portal.events.contracts import ContractDeclined, ContractPartSigned, ContractSigned
from portal.integrations.storage import FileStorage
from portal.lib.faults import crash_point
from portal.models import Company, Contract, ContractStatus, Tenant
from portal.models.session import TenantSession
from portal.services.contracts.queries import RECORD, get_contract
from portal.services.contracts.sending import make_void
from portal.services.contracts.steps import write_next_steps
from portal.services.signing.signing import (
    Circumstances,
    FrozenDocument,
    GivenSignature,
    decline,
    is_complete,
    read_given,
    sign,
)


def sign_contract(
    session: TenantSession,
    contract_id: UUID,
    given: GivenSignature,
    *,
    circumstances: Circumstances,
    storage: FileStorage,
    actor: Actor,
    now: datetime,
) -> Contract:
    """Sign in the actor's place; the last signature makes the contract signed, and its copy is sealed by itself.

    Raises Invalid per field, NotFound, Forbidden `not_a_signer`; Conflict `already_signed`, `contract_not_open`,
    `not_your_turn`, `document_changed`.
    """
    require(actor, needed_to_sign(actor))
    # What takes long is done before anything is locked; whose contract it is not learns nothing by it.
    get_contract(session, contract_id, actor=actor)
    drawn = read_given(given)
    contract = get_contract(session, contract_id, actor=actor, lock=True)
    document = _frozen(session, contract, actor)
    places = sign(session, document, given, drawn, circumstances=circumstances, storage=storage, actor=actor, now=now)
    contract.updated_at = now
    own = actor.user_id or contract.id
    if is_complete(places):
        contract.status, contract.signed_at = ContractStatus.SIGNED, now
        write_next_steps(session, contract, now=now)
        event: ContractSigned | ContractPartSigned = ContractSigned(contract.id, user_id=own)
    else:
        event = ContractPartSigned(contract.id, user_id=own)
    told = {"status": contract.status, "sha256": document.content_sha256.hex(), "factors": circumstances.factors}
    publish(session, event, actor=actor, now=now, after=told)
    crash_point("sign.pre_commit")
    return contract


def decline_contract(
    session: TenantSession,
    contract_id: UUID,
    reason: str,
    *,
    circumstances: Circumstances,
    actor: Actor,
    now: datetime,
) -> Contract:
    """Say no, with a reason; the contract is void by that. Raises what `sign_contract` raises."""
    require(actor, needed_to_sign(actor))
    contract = get_contract(session, contract_id, actor=actor, lock=True)
    document = _frozen(session, contract, actor)
    own = decline(session, document, reason, circumstances=circumstances, actor=actor, now=now)
    make_void(session, contract, own.decline_reason, now=now)
    event = ContractDeclined(contract.id, user_id=own.user_id)
    publish(session, event, actor=actor, now=now, before={"status": "sent"}, after={"status": "void"})
    return contract


def needed_to_sign(actor: Actor) -> Permission:
    """The permission that a side's signers need."""
    return Permission.CONTRACTS_MANAGE if actor.is_staff else Permission.CONTRACTS_SIGN


def _frozen(session: TenantSession, contract: Contract, actor: Actor) -> FrozenDocument:
    if contract.status is ContractStatus.SIGNED:
        raise Conflict("already_signed")
    if contract.status is not ContractStatus.SENT or contract.content_sha256 is None:
        raise Conflict("contract_not_open")
    of = Tenant.name if actor.is_staff else Company.name
    whose = Tenant.id == session.tenant_id if actor.is_staff else Company.id == contract.customer_id
    party = session.scalar(select(of).where(whose)) or ""
    return FrozenDocument(RECORD, contract.id, contract.content_sha256, party, contract.in_order)
