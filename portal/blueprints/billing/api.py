"""A customer's own invoices under /api/v1/portal."""

from uuid import UUID

from flask import Blueprint, Response

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.billing.document import PDF, draw_invoice
from portal.blueprints.billing.requests import InvoiceQuery
from portal.blueprints.billing.routes import download
from portal.blueprints.billing.schemas import CustomerInvoice, InvoiceItem, Invoices
from portal.blueprints.policies import permission
from portal.services.billing.detail import get_invoice_detail
from portal.services.billing.queries import InvoiceFilter, list_invoices

bp = Blueprint("invoices_api", __name__, url_prefix="/api/v1/portal/invoices")


@bp.get("")
@permission(Permission.INVOICES_READ)
@operation("List invoices", query=InvoiceQuery, answer=Invoices)
def index(query: InvoiceQuery) -> Invoices:
    """Your company's invoices and credit notes, the newest first."""
    wanted = InvoiceFilter(
        status=tuple(query.status),
        issued_from=query.issued_from,
        issued_to=query.issued_to,
        limit=query.limit,
        cursor=query.cursor,
    )
    page = list_invoices(http.session(), wanted, actor=http.actor())
    items = [InvoiceItem(**InvoiceItem.values(row, http.now())) for row in page.items]
    return Invoices(items=items, next_cursor=page.next_cursor)


@bp.get("/<uuid:invoice_id>")
@permission(Permission.INVOICES_READ)
@operation("Read an invoice", answer=CustomerInvoice)
def detail(invoice_id: UUID) -> CustomerInvoice:
    """The invoice with its lines, taxes and what happens next."""
    return CustomerInvoice.of(get_invoice_detail(http.session(), invoice_id, actor=http.actor()))


@bp.get("/<uuid:invoice_id>/pdf")
@permission(Permission.INVOICES_READ)
@operation("Download an invoice", answer=None, media=(PDF,))
def pdf(invoice_id: UUID) -> Response:
    """The invoice as PDF in your language, an EN 16931 invoice inside where both parties are known well enough."""
    found = get_invoice_detail(http.session(), invoice_id, actor=http.actor())
    return download(draw_invoice(found), found.number, PDF)
