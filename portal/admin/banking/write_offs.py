"""Write-offs of one invoice: asked for, agreed to by a second person above the tenant's limit."""

from collections.abc import Mapping
from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.banking.tabs import money_tabs
from portal.admin.base import ServiceView, route
from portal.admin.billing.reading import read_amount, refusals
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.banking.presenters import write_off_view, write_off_views
from portal.blueprints.billing.presenters import money
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid, invalid
from portal.lib.wording.errors import error_text
from portal.models import WriteOffStatus
from portal.services.billing.queries import get_invoice
from portal.services.payments.write_offs import (
    WriteOffRequest,
    decide_write_off,
    get_write_off,
    list_waiting,
    list_write_offs,
    request_reversal,
    request_write_off,
)


class WriteOffsView(ServiceView):
    """What was given up of an invoice, as a page and as a part of the invoice's own."""

    policy = Permission.BILLING_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """What waits for a second person."""
        rows = list_waiting(http.session(), actor=http.actor())
        return self.render(
            "admin/banking/waiting.html",
            tab_items=money_tabs("write_offs"),
            rows=[
                write_off_view(row.write_off)
                | {"number": row.number, "company": row.company_name, "invoice_id": row.write_off.invoice_id}
                for row in rows
            ],
        )

    @route("/of/<uuid:invoice_id>")
    def invoice(self, invoice_id: UUID) -> ResponseReturnValue:
        """The write-offs of an invoice, and the form for another."""
        return self._page(invoice_id)

    def _page(self, invoice_id: UUID, errors: Mapping[str, list[str]] | None = None, problem: str = "") -> str:
        session, actor = http.session(), http.actor()
        invoice = get_invoice(session, invoice_id, actor=actor)
        page = "admin/banking/_write_offs.html" if http.wants_fragment() else "admin/banking/write_offs.html"
        return self.render(
            page,
            invoice=invoice,
            outstanding=money(invoice.outstanding, invoice.currency),
            can_ask=invoice.outstanding > 0 and invoice.number is not None,
            rows=write_off_views(list_write_offs(session, invoice_id, actor=actor)),
            me=actor.user_id,
            errors=errors or {},
            problem=problem,
            form=request.form,
        )

    @route("/of/<uuid:invoice_id>", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def ask(self, invoice_id: UUID) -> ResponseReturnValue:
        """Give up what is owed, or ask a colleague to agree."""
        try:
            made = request_write_off(
                http.session(), invoice_id, self._wanted(invoice_id), actor=http.actor(), now=http.now()
            )
            http.commit()
        except (Invalid, Conflict) as error:
            return self._refused(invoice_id, error)
        waits = made.status is WriteOffStatus.REQUESTED
        flash(gettext("A colleague has to agree") if waits else gettext("Written off"), "ok")
        return http.see_other("staff_invoices.detail", invoice_id=invoice_id)

    @route("/<uuid:write_off_id>/decide", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def decide(self, write_off_id: UUID) -> ResponseReturnValue:
        """Agree to a colleague's write-off, or refuse it."""
        approve = request.form.get("approve") == "1"
        found = get_write_off(http.session(), write_off_id, actor=http.actor())
        invoice_id, reversal = found.invoice_id, found.reverses_id is not None
        try:
            decide_write_off(http.session(), write_off_id, approve=approve, actor=http.actor(), now=http.now())
            http.commit()
        except Conflict as error:
            return self._refused(invoice_id, error)
        refused = gettext("Refused") if reversal else gettext("Write-off refused")
        done = gettext("Write-off taken back") if reversal else gettext("Written off")
        flash(done if approve else refused, "ok")
        return http.see_other("staff_invoices.detail", invoice_id=invoice_id)

    @route("/<uuid:write_off_id>/reverse", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def reverse(self, write_off_id: UUID) -> ResponseReturnValue:
        """Have it owed again, or ask a colleague to agree."""
        invoice_id = get_write_off(http.session(), write_off_id, actor=http.actor()).invoice_id
        reason = request.form.get("reversal_reason", "")
        try:
            made = request_reversal(http.session(), write_off_id, reason=reason, actor=http.actor(), now=http.now())
            http.commit()
        except Conflict as error:
            return self._refused(invoice_id, error)
        except Invalid as error:
            http.session().rollback()
            texts = refusals(error).get("reason", [])
            return self._page(invoice_id, {f"reversal-{write_off_id}": texts}), 422
        waits = made.status is WriteOffStatus.REQUESTED
        flash(gettext("A colleague has to agree") if waits else gettext("Write-off taken back"), "ok")
        return http.see_other("staff_invoices.detail", invoice_id=invoice_id)

    def _refused(self, invoice_id: UUID, error: Invalid | Conflict) -> ResponseReturnValue:
        http.session().rollback()
        if isinstance(error, Conflict):
            return self._page(invoice_id, problem=error_text(error.code, error.params, gettext)), 409
        return self._page(invoice_id, refusals(error)), 422

    @staticmethod
    def _wanted(invoice_id: UUID) -> WriteOffRequest:
        invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
        typed = request.form.get("amount", "").strip()
        amount = read_amount(typed, invoice.currency) if typed else None
        if typed and amount is None:
            raise invalid("amount", "amount_invalid")
        return WriteOffRequest(request.form.get("reason", ""), amount)
