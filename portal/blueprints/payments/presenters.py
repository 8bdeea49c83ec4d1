"""Payments and methods as pages show them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_day, format_moment, gettext
from portal.lib.money_format import format_amount
from portal.lib.pay_methods import PayMethod
from portal.lib.wording.disputes import CHARGEBACK_FOR_CUSTOMERS, CHARGEBACK_LOOKS, CHARGEBACK_STATE
from portal.lib.wording.pay_methods import ABOUT, NAME
from portal.lib.wording.payments import KIND, REFUND_STATUS, STATUS, failure_text, method_text
from portal.models import Payment, PaymentMethod, PaymentStatus, RefundStatus
from portal.services.payments.queries import PaymentRow

BADGES = {
    PaymentStatus.CREATED: ("warn", "half"),
    PaymentStatus.OPEN: ("warn", "ring"),
    PaymentStatus.REQUIRES_ACTION: ("warn", "hold"),
    PaymentStatus.PROCESSING: ("warn", "half"),
    PaymentStatus.SUCCEEDED: ("ok", "check"),
    PaymentStatus.FAILED: ("err", "failed"),
    PaymentStatus.CANCELLED: ("neutral", "minus"),
}
REFUND_BADGES = {
    RefundStatus.REQUESTED: ("warn", "hold"),
    RefundStatus.APPROVED: ("warn", "half"),
    RefundStatus.PENDING: ("warn", "half"),
    RefundStatus.SUCCEEDED: ("ok", "check"),
    RefundStatus.FAILED: ("err", "failed"),
    RefundStatus.REFUSED: ("neutral", "minus"),
}
# Customers hear of a refund once it is under way.
_TOLD = frozenset({RefundStatus.PENDING, RefundStatus.SUCCEEDED})
SOON = timedelta(days=45)


def money(amount: int, currency: str) -> str:
    """So many minor units in the reader's language."""
    return format_amount(amount, currency, current_locale())


def present_payment(row: PaymentRow, *, staff: bool = False) -> dict[str, Any]:
    """A payment with its badge, what it is for, its method and what went back."""
    payment = row.payment
    tone, shape = BADGES[payment.status]
    label = gettext(STATUS[payment.status.value])
    if payment.refunded and payment.status is PaymentStatus.SUCCEEDED:
        whole = payment.refunded >= payment.amount
        tone, shape, label = "neutral", "minus", gettext("Refunded") if whole else gettext("Partly refunded")
    if payment.charged_back or payment.disputed:
        tone, shape, label = _at_the_bank(payment, staff=staff)
    return {
        "id": payment.id,
        "number": payment.number,
        "company": row.company_name,
        "status": payment.status.value,
        "badge": {"label": label, "tone": tone, "shape": shape},
        "at": payment.succeeded_at or payment.created_at,
        "day": format_day(payment.created_at.date()),
        "amount": money(payment.amount, payment.currency),
        "refunded": money(payment.refunded, payment.currency) if payment.refunded else "",
        "method": method_text(payment.method, gettext) if payment.method else gettext(KIND[payment.kind.value]),
        "kind": gettext(KIND[payment.kind.value]),
        "service": row.invoices[0].service if row.invoices else "",
        "invoices": [
            {"id": one.id, "number": one.number, "service": one.service, "amount": money(one.amount, payment.currency)}
            for one in row.invoices
        ],
        "refunds": [_refund(one) for one in row.refunds if staff or one.status in _TOLD],
        "failure": failure_text(payment.failure_code, gettext) if payment.failure_code else "",
        "redirect_url": payment.redirect_url,
        "has_receipt": payment.status is PaymentStatus.SUCCEEDED,
    }


def _at_the_bank(payment: Payment, *, staff: bool) -> tuple[str, str, str]:
    """Badge of a payment that the payer's bank was asked to take back."""
    state = "open" if payment.disputed else "lost"
    labels = CHARGEBACK_STATE if staff else CHARGEBACK_FOR_CUSTOMERS
    return (*CHARGEBACK_LOOKS[state], gettext(labels[state]))


def _refund(refund: Any) -> dict[str, Any]:
    tone, shape = REFUND_BADGES[refund.status]
    return {
        "id": refund.id,
        "amount": money(refund.amount, refund.currency),
        "badge": {"label": gettext(REFUND_STATUS[refund.status.value]), "tone": tone, "shape": shape},
        "status": refund.status.value,
        "reason": refund.reason,
        "at": refund.created_at,
        "by": refund.requested_by,
        "expected": format_day(refund.expected_at.date()) if refund.expected_at else "",
    }


def present_method(method: PaymentMethod) -> dict[str, Any]:
    """A saved method: what it is called, and when it ends."""
    expires = f"{method.exp_month:02}/{method.exp_year % 100:02}" if method.exp_month and method.exp_year else ""
    return {
        "id": method.id,
        "text": method_text({"kind": method.kind, "brand": method.brand, "last4": method.last4}, gettext),
        "expires": expires,
        "soon": _ends_soon(method),
        "is_default": method.is_default,
        "added": format_moment(method.created_at),
    }


def present_ways(methods: Sequence[PayMethod]) -> list[tuple[str, str, str]]:
    """Ways of paying to choose from: code, name, what it is."""
    return [(method.value, gettext(NAME[method]), gettext(ABOUT[method])) for method in methods]


def _ends_soon(method: PaymentMethod) -> bool:
    """Whether it ends within the next weeks, or has ended."""
    if not method.exp_month or not method.exp_year:
        return False
    near = http.now() + SOON
    return (method.exp_year, method.exp_month) <= (near.year, near.month)
