"""Contracts of a customer: the list, reading, signing or declining, and the signed copy (H6.8, H6.9)."""

from uuid import UUID

from flask import Blueprint, flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import ask_for_proof, has_fresh_proof
from portal.blueprints.contracts.presenters import detail_view, row_view, send_pdf
from portal.blueprints.contracts.signing_tools import circumstances, storage
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.lib.paging import DEFAULT_LIMIT
from portal.lib.wording.errors import error_text
from portal.models import ContractStatus
from portal.services.contracts.document import read_document
from portal.services.contracts.queries import RECORD, get_contract, get_detail, list_contracts, note_reading
from portal.services.contracts.signing import decline_contract, sign_contract
from portal.services.sealing.checking import find_sealed, read_sealed
from portal.services.signing.policy import load_signing_policy
from portal.services.signing.signing import GivenSignature

bp = Blueprint("contracts", __name__, url_prefix="/portal/contracts")
STATES = {"sent": ContractStatus.SENT, "signed": ContractStatus.SIGNED, "void": ContractStatus.VOID}


@bp.get("")
@permission(Permission.CONTRACTS_READ)
def index() -> ResponseReturnValue:
    """The company's contracts, newest first."""
    state = request.args.get("status", "")
    try:
        page = list_contracts(
            http.session(),
            status=STATES.get(state),
            limit=DEFAULT_LIMIT,
            cursor=request.args.get("cursor"),
            actor=http.actor(),
        )
    except Invalid:
        return http.see_other("contracts.index")
    labels = (
        ("", gettext("All")),
        ("sent", gettext("To be signed")),
        ("signed", gettext("Signed")),
        ("void", gettext("Void")),
    )
    tabs = [
        {
            "label": label,
            "url": http.address_of("contracts.index", **({"status": key} if key else {})),
            "current": key == (state if state in STATES else ""),
        }
        for key, label in labels
    ]
    return render_template(
        "contracts/index.html", rows=[row_view(row) for row in page.items], page=page, tab_items=tabs, state=state
    )


@bp.get("/<uuid:contract_id>")
@permission(Permission.CONTRACTS_READ)
def detail(contract_id: UUID) -> ResponseReturnValue:
    """A contract to read and, for those whose turn it is, to sign."""
    found = get_detail(http.session(), contract_id, actor=http.actor())
    if note_reading(http.session(), found, now=http.now()):
        http.commit()
    return _page(contract_id)


@bp.post("/<uuid:contract_id>/sign")
@permission(Permission.CONTRACTS_SIGN)
def sign(contract_id: UUID) -> ResponseReturnValue:
    """Sign what was read."""
    if load_signing_policy(http.session()).step_up and not has_fresh_proof():
        return ask_for_proof()
    given = GivenSignature(
        signer_name=request.form.get("signer_name", ""),
        content_sha256=request.form.get("content_sha256", ""),
        consent=request.form.get("consent") == "1",
        drawing=request.form.get("signature", ""),
        locale=current_locale(),
        consent_version=request.form.get("consent_version", ""),
    )
    try:
        sign_contract(
            http.session(),
            contract_id,
            given,
            circumstances=circumstances(),
            storage=storage(),
            actor=http.actor(),
            now=http.now(),
        )
    except (Invalid, Conflict) as error:
        return _page(contract_id, error)
    http.commit()
    flash(gettext("Signed. The sealed copy follows by mail."), "ok")
    return http.see_other("contracts.detail", contract_id=contract_id)


@bp.route("/<uuid:contract_id>/decline", methods=["GET", "POST"])
@permission(Permission.CONTRACTS_SIGN)
def decline(contract_id: UUID) -> ResponseReturnValue:
    """Say no, with a reason."""
    if request.method != "POST":
        return _question(contract_id)
    reason = request.form.get("reason", "")
    try:
        decline_contract(
            http.session(), contract_id, reason, circumstances=circumstances(), actor=http.actor(), now=http.now()
        )
    except (Invalid, Conflict) as error:
        return _question(contract_id, error)
    http.commit()
    flash(gettext("Declined. Everybody who takes part is told."), "ok")
    return http.see_other("contracts.detail", contract_id=contract_id)


@bp.get("/<uuid:contract_id>/document.pdf")
@permission(Permission.CONTRACTS_READ)
def document(contract_id: UUID) -> ResponseReturnValue:
    """The very document that is signed."""
    contract = get_contract(http.session(), contract_id, actor=http.actor())
    content = read_document(contract, storage=storage())
    return send_pdf(content, contract.number, framed=request.args.get("download") != "1")


@bp.get("/<uuid:contract_id>/signed.pdf")
@permission(Permission.CONTRACTS_READ)
def signed(contract_id: UUID) -> ResponseReturnValue:
    """The signed copy with its evidence, sealed."""
    contract = get_contract(http.session(), contract_id, actor=http.actor())
    row = find_sealed(http.session(), RECORD, contract.id)
    return send_pdf(read_sealed(row, storage()), f"{contract.number}-signed")


def _page(contract_id: UUID, error: Invalid | Conflict | None = None) -> ResponseReturnValue:
    """The contract, with what is wrong about what was sent."""
    if error is not None:
        http.session().rollback()
    found = get_detail(http.session(), contract_id, actor=http.actor())
    page = render_template(
        "contracts/detail.html",
        shown=detail_view(found),
        may_sign=found.can_sign and http.actor().may(Permission.CONTRACTS_SIGN),
        form=request.form,
        errors=error_texts(error),
        field_errors=_by_field(error),
    )
    return page, status_of(error)


def _question(contract_id: UUID, error: Invalid | Conflict | None = None) -> ResponseReturnValue:
    if error is not None:
        http.session().rollback()
    contract = get_contract(http.session(), contract_id, actor=http.actor())
    page = render_template(
        "contracts/decline.html",
        contract=contract,
        reason=request.form.get("reason", ""),
        errors=error_texts(error),
        field_errors=_by_field(error),
    )
    return page, status_of(error)


def error_texts(error: Invalid | Conflict | None) -> list[tuple[str, str]]:
    """(field, text) of what is wrong; a conflict is about no field."""
    if error is None:
        return []
    if isinstance(error, Invalid):
        return [(item.field, error_text(item.code, dict(item.params), gettext)) for item in error.errors]
    return [("", error_text(error.code, error.params, gettext))]


def _by_field(error: Invalid | Conflict | None) -> dict[str, list[str]]:
    return {field: [text] for field, text in error_texts(error)}


def status_of(error: Invalid | Conflict | None) -> int:
    """The page's HTTP status."""
    if error is None:
        return 200
    return 409 if isinstance(error, Conflict) else 422
