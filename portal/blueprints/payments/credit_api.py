"""A company's credit and its use for an invoice under /api/v1, for customers and for programs of the team."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.payments.credit_schemas import InvoiceCredit, StaffInvoiceCredit, UseCreditRequest, UsedCredit
from portal.blueprints.payments.schemas import PaymentItem
from portal.blueprints.policies import permission
from portal.errors import invalid
from portal.models import Payment
from portal.services.billing.queries import get_invoice
from portal.services.payments.queries import read_payment
from portal.services.payments.using_credit import CreditRequest, offer_credit, use_credit

bp = Blueprint("credit_api", __name__, url_prefix="/api/v1/portal")
staff_bp = Blueprint("staff_credit_api", __name__, url_prefix="/api/v1/staff")
CONFLICTS = "There is no credit, or less than that; or nothing of the invoice is free to be paid."


@bp.get("/invoices/<uuid:invoice_id>/available-credit")
@permission(Permission.INVOICES_READ)
@operation("Read the credit for an invoice", answer=InvoiceCredit)
def offer(invoice_id: UUID) -> InvoiceCredit:
    """What your company has to its credit in the invoice's currency, and how much of it the invoice can take."""
    return InvoiceCredit.of(offer_credit(http.session(), invoice_id, actor=http.actor()))


@bp.post("/invoices/<uuid:invoice_id>/use-credit")
@permission(Permission.INVOICES_PAY)
@operation("Use credit", body=UseCreditRequest, answer=PaymentItem, status=201, conflicts=CONFLICTS)
def use(invoice_id: UUID, body: UseCreditRequest) -> PaymentItem:
    """Pays (a part of) an invoice with credit, at once."""
    return PaymentItem.of(read_payment(http.session(), _use(invoice_id, body).id, actor=http.actor()))


@staff_bp.get("/invoices/<uuid:invoice_id>/available-credit")
@permission(Permission.BILLING_READ)
@operation("Read the credit for a customer's invoice", answer=StaffInvoiceCredit)
def staff_offer(invoice_id: UUID) -> StaffInvoiceCredit:
    """What the customer has to its credit in the invoice's currency, and how much of it the invoice can take."""
    return StaffInvoiceCredit.of(offer_credit(http.session(), invoice_id, actor=http.actor()))


@staff_bp.post("/invoices/<uuid:invoice_id>/use-credit")
@permission(Permission.BILLING_MANAGE)
@operation("Use a customer's credit", body=UseCreditRequest, answer=UsedCredit, status=201, conflicts=CONFLICTS)
def staff_use(invoice_id: UUID, body: UseCreditRequest) -> UsedCredit:
    """Pays (a part of) an invoice with the customer's credit, at once."""
    return UsedCredit.of(_use(invoice_id, body), invoice_id)


def _use(invoice_id: UUID, body: UseCreditRequest) -> Payment:
    invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
    if body.amount is not None and body.amount.currency != invoice.currency:
        raise invalid("amount", "currency_mismatch")
    wanted = CreditRequest(body.amount.amount if body.amount else None)
    return use_credit(http.session(), invoice_id, wanted, actor=http.actor(), now=http.now())
