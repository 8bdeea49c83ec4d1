"""The receipt of a payment as PDF, in the reader's language (H7.6)."""

from flask import Response

from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_day, format_exact, gettext
from portal.blueprints.payments.presenters import money, present_payment
from portal.errors import Conflict
from portal.integrations.pdf import typeset
from portal.lib.colour import solid_accent
from portal.models import PaymentStatus
from portal.services.billing.settings import load_settings
from portal.services.payments.queries import PaymentRow

PDF = "application/pdf"


def send_receipt(row: PaymentRow) -> Response:
    """The document as a download; Conflict `receipt_not_ready` while no money is there."""
    if row.payment.status is not PaymentStatus.SUCCEEDED:
        raise Conflict("receipt_not_ready")
    answer = Response(draw_receipt(row), mimetype=PDF)
    name = "".join(char if char.isascii() and char.isalnum() else "-" for char in row.payment.number)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def draw_receipt(row: PaymentRow) -> bytes:
    """The PDF."""
    tenant, payment, shown = http.tenant(), row.payment, present_payment(row)
    seller = load_settings(http.session()).seller
    paid_at = payment.succeeded_at or payment.created_at
    booked = sum(one.amount for one in row.invoices)
    rows = [[one["number"], one["service"], one["amount"]] for one in shown["invoices"]]
    if payment.amount > booked:
        rows.append([gettext("Credit"), "", money(payment.amount - booked, payment.currency)])
    facts = [
        (gettext("Receipt"), payment.number),
        (gettext("Received from"), row.company_name),
        (gettext("Received by"), str(seller.get("legal_name") or tenant.name)),
        (gettext("Tax number"), str(seller.get("tax_number") or "")),
        (gettext("Received on"), format_exact(paid_at)),
        (gettext("Method"), shown["method"]),
    ]
    data = {
        "title": gettext("Receipt %(number)s", number=payment.number),
        "number": payment.number,
        "foot": gettext("As of %(time)s", time=format_day(http.now().date())),
        "facts": [[label, value] for label, value in facts if value],
        "headers": [gettext("Invoice"), gettext("Service"), gettext("Amount")],
        "rows": rows,
        "total": [gettext("Total received"), shown["amount"]],
        "refunds": [[gettext("Refunded"), one["expected"], "−" + one["amount"]] for one in shown["refunds"]],
    }
    return typeset(
        "receipt.typ",
        data,
        locale=current_locale(),
        tenant=tenant.name,
        accent=solid_accent(tenant.brand.get("accent")),
        now=http.now(),
    )
