"""Contracts under /api/v1/portal/contracts: read, sign, decline, and the documents (API-04)."""

from uuid import UUID

from flask import Blueprint, Response

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import prove_again
from portal.blueprints.api.operations import operation
from portal.blueprints.contracts.presenters import PDF, send_pdf
from portal.blueprints.contracts.schemas import (
    ContractAnswer,
    ContractItem,
    Contracts,
    ContractsQuery,
    DeclineRequest,
    SignRequest,
)
from portal.blueprints.contracts.signing_tools import circumstances, storage
from portal.blueprints.localisation import current_locale
from portal.blueprints.policies import permission
from portal.models import ContractStatus
from portal.services.contracts.document import read_document
from portal.services.contracts.queries import RECORD, get_contract, get_detail, list_contracts, note_reading
from portal.services.contracts.signing import decline_contract, sign_contract
from portal.services.sealing.checking import find_sealed, read_sealed
from portal.services.signing.policy import load_signing_policy
from portal.services.signing.signing import GivenSignature

bp = Blueprint("contracts_api", __name__, url_prefix="/api/v1/portal/contracts")
DECIDED = "It was signed already, waits for others first, is void, or has changed since it was read."


@bp.get("")
@permission(Permission.CONTRACTS_READ)
@operation("List contracts", query=ContractsQuery, answer=Contracts)
def index(query: ContractsQuery) -> Contracts:
    """Your company's contracts, newest first; drafts are not among them."""
    page = list_contracts(
        http.session(),
        status=ContractStatus(query.status) if query.status else None,
        limit=query.limit,
        cursor=query.cursor,
        actor=http.actor(),
    )
    return Contracts(items=[ContractItem.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.get("/<uuid:contract_id>")
@permission(Permission.CONTRACTS_READ)
@operation("Read a contract", answer=ContractAnswer)
def detail(contract_id: UUID) -> ContractAnswer:
    """A contract with its text and those who sign it."""
    found = get_detail(http.session(), contract_id, actor=http.actor())
    if note_reading(http.session(), found, now=http.now()):
        http.commit()
    return ContractAnswer.of(found)


@bp.post("/<uuid:contract_id>/sign")
@permission(Permission.CONTRACTS_SIGN)
@operation("Sign a contract", body=SignRequest, answer=ContractAnswer, conflicts=DECIDED)
def sign(contract_id: UUID, body: SignRequest) -> ContractAnswer:
    """Signs once, with the hash of what was read; the sealed copy is ready soon after the last signature."""
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
    return ContractAnswer.of(get_detail(http.session(), contract_id, actor=http.actor()))


@bp.post("/<uuid:contract_id>/decline")
@permission(Permission.CONTRACTS_SIGN)
@operation("Decline a contract", body=DeclineRequest, answer=ContractAnswer, conflicts=DECIDED)
def decline(contract_id: UUID, body: DeclineRequest) -> ContractAnswer:
    """Says no with a reason; the contract is void by that."""
    decline_contract(
        http.session(), contract_id, body.reason, circumstances=circumstances(), actor=http.actor(), now=http.now()
    )
    return ContractAnswer.of(get_detail(http.session(), contract_id, actor=http.actor()))


@bp.get("/<uuid:contract_id>/pdf")
@permission(Permission.CONTRACTS_READ)
@operation("Download the document of a contract", answer=None, media=(PDF,))
def document(contract_id: UUID) -> Response:
    """The very document that is signed; `content_sha256` is its hash."""
    contract = get_contract(http.session(), contract_id, actor=http.actor())
    return send_pdf(read_document(contract, storage=storage()), contract.number)


@bp.get("/<uuid:contract_id>/signed.pdf")
@permission(Permission.CONTRACTS_READ)
@operation(
    "Download the signed copy of a contract",
    answer=None,
    media=(PDF,),
    conflicts="Not everybody has signed yet, or it is being sealed (`seal_pending`, with `Retry-After`).",
)
def signed(contract_id: UUID) -> Response:
    """The document with the evidence of its signatures, sealed."""
    contract = get_contract(http.session(), contract_id, actor=http.actor())
    row = find_sealed(http.session(), RECORD, contract.id)
    return send_pdf(read_sealed(row, storage()), f"{contract.number}-signed")
