"""Contracts under /api/v1/staff/contracts: draft, send, countersign, remind, void."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import prove_again
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.contracts.api import DECIDED
from portal.blueprints.contracts.schemas import (
    DraftRequest,
    SignRequest,
    StaffContract,
    StaffContractItem,
    StaffContracts,
    StaffContractsQuery,
    VoidRequest,
)
from portal.blueprints.contracts.signing_tools import circumstances, storage
from portal.blueprints.localisation import current_locale
from portal.blueprints.policies import permission
from portal.services.contracts.drafting import ContractDraft, change_contract, create_contract
from portal.services.contracts.queries import get_detail, list_contracts
from portal.services.contracts.sending import remind_now, send_contract, void_contract
from portal.services.contracts.signing import sign_contract
from portal.services.signing.policy import load_signing_policy
from portal.services.signing.requesting import Signer
from portal.services.signing.signing import GivenSignature

bp = Blueprint("staff_contracts_api", __name__, url_prefix="/api/v1/staff/contracts")
FROZEN = "It was sent already."
OVER = "It is signed or void."


@bp.get("")
@permission(Permission.CONTRACTS_SEE)
@operation("List contracts", query=StaffContractsQuery, answer=StaffContracts)
def index(query: StaffContractsQuery) -> StaffContracts:
    """Contracts of every customer, newest first."""
    page = list_contracts(
        http.session(),
        status=query.status,
        customer_id=query.customer_id,
        limit=query.limit,
        cursor=query.cursor,
        actor=http.actor(),
    )
    return StaffContracts(items=[StaffContractItem.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.get("/<uuid:contract_id>")
@permission(Permission.CONTRACTS_SEE)
@operation("Read a contract", answer=StaffContract)
def detail(contract_id: UUID) -> StaffContract:
    """A contract with the evidence of each signature."""
    return _answer(contract_id)


@bp.post("")
@permission(Permission.CONTRACTS_MANAGE)
@operation("Draft a contract", body=DraftRequest, answer=StaffContract, status=201)
def create(body: DraftRequest) -> StaffContract:
    """Begins a contract, which its customer does not see before it is sent."""
    contract = create_contract(http.session(), _draft(body), actor=http.actor(), now=http.now())
    return _answer(contract.id)


@bp.put("/<uuid:contract_id>")
@permission(Permission.CONTRACTS_MANAGE)
@operation("Change a draft", body=DraftRequest, answer=StaffContract, conflicts=FROZEN)
def change(contract_id: UUID, body: DraftRequest) -> StaffContract:
    """Writes a draft anew, signers included."""
    change_contract(http.session(), contract_id, _draft(body), actor=http.actor(), now=http.now())
    return _answer(contract_id)


@bp.post("/<uuid:contract_id>/send")
@permission(Permission.CONTRACTS_MANAGE)
@operation("Send a contract", body=NoBody, answer=StaffContract, conflicts=FROZEN)
def send(contract_id: UUID, body: NoBody) -> StaffContract:
    """Freezes the document and asks its signers."""
    send_contract(http.session(), contract_id, storage=storage(), actor=http.actor(), now=http.now())
    return _answer(contract_id)


@bp.post("/<uuid:contract_id>/remind")
@permission(Permission.CONTRACTS_MANAGE)
@operation("Remind signers", body=NoBody, answer=StaffContract, conflicts=OVER)
def remind(contract_id: UUID, body: NoBody) -> StaffContract:
    """Asks those whose turn it is once more, at once."""
    remind_now(http.session(), contract_id, actor=http.actor(), now=http.now())
    return _answer(contract_id)


@bp.post("/<uuid:contract_id>/void")
@permission(Permission.CONTRACTS_MANAGE)
@operation("Void a contract", body=VoidRequest, answer=StaffContract, conflicts=OVER)
def void(contract_id: UUID, body: VoidRequest) -> StaffContract:
    """Takes it back before everybody has signed."""
    void_contract(http.session(), contract_id, body.reason, actor=http.actor(), now=http.now())
    return _answer(contract_id)


@bp.post("/<uuid:contract_id>/sign")
@permission(Permission.CONTRACTS_MANAGE)
@operation("Countersign a contract", body=SignRequest, answer=StaffContract, conflicts=DECIDED)
def sign(contract_id: UUID, body: SignRequest) -> StaffContract:
    """Signs for the team, once, where you are among the signers."""
    if load_signing_policy(http.session()).step_up:
        prove_again(body.password)
    given = GivenSignature(
        signer_name=body.signer_name,
        content_sha256=body.content_sha256,
        consent=body.consent,
        drawing=body.signature or "",
        locale=current_locale(),
        consent_version=body.consent_version or "",
    )
    sign_contract(
        http.session(),
        contract_id,
        given,
        circumstances=circumstances(),
        storage=storage(),
        actor=http.actor(),
        now=http.now(),
    )
    return _answer(contract_id)


def _draft(body: DraftRequest) -> ContractDraft:
    return ContractDraft(
        customer_id=body.customer_id,
        title=body.title,
        body=body.body,
        signers=[Signer(signer.user_id, signer.position) for signer in body.signers],
        in_order=load_signing_policy(http.session()).in_order if body.in_order is None else body.in_order,
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        locale=body.locale,
    )


def _answer(contract_id: UUID) -> StaffContract:
    return StaffContract.of(get_detail(http.session(), contract_id, actor=http.actor()))
