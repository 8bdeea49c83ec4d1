"""Invoices for programs of the team under /api/v1/staff."""

from uuid import UUID

from flask import Blueprint, Response

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.billing.document import PDF, draw_invoice
from portal.blueprints.billing.requests import (
    CreditRequest,
    DunningPatch,
    InvoiceRequest,
    StaffInvoiceQuery,
    VoidRequest,
)
from portal.blueprints.billing.routes import download
from portal.blueprints.billing.schemas import Dunning, StaffInvoice, StaffInvoiceItem, StaffInvoices
from portal.blueprints.policies import permission
from portal.errors import FieldError, Invalid, invalid
from portal.models import BillingSettings
from portal.services.billing.configuring import get_settings, save_dunning
from portal.services.billing.crediting import credit_invoice
from portal.services.billing.detail import get_invoice_detail
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.queries import InvoiceFilter, list_invoices
from portal.services.billing.voiding import void_invoice

bp = Blueprint("staff_invoices_api", __name__, url_prefix="/api/v1/staff")


@bp.get("/invoices")
@permission(Permission.BILLING_READ)
@operation("List everybody's invoices", query=StaffInvoiceQuery, answer=StaffInvoices)
def index(query: StaffInvoiceQuery) -> StaffInvoices:
    """Invoices and credit notes of every customer, the newest first."""
    wanted = InvoiceFilter(
        status=tuple(query.status),
        issued_from=query.issued_from,
        issued_to=query.issued_to,
        customer_id=query.customer_id,
        q=query.q,
        limit=query.limit,
        cursor=query.cursor,
    )
    page = list_invoices(http.session(), wanted, actor=http.actor())
    items = [
        StaffInvoiceItem(
            **StaffInvoiceItem.values(row, http.now()), customer_id=row.customer_id, customer_name=row.company_name
        )
        for row in page.items
    ]
    return StaffInvoices(items=items, next_cursor=page.next_cursor)


@bp.post("/invoices")
@permission(Permission.BILLING_MANAGE)
@operation("Issue an invoice", body=InvoiceRequest, answer=StaffInvoice, status=201)
def create(body: InvoiceRequest) -> StaffInvoice:
    """Gives it the next number and tells the customer; amounts of lines are in the invoice's currency."""
    _same_currency(body)
    made = issue_from_lines(
        http.session(),
        customer_id=body.customer_id,
        currency=body.currency,
        lines=[line.read() for line in body.lines],
        due_on=body.due_on,
        purchase_order=body.purchase_order,
        notes=body.notes,
        actor=http.actor(),
        now=http.now(),
    )
    return _invoice(made.id)


def _same_currency(body: InvoiceRequest) -> None:
    errors = [
        FieldError(f"lines.{place}.{name}", "currency_mismatch")
        for place, line in enumerate(body.lines)
        for name, money in (("unit_price", line.unit_price), ("discount", line.discount))
        if money is not None and money.currency != body.currency
    ]
    if errors:
        raise Invalid(*errors)


@bp.get("/invoices/<uuid:invoice_id>")
@permission(Permission.BILLING_READ)
@operation("Read a customer's invoice", answer=StaffInvoice)
def detail(invoice_id: UUID) -> StaffInvoice:
    """The invoice with its ledger."""
    return _invoice(invoice_id)


@bp.get("/invoices/<uuid:invoice_id>/pdf")
@permission(Permission.BILLING_READ)
@operation("Download a customer's invoice", answer=None, media=(PDF,))
def pdf(invoice_id: UUID) -> Response:
    """The invoice as PDF in your language."""
    found = get_invoice_detail(http.session(), invoice_id, actor=http.actor())
    return download(draw_invoice(found), found.number, PDF)


@bp.post("/invoices/<uuid:invoice_id>/void")
@permission(Permission.BILLING_MANAGE)
@operation(
    "Void an invoice",
    body=VoidRequest,
    answer=StaffInvoice,
    conflicts="It is void already, or something of it was paid, credited or disputed.",
)
def void(invoice_id: UUID, body: VoidRequest) -> StaffInvoice:
    """Takes the whole invoice back before anything of it was paid; its number stays."""
    void_invoice(http.session(), invoice_id, reason=body.reason, actor=http.actor(), now=http.now())
    return _invoice(invoice_id)


@bp.post("/invoices/<uuid:invoice_id>/credit")
@permission(Permission.BILLING_MANAGE)
@operation(
    "Credit an invoice",
    body=CreditRequest,
    answer=StaffInvoice,
    status=201,
    conflicts="It is void or a credit note, was credited in part, or a payment of it is under way.",
)
def credit(invoice_id: UUID, body: CreditRequest) -> StaffInvoice:
    """Issues a credit note over all of it, or over some lines, and answers with the note."""
    lines = None if body.lines is None else [line.read() for line in body.lines]
    note = credit_invoice(
        http.session(), invoice_id, reason=body.reason, lines=lines, actor=http.actor(), now=http.now()
    )
    return _invoice(note.id)


@bp.get("/billing/dunning")
@permission(Permission.BILLING_CONFIGURE)
@operation("Read the plan of reminders", answer=Dunning)
def dunning() -> Dunning:
    """When failed payments are tried again, and when customers are reminded."""
    settings = get_settings(http.session(), actor=http.actor())
    answer = _dunning(settings)
    http.commit()
    return answer


@bp.patch("/billing/dunning")
@permission(Permission.BILLING_CONFIGURE)
@operation("Change the plan of reminders", body=DunningPatch, answer=Dunning)
def change_dunning(body: DunningPatch) -> Dunning:
    """Changes what is named; unpaid invoices follow the new plan at once, what is past in it is passed over."""
    if not body.model_fields_set:
        raise invalid("", "nothing_to_change")
    settings = save_dunning(
        http.session(), retry_after=body.retry_after, reminders=body.reminders, actor=http.actor(), now=http.now()
    )
    return _dunning(settings)


def _dunning(settings: BillingSettings) -> Dunning:
    return Dunning(
        retry_after=list(settings.dunning.get("retry_after", ())), reminders=list(settings.dunning.get("reminders", ()))
    )


def _invoice(invoice_id: UUID) -> StaffInvoice:
    http.session().flush()
    return StaffInvoice.of(get_invoice_detail(http.session(), invoice_id, actor=http.actor()))
