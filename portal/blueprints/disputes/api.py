"""A customer's own disputes and requests of a later due date under /api/v1/portal."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.disputes.schemas import (
    CustomerDispute,
    CustomerExtension,
    DisputeQuery,
    DisputeRequest,
    Disputes,
    Extensions,
    ExtensionWish,
    PaymentDisputeRequest,
)
from portal.blueprints.policies import permission
from portal.services.billing.queries import get_invoice
from portal.services.disputes.deciding import withdraw_dispute
from portal.services.disputes.extending import ask_extension, withdraw_extension
from portal.services.disputes.opening import dispute_invoice, dispute_payment
from portal.services.disputes.queries import (
    disputes_of_invoice,
    extensions_of_invoice,
    page_disputes,
    read_dispute,
    read_extension,
)
from portal.services.payments.queries import get_payment

bp = Blueprint("disputes_api", __name__, url_prefix="/api/v1/portal")
DISPUTED = "It is in dispute already, or nothing of it can be disputed."
DECIDED = "It was decided about or withdrawn already."


@bp.get("/disputes")
@permission(Permission.INVOICES_READ)
@operation("List disputes", query=DisputeQuery, answer=Disputes)
def index(query: DisputeQuery) -> Disputes:
    """Those of your companies, the newest first."""
    page = page_disputes(
        http.session(), statuses=query.status, actor=http.actor(), limit=query.limit, cursor=query.cursor
    )
    return Disputes(items=[CustomerDispute.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.get("/disputes/<uuid:dispute_id>")
@permission(Permission.INVOICES_READ)
@operation("Read a dispute", answer=CustomerDispute)
def detail(dispute_id: UUID) -> CustomerDispute:
    """What is in dispute, and what we said."""
    return CustomerDispute.of(read_dispute(http.session(), dispute_id, actor=http.actor()))


@bp.post("/disputes/<uuid:dispute_id>/withdraw")
@permission(Permission.INVOICES_READ)
@operation("Withdraw a dispute", body=NoBody, answer=CustomerDispute, conflicts=DECIDED)
def withdraw(dispute_id: UUID, body: NoBody) -> CustomerDispute:
    """For whoever opened it and the administrators of the company; what was held back is due again."""
    withdraw_dispute(http.session(), dispute_id, actor=http.actor(), now=http.now())
    return CustomerDispute.of(read_dispute(http.session(), dispute_id, actor=http.actor()))


@bp.get("/invoices/<uuid:invoice_id>/disputes")
@permission(Permission.INVOICES_READ)
@operation("List the disputes of an invoice", answer=Disputes)
def of_invoice(invoice_id: UUID) -> Disputes:
    """The newest first."""
    get_invoice(http.session(), invoice_id, actor=http.actor())
    rows = disputes_of_invoice(http.session(), invoice_id, actor=http.actor())
    return Disputes(items=[CustomerDispute.of(row) for row in rows], next_cursor=None)


@bp.post("/invoices/<uuid:invoice_id>/disputes")
@permission(Permission.INVOICES_READ)
@operation("Dispute an invoice", body=DisputeRequest, answer=CustomerDispute, status=201, conflicts=DISPUTED)
def dispute(invoice_id: UUID, body: DisputeRequest) -> CustomerDispute:
    """Reminders, late fees and auto-pay leave out what is in dispute until it is decided."""
    invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
    wanted = body.read(invoice.currency)
    made = dispute_invoice(http.session(), invoice_id, wanted, actor=http.actor(), now=http.now())
    return CustomerDispute.of(read_dispute(http.session(), made.id, actor=http.actor()))


@bp.post("/payments/<uuid:payment_id>/disputes")
@permission(Permission.INVOICES_READ)
@operation("Dispute a payment", body=PaymentDisputeRequest, answer=CustomerDispute, status=201, conflicts=DISPUTED)
def dispute_paid(payment_id: UUID, body: PaymentDisputeRequest) -> CustomerDispute:
    """Where we agree, the money goes back the way it came."""
    payment = get_payment(http.session(), payment_id, actor=http.actor())
    wanted = body.read(payment.currency)
    made = dispute_payment(http.session(), payment_id, wanted, actor=http.actor(), now=http.now())
    return CustomerDispute.of(read_dispute(http.session(), made.id, actor=http.actor()))


@bp.get("/invoices/<uuid:invoice_id>/extension-requests")
@permission(Permission.INVOICES_READ)
@operation("List requests for a later due date", answer=Extensions)
def extensions(invoice_id: UUID) -> Extensions:
    """Those about an invoice, the newest first."""
    get_invoice(http.session(), invoice_id, actor=http.actor())
    rows = extensions_of_invoice(http.session(), invoice_id, actor=http.actor())
    return Extensions(items=[CustomerExtension.of(row) for row in rows], next_cursor=None)


@bp.post("/invoices/<uuid:invoice_id>/extension-requests")
@permission(Permission.INVOICES_READ)
@operation(
    "Ask for a later due date",
    body=ExtensionWish,
    answer=CustomerExtension,
    status=201,
    conflicts="A request waits for an answer already, or nothing is owed any more.",
)
def extend(invoice_id: UUID, body: ExtensionWish) -> CustomerExtension:
    """One request at a time; the due date stays until we have granted it."""
    made = ask_extension(
        http.session(), invoice_id, wanted_on=body.due_on, reason=body.reason, actor=http.actor(), now=http.now()
    )
    return CustomerExtension.of(read_extension(http.session(), made.id, actor=http.actor()))


@bp.post("/extension-requests/<uuid:wish_id>/withdraw")
@permission(Permission.INVOICES_READ)
@operation("Withdraw a request for a later due date", body=NoBody, answer=CustomerExtension, conflicts=DECIDED)
def withdraw_wish(wish_id: UUID, body: NoBody) -> CustomerExtension:
    """For whoever asked and the administrators of the company."""
    withdraw_extension(http.session(), wish_id, actor=http.actor(), now=http.now())
    return CustomerExtension.of(read_extension(http.session(), wish_id, actor=http.actor()))
