"""Contracts: the list, the draft, sending, countersigning, reminding, voiding."""

from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.contracts.forms import TypedDraft, empty_draft, shown_signers
from portal.admin.tickets.refusals import Refusal, by_field, status_of, texts_of
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import ask_for_proof, has_fresh_proof
from portal.blueprints.chrome import native_name
from portal.blueprints.contracts.presenters import detail_view, row_view, send_pdf
from portal.blueprints.contracts.signing_tools import circumstances, storage
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.lib.paging import DEFAULT_LIMIT
from portal.lib.wording.signing import CONTRACT_STATUS
from portal.models import ContractStatus
from portal.services.contracts.document import draw_contract, read_document
from portal.services.contracts.drafting import change_contract, create_contract
from portal.services.contracts.people import list_customers, list_signers
from portal.services.contracts.queries import RECORD, get_contract, get_detail, list_contracts
from portal.services.contracts.sending import remind_now, send_contract, void_contract
from portal.services.contracts.signing import sign_contract
from portal.services.sealing.checking import find_sealed, read_sealed
from portal.services.signing.policy import load_signing_policy
from portal.services.signing.signing import GivenSignature


class ContractsView(ServiceView):
    """Contracts of every customer."""

    policy = Permission.CONTRACTS_SEE

    @route("/")
    def index(self) -> ResponseReturnValue:
        """The list, newest first."""
        state = request.args.get("status", "")
        status = ContractStatus(state) if state in CONTRACT_STATUS else None
        try:
            page = list_contracts(
                http.session(),
                status=status,
                limit=DEFAULT_LIMIT,
                cursor=request.args.get("cursor"),
                actor=http.actor(),
            )
        except Invalid:
            return http.see_other("staff_contracts.index")
        labels = [("", gettext("All")), *((key, gettext(label)) for key, label in CONTRACT_STATUS.items())]
        tabs = [
            {
                "label": label,
                "url": http.address_of("staff_contracts.index", **({"status": key} if key else {})),
                "current": key == (state if status else ""),
            }
            for key, label in labels
        ]
        rows = [row_view(row) for row in page.items]
        return self.render("admin/contracts/index.html", rows=rows, page=page, tab_items=tabs, state=state)

    @route("/new", methods=("GET", "POST"))
    @permission(Permission.CONTRACTS_MANAGE)
    def new(self) -> ResponseReturnValue:
        """Begin a contract: the customer first, whose people then can be chosen."""
        if request.method != "POST":
            chosen = request.args.get("customer_id", "")
            in_order = load_signing_policy(http.session()).in_order
            return self._form(empty_draft(chosen, http.tenant().locale, in_order=in_order), None)
        typed = TypedDraft.of_form(request.form)
        try:
            contract = create_contract(http.session(), typed.read(), actor=http.actor(), now=http.now())
        except Invalid as error:
            return self._form(typed, None, error)
        http.commit()
        flash(gettext("Draft saved"), "ok")
        return http.see_other("staff_contracts.detail", contract_id=contract.id)

    @route("/<uuid:contract_id>/edit", methods=("GET", "POST"))
    @permission(Permission.CONTRACTS_MANAGE)
    def edit(self, contract_id: UUID) -> ResponseReturnValue:
        """Write a draft anew."""
        found = get_detail(http.session(), contract_id, actor=http.actor())
        if request.method != "POST":
            return self._form(TypedDraft.of_contract(found.contract, found.places), contract_id)
        typed = TypedDraft.of_form(request.form)
        try:
            change_contract(http.session(), contract_id, typed.read(), actor=http.actor(), now=http.now())
        except (Invalid, Conflict) as error:
            return self._form(typed, contract_id, error)
        http.commit()
        flash(gettext("Draft saved"), "ok")
        return http.see_other("staff_contracts.detail", contract_id=contract_id)

    @route("/<uuid:contract_id>")
    def detail(self, contract_id: UUID) -> ResponseReturnValue:
        """A contract with its evidence."""
        return self._page(contract_id)

    @route("/<uuid:contract_id>/send", methods=("POST",))
    @permission(Permission.CONTRACTS_MANAGE)
    def send(self, contract_id: UUID) -> ResponseReturnValue:
        """Freeze the document and ask its signers."""
        try:
            send_contract(http.session(), contract_id, storage=storage(), actor=http.actor(), now=http.now())
        except Conflict as error:
            return self._page(contract_id, error)
        return self._done(contract_id, gettext("Sent. Its signers are asked by mail."))

    @route("/<uuid:contract_id>/remind", methods=("POST",))
    @permission(Permission.CONTRACTS_MANAGE)
    def remind(self, contract_id: UUID) -> ResponseReturnValue:
        """Ask those whose turn it is once more."""
        try:
            remind_now(http.session(), contract_id, actor=http.actor(), now=http.now())
        except Conflict as error:
            return self._page(contract_id, error)
        return self._done(contract_id, gettext("A reminder is on its way"))

    @route("/<uuid:contract_id>/void", methods=("POST",))
    @permission(Permission.CONTRACTS_MANAGE)
    def void(self, contract_id: UUID) -> ResponseReturnValue:
        """Take it back, with a reason."""
        try:
            void_contract(
                http.session(), contract_id, request.form.get("reason", ""), actor=http.actor(), now=http.now()
            )
        except (Invalid, Conflict) as error:
            return self._page(contract_id, error)
        return self._done(contract_id, gettext("The contract is void"))

    @route("/<uuid:contract_id>/sign", methods=("POST",))
    @permission(Permission.CONTRACTS_MANAGE)
    def sign(self, contract_id: UUID) -> ResponseReturnValue:
        """Countersign."""
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
            return self._page(contract_id, error)
        return self._done(contract_id, gettext("Signed"))

    @route("/<uuid:contract_id>/document.pdf")
    def document(self, contract_id: UUID) -> ResponseReturnValue:
        """The frozen document; of a draft a proof of what it will be."""
        contract = get_contract(http.session(), contract_id, actor=http.actor())
        if contract.document_key is None:
            return send_pdf(draw_contract(http.session(), contract, now=http.now()), contract.number, framed=True)
        return send_pdf(read_document(contract, storage=storage()), contract.number, framed=True)

    @route("/<uuid:contract_id>/signed.pdf")
    def signed(self, contract_id: UUID) -> ResponseReturnValue:
        """The signed copy, sealed."""
        contract = get_contract(http.session(), contract_id, actor=http.actor())
        row = find_sealed(http.session(), RECORD, contract.id)
        return send_pdf(read_sealed(row, storage()), f"{contract.number}-signed")

    def _done(self, contract_id: UUID, told: str) -> ResponseReturnValue:
        http.commit()
        flash(told, "ok")
        return http.see_other("staff_contracts.detail", contract_id=contract_id)

    def _page(self, contract_id: UUID, error: Refusal | None = None) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        found = get_detail(http.session(), contract_id, actor=http.actor())
        page = self.render(
            "admin/contracts/detail.html",
            shown=detail_view(found),
            form=request.form,
            errors=texts_of(error),
            field_errors=by_field(error),
        )
        return page, status_of(error)

    def _form(self, typed: TypedDraft, contract_id: UUID | None, error: Refusal | None = None) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        customers = [(str(key), name) for key, name in list_customers(http.session(), actor=http.actor())]
        known = typed.customer_id in dict(customers)
        people = list_signers(http.session(), UUID(typed.customer_id), actor=http.actor()) if known else []
        team = gettext("Our team")
        choices = [(str(key), f"{name} · {team}" if staff else name) for key, name, staff in people]
        page = self.render(
            "admin/contracts/form.html",
            typed=typed,
            known=known,
            contract_id=contract_id,
            customers=[("", gettext("Choose a customer")), *customers],
            choices=[("", gettext("Nobody")), *choices],
            signers=shown_signers(typed),
            languages=[(code, native_name(code)) for code in http.tenant().locales],
            errors=texts_of(error),
            field_errors=by_field(error),
        )
        return page, status_of(error)
