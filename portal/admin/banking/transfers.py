"""Transfers: the queue of those to match, a match and its undoing."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.banking.tabs import money_tabs
from portal.admin.base import SEARCH_LENGTH, ServiceView, route
from portal.admin.billing.reading import read_amount, read_id, refusals, write_amount
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.banking import presenters
from portal.blueprints.localisation import gettext, ngettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, DomainError, FieldError, Invalid, NotFound
from portal.lib.wording.banking import STATUS
from portal.lib.wording.errors import error_text
from portal.models import UNPAID, BankTransaction, TransferStatus
from portal.services.banking.matching import MatchRequest, match_transfer, set_aside, take_back, undo_match
from portal.services.banking.queries import (
    TransferDetail,
    TransferFilter,
    count_waiting,
    get_transfer,
    list_statements,
    list_transfers,
)
from portal.services.banking.suggesting import Candidate, OpenInvoice, suggest_matches
from portal.services.billing.customers import find_customer
from portal.services.billing.queries import InvoiceFilter, list_invoices

MOST_CONFIRMED = 25
FOUND = 10


class TransfersView(ServiceView):
    """The queue, one transfer, and what is done with it."""

    policy = Permission.BILLING_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """The queue; everything about it is in the address."""
        return self._queue()

    def _queue(self, problem: str = "") -> ResponseReturnValue:
        session, actor = http.session(), http.actor()
        status = request.args.get("status", "unmatched")
        words = request.args.get("q", "").strip()[:SEARCH_LENGTH]
        wanted = TransferFilter(
            status=TransferStatus(status) if status in STATUS else None,
            statement_id=read_id(request.args.get("statement_id")),
            q=words,
            cursor=request.args.get("cursor", "")[:300] or None,
        )
        try:
            page = list_transfers(session, wanted, actor=actor)
        except Invalid:
            return http.see_other("bank_transfers.index")
        open_ones = [one for one in page.items if one.status is TransferStatus.UNMATCHED]
        suggested = suggest_matches(session, open_ones, actor=actor)
        return self.render(
            "admin/banking/transfers.html",
            tab_items=money_tabs("bank_transfers"),
            state_items=_state_tabs(status, count_waiting(session, actor=actor)),
            rows=[presenters.transfer_view(one, suggested.get(one.id)) for one in page.items],
            page=page,
            q=words,
            status=status,
            statements=list_statements(session, actor=actor, limit=5),
            problem=problem,
        )

    @route("/confirm", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def confirm(self) -> ResponseReturnValue:
        """Book the suggestions that were ticked as they were shown, each for itself."""
        done, refused = 0, 0
        for value in request.form.getlist("confirm")[:MOST_CONFIRMED]:
            try:
                transfer_id, amounts = _read_confirmed(value)
                self._match(transfer_id, MatchRequest(amounts))
                http.commit()
                done += 1
            except (DomainError, ValueError):
                http.session().rollback()
                refused += 1
        if done:
            flash(ngettext("%(num)d transfer booked", "%(num)d transfers booked", done), "ok")
        if refused:
            text = ngettext(
                "%(num)d transfer was not booked: it, or its invoice, has changed meanwhile",
                "%(num)d transfers were not booked: they, or their invoices, have changed meanwhile",
                refused,
            )
            flash(text, "err")
        return http.see_other("bank_transfers.index")

    @route("/<uuid:transfer_id>")
    def detail(self, transfer_id: UUID) -> ResponseReturnValue:
        """One transfer: what is suggested for it, or what it was matched with."""
        return self._page(transfer_id)

    @route("/<uuid:transfer_id>/match", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def match(self, transfer_id: UUID) -> ResponseReturnValue:
        """Book it for the invoices that have an amount, or as a customer's credit."""
        try:
            found = get_transfer(http.session(), transfer_id, actor=http.actor())
            made = self._match(transfer_id, self._wanted(found.transfer))
            http.commit()
        except (Invalid, Conflict) as error:
            return self._refused(transfer_id, error)
        flash(gettext("Transfer booked"), "ok")
        return http.see_other("staff_payments.details_view", id=made.payment_id)

    def _match(self, transfer_id: UUID, wanted: MatchRequest) -> Any:
        return match_transfer(
            http.session(),
            transfer_id,
            wanted,
            base_url=http.settings().base_url,
            actor=http.actor(),
            now=http.now(),
        )

    @route("/<uuid:transfer_id>/undo", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def undo(self, transfer_id: UUID) -> ResponseReturnValue:
        """Take a match back."""
        try:
            undo_match(
                http.session(),
                transfer_id,
                request.form.get("reason", ""),
                base_url=http.settings().base_url,
                actor=http.actor(),
                now=http.now(),
            )
            http.commit()
        except (Invalid, Conflict) as error:
            return self._refused(transfer_id, error)
        flash(gettext("The match is undone, and its invoices are open again"), "ok")
        return http.see_other("bank_transfers.detail", transfer_id=transfer_id)

    @route("/<uuid:transfer_id>/set-aside", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def set_aside(self, transfer_id: UUID) -> ResponseReturnValue:
        """It is no customer's payment."""
        try:
            note = request.form.get("note", "")
            set_aside(http.session(), transfer_id, note, actor=http.actor(), now=http.now())
            http.commit()
        except (Invalid, Conflict) as error:
            return self._refused(transfer_id, error, {"reason": "note"})
        flash(gettext("Transfer set aside"), "ok")
        return http.see_other("bank_transfers.index")

    @route("/<uuid:transfer_id>/take-back", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def take_back(self, transfer_id: UUID) -> ResponseReturnValue:
        """It waits to be matched again."""
        try:
            take_back(http.session(), transfer_id, actor=http.actor(), now=http.now())
            http.commit()
        except Conflict as error:
            return self._refused(transfer_id, error)
        return http.see_other("bank_transfers.detail", transfer_id=transfer_id)

    def _refused(
        self, transfer_id: UUID, error: Invalid | Conflict, names: Mapping[str, str] | None = None
    ) -> ResponseReturnValue:
        http.session().rollback()
        if isinstance(error, Conflict):
            return self._page(transfer_id, problem=error_text(error.code, error.params, gettext)), 409
        errors = {(names or {}).get(name, name): texts for name, texts in refusals(error).items()}
        return self._page(transfer_id, errors), 422

    def _page(self, transfer_id: UUID, errors: Mapping[str, list[str]] | None = None, problem: str = "") -> str:
        found = get_transfer(http.session(), transfer_id, actor=http.actor())
        words = request.args.get("q", "").strip()[:SEARCH_LENGTH]
        candidates = self._candidates(found, words)
        currency = found.transfer.currency
        return self.render(
            "admin/banking/transfer.html",
            transfer=presenters.transfer_view(found.transfer),
            standing=presenters.match_view(found.standing) if found.standing else None,
            undone=[presenters.match_view(row) for row in found.matches if row.match.undone_at],
            candidates=[presenters.candidate_view(one) | {"typed": self._typed(one, currency)} for one in candidates],
            q=words,
            errors=errors or {},
            problems=[
                ("", text) for name, texts in (errors or {}).items() if name not in ("note", "reason") for text in texts
            ],
            problem=problem,
            form=request.form,
        )

    @staticmethod
    def _typed(one: Candidate, currency: str) -> str:
        """The amount in its field: what was typed, else what is suggested."""
        suggested = write_amount(one.part, currency) if one.part else ""
        return request.form.get(f"amount-{one.invoice.id}", suggested)

    @staticmethod
    def _candidates(found: TransferDetail, words: str) -> list[Candidate]:
        """What is suggested, and behind it what a search found besides."""
        if found.transfer.status is not TransferStatus.UNMATCHED:
            return []
        session, actor, transfer = http.session(), http.actor(), found.transfer
        suggested = list(suggest_matches(session, [transfer], actor=actor)[transfer.id].candidates)
        if not words:
            return suggested
        known = {one.invoice.id for one in suggested}
        wanted = InvoiceFilter(status=tuple(UNPAID), q=words, limit=FOUND)
        rows = [row for row in list_invoices(session, wanted, actor=actor).items if row.id not in known]
        others = [
            OpenInvoice(
                row.id,
                row.number,
                row.currency,
                row.outstanding,
                row.due_on,
                row.customer_id,
                row.company_name,
                "",
            )
            for row in rows
            if row.currency == transfer.currency
        ]
        return [*suggested, *(Candidate(one, 0, ()) for one in others)]

    @staticmethod
    def _wanted(transfer: BankTransaction) -> MatchRequest:
        """The amounts that were typed beside invoices; without any, the customer whose credit it becomes."""
        amounts: dict[UUID, int | None] = {}
        errors = []
        for name, typed in request.form.items():
            invoice_id = read_id(name.removeprefix("amount-")) if name.startswith("amount-") else None
            if invoice_id is None or not typed.strip():
                continue
            amounts[invoice_id] = read_amount(typed, transfer.currency)
            if amounts[invoice_id] is None:
                errors.append(FieldError("amount", "amount_invalid"))
        customer = None
        if not amounts and (named := request.form.get("customer", "").strip()):
            customer = find_customer(http.session(), named, actor=http.actor())
            if customer is None:
                errors.append(FieldError("customer", "unknown_customer"))
        if errors:
            raise Invalid(*errors[:1])
        return MatchRequest(amounts, customer.id if customer else None)


def _read_confirmed(value: str) -> tuple[UUID, dict[UUID, int | None]]:
    """A ticked suggestion: transfer and amounts. Raises ValueError, and NotFound where it names nothing."""
    transfer, _, parts = value[:4000].partition(":")
    amounts: dict[UUID, int | None] = {}
    for part in filter(None, parts.split(",")):
        invoice, _, amount = part.partition("=")
        amounts[UUID(invoice)] = int(amount)
    if not amounts:
        raise NotFound("invoice")
    return UUID(transfer), amounts


def _state_tabs(current: str, waiting: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = [
        {
            "label": gettext(label),
            "url": http.address_of("bank_transfers.index", status=name),
            "current": name == current,
        }
        for name, label in STATUS.items()
    ]
    items[0]["count"] = waiting
    return [
        *items,
        {
            "label": gettext("All"),
            "url": http.address_of("bank_transfers.index", status="all"),
            "current": current not in STATUS,
        },
    ]
