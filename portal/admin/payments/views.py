"""Payments in the back office: what came, what failed by auto-pay, and refunds with a second pair of eyes."""

from typing import Any, ClassVar
from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from portal.admin.base import ServiceModelView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts
from portal.blueprints.localisation import gettext
from portal.blueprints.payments.presenters import money, present_payment
from portal.blueprints.payments.receipt import send_receipt
from portal.blueprints.payments.refunding import send_if_approved
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid, invalid
from portal.lib.money import Money, parse_amount
from portal.lib.wording.payments import STATUS
from portal.models import Payment, PaymentStatus
from portal.services.payments.queries import PaymentFilter, list_payments, read_payment
from portal.services.payments.refunds import RefundRequest, decide_refund, refundable, request_refund


class PaymentsView(ServiceModelView):
    """Every payment of the tenant."""

    policy = Permission.BILLING_READ
    helpers: ClassVar[dict[str, Any]] = {"present_payment": present_payment}
    routes = frozenset({"index_view", "details_view", "refund_view", "decide_view", "receipt_view"})
    record = "payment"
    columns = (("number", lazy_gettext("Number")), ("amount", lazy_gettext("Amount")))
    column_searchable_list = ("number",)
    list_template = "admin/payments/list.html"
    details_template = "admin/payments/detail.html"

    def __init__(self) -> None:
        super().__init__(Payment, lazy_gettext("Payments"), "staff_payments", "payments")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[Any]:
        """Payments, the newest first."""
        status = request.args.get("status", "")
        statuses = (PaymentStatus(status),) if status in STATUS else ()
        wanted = PaymentFilter(statuses=statuses, search=search)
        return list_payments(http.session(), wanted=wanted, actor=http.actor(), limit=limit, offset=offset)

    def find_one(self, record_id: UUID) -> Any:
        """One payment with its invoices and refunds."""
        return read_payment(http.session(), record_id, actor=http.actor())

    @route("/details/")
    def details_view(self) -> ResponseReturnValue:
        """A payment's own page."""
        return self._page(self.get_one(request.args.get("id")))

    @route("/<uuid:payment_id>/receipt")
    def receipt_view(self, payment_id: UUID) -> ResponseReturnValue:
        """The receipt as PDF."""
        return send_receipt(self.find_one(payment_id))

    @route("/<uuid:payment_id>/refund", methods=("POST",))
    @permission(Permission.REFUNDS_MANAGE)
    def refund_view(self, payment_id: UUID) -> ResponseReturnValue:
        """Send money back, or ask a colleague to agree."""
        try:
            made = request_refund(
                http.session(),
                payment_id,
                self._wanted(payment_id),
                base_url=http.settings().base_url,
                actor=http.actor(),
                now=http.now(),
            )
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            page = self._page(self.find_one(payment_id), errors=refusal_texts(error, "amount"))
            return page, 422 if isinstance(error, Invalid) else 409
        send_if_approved(made)
        waits = made.status.value == "requested"
        flash(gettext("A colleague has to agree") if waits else gettext("Refund sent"), "ok")
        return http.see_other("staff_payments.details_view", id=payment_id)

    @route("/refunds/<uuid:refund_id>/decide", methods=("POST",))
    @permission(Permission.REFUNDS_MANAGE)
    def decide_view(self, refund_id: UUID) -> ResponseReturnValue:
        """Agree to a colleague's refund, or refuse it."""
        approve = request.form.get("approve") == "1"
        refund = decide_refund(http.session(), refund_id, approve=approve, actor=http.actor(), now=http.now())
        http.commit()
        send_if_approved(refund)
        flash(gettext("Refund sent") if approve else gettext("Refund refused"), "ok")
        return http.see_other("staff_payments.details_view", id=refund.payment_id)

    def _wanted(self, payment_id: UUID) -> RefundRequest:
        payment = self.find_one(payment_id).payment
        text = request.form.get("amount", "").strip()
        try:
            amount = parse_amount(text.replace(",", "."), payment.currency).amount if text else None
        except ValueError:
            raise invalid("amount", "amount_invalid") from None
        return RefundRequest(request.form.get("reason", ""), amount)

    def _page(self, row: Any, errors: dict[str, str] | None = None) -> str:
        payment = row.payment
        left = refundable(http.session(), payment) if payment.status is PaymentStatus.SUCCEEDED else 0
        return self.render(
            self.details_template,
            model=row,
            payment=present_payment(row, staff=True),
            left=left,
            left_text=money(left, payment.currency),
            plain_left=str(Money(max(left, 0), payment.currency).decimal),
            form=request.form,
            errors=errors or {},
            me=http.actor().user_id,
        )
