"""Reading contracts: customers see those of their companies once they were sent, the team sees all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, true, tuple_

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.lib.paging import Page, decode_cursor, paginate
from portal.models import Company, Contract, ContractStatus, NextStep, SealedDocument, Signature
from portal.models.session import TenantSession
from portal.services.signing.queries import is_their_turn, list_signatures, note_view, own_place

RECORD = "contract"


@dataclass(frozen=True)
class ContractRow:
    """A contract of a list; `mine` says that it waits for the reader's signature."""

    contract: Contract
    company_name: str
    mine: bool = False


@dataclass(frozen=True)
class ContractDetail:
    """A contract with its signers, what comes next, and its sealed file where there is one (to be)."""

    contract: Contract
    company_name: str
    places: Sequence[Signature]
    steps: Sequence[NextStep]
    sealed: SealedDocument | None
    own: Signature | None

    @property
    def can_sign(self) -> bool:
        """Whether it is the reader's turn."""
        if self.own is None or self.contract.status is not ContractStatus.SENT:
            return False
        return is_their_turn(self.own, self.places, in_order=self.contract.in_order)

    @property
    def is_sealed(self) -> bool:
        """Whether the signed copy can be had."""
        return self.sealed is not None and self.sealed.sealed_at is not None


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Which contracts an actor may know of."""
    if actor.is_customer:
        return and_(Contract.customer_id.in_(actor.company_ids), Contract.status != ContractStatus.DRAFT)
    return true()


def needed_to_read(actor: Actor) -> Permission:
    """The permission that opens contracts to an actor."""
    return Permission.CONTRACTS_SEE if actor.is_staff else Permission.CONTRACTS_READ


def list_contracts(
    session: TenantSession,
    *,
    status: ContractStatus | None = None,
    customer_id: UUID | None = None,
    limit: int,
    cursor: str | None = None,
    actor: Actor,
) -> Page[ContractRow]:
    """A page of what the actor may see, newest first. Raises Forbidden, and Invalid about the cursor."""
    require(actor, needed_to_read(actor))
    at = decode_cursor(cursor)
    place = tuple_(Contract.created_at, Contract.id)
    query = select(Contract, Company.name).join(Company, Company.id == Contract.customer_id).where(visible_to(actor))
    if status is not None:
        query = query.where(Contract.status == status)
    if customer_id is not None:
        query = query.where(Contract.customer_id == customer_id)
    if at is not None:
        edge = (at.moment(), at.id)
        query = query.where(place > edge if at.backwards else place < edge)
    newest = at is None or not at.backwards
    query = query.order_by(*((c.desc() if newest else c.asc()) for c in (Contract.created_at, Contract.id)))
    rows = [(contract, name) for contract, name in session.execute(query.limit(limit + 1))]
    waiting = _waiting_for(session, [contract.id for contract, _ in rows], actor)
    found = [ContractRow(contract, name, contract.id in waiting) for contract, name in rows]
    return paginate(found, limit, at, lambda row: (row.contract.created_at.isoformat(), row.contract.id))


def _waiting_for(session: TenantSession, ids: Sequence[UUID], actor: Actor) -> set[UUID]:
    """Those that wait for the actor now."""
    query = select(Signature, Contract.in_order).join(Contract, Contract.id == Signature.record_id)
    rows = session.execute(
        query.where(
            Signature.record_type == RECORD, Signature.record_id.in_(ids), Contract.status == ContractStatus.SENT
        )
    ).all()
    places: dict[UUID, list[Signature]] = {}
    order: dict[UUID, bool] = {}
    for place, in_order in rows:
        places.setdefault(place.record_id, []).append(place)
        order[place.record_id] = in_order
    own = {record_id: own_place(group, actor) for record_id, group in places.items()}
    return {key for key, one in own.items() if one and is_their_turn(one, places[key], in_order=order[key])}


def get_contract(session: TenantSession, contract_id: UUID, *, actor: Actor, lock: bool = False) -> Contract:
    """The contract, or NotFound where it does not exist for this actor; `lock` keeps it until the transaction ends."""
    require(actor, needed_to_read(actor))
    query = select(Contract).where(Contract.id == contract_id, visible_to(actor))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise NotFound("contract")
    return found


def get_detail(session: TenantSession, contract_id: UUID, *, actor: Actor) -> ContractDetail:
    """A contract with all that its page shows. Raises NotFound."""
    contract = get_contract(session, contract_id, actor=actor)
    places = list_signatures(session, RECORD, contract.id)
    steps = select(NextStep).where(NextStep.record_id == contract.id)
    if not actor.is_staff:
        steps = steps.where(NextStep.staff_only.is_(False))
    sealed = session.scalar(
        select(SealedDocument).where(SealedDocument.record_type == RECORD, SealedDocument.record_id == contract.id)
    )
    return ContractDetail(
        contract=contract,
        company_name=session.scalar(select(Company.name).where(Company.id == contract.customer_id)) or "",
        places=places,
        steps=list(session.scalars(steps.order_by(NextStep.at))),
        sealed=sealed,
        own=own_place(places, actor),
    )


def note_reading(session: TenantSession, found: ContractDetail, *, now: datetime) -> bool:
    """Note that a signer opened the document; whether something was written, which the caller commits."""
    if found.own is None or found.contract.status is not ContractStatus.SENT:
        return False
    return note_view(session, found.own, now=now)
