"""An invoice as a document: the page's figures as PDF in the reader's language, and EN 16931 XML inside of it."""

from decimal import Decimal
from typing import Any

from portal.blueprints import http
from portal.blueprints.billing.presenters import detail_view, terms
from portal.blueprints.localisation import current_locale, gettext
from portal.errors import Conflict
from portal.integrations.einvoice import EInvoice, EInvoiceLine, EInvoiceTax, build_xml, is_complete
from portal.integrations.facturx import declare_factur_x
from portal.integrations.pdf import typeset
from portal.lib.colour import solid_accent
from portal.models import Invoice, InvoiceKind
from portal.services.billing.detail import InvoiceDetail

PDF = "application/pdf"
XML = "application/xml"


def draw_invoice(found: InvoiceDetail) -> bytes:
    """The PDF (PDF/A-3b with the XML where that can be made, else PDF/UA-1)."""
    view, tenant, invoice = detail_view(found, http.now()), http.tenant(), found.invoice
    xml = build_invoice_xml(found) if has_xml(invoice) else b""
    data = {
        "title": f"{view['title']} {view['number']}",
        "number": view["number"],
        "foot": " · ".join(filter(None, (view["seller"]["name"], view["seller"]["tax_number"]))),
        "seller": view["seller"] | {"label": gettext("From")},
        "buyer": view["buyer"] | {"label": gettext("To")},
        "facts": [[label, value] for label, value in view["facts"]],
        "head": _head(view),
        "lines": [_cells(line, view) for line in view["lines"]],
        "sums": [list(row) for row in view["sums"]],
        "terms": view["terms"],
        "bank": _bank(invoice),
        "notes": view["notes"],
        "void": gettext("Void: %(reason)s", reason=view["void_reason"]) if view["void_reason"] else "",
        "xml": xml.decode(),
    }
    made = typeset(
        "invoice.typ",
        data,
        locale=current_locale(),
        tenant=tenant.name,
        accent=solid_accent(tenant.brand.get("accent")),
        now=http.now(),
        standard="a-3b" if xml else "ua-1",
    )
    return declare_factur_x(made) if xml else made


def _head(view: dict[str, Any]) -> list[str]:
    labels = [gettext("Description"), gettext("Quantity"), gettext("Unit price")]
    return [*labels, *([gettext("Discount")] if view["discounted"] else []), gettext("Tax"), gettext("Amount")]


def _cells(line: dict[str, Any], view: dict[str, Any]) -> list[str]:
    cells = [line["description"], line["quantity"], f"{line['unit_price']} {line['unit']}".strip()]
    return [*cells, *([line["discount"]] if view["discounted"] else []), line["tax"], line["total"]]


def _bank(invoice: Invoice) -> list[list[str]]:
    seller = invoice.seller
    rows = [("IBAN", seller.get("iban")), ("BIC", seller.get("bic"))]
    return [[label, str(value)] for label, value in rows if value]


def has_xml(invoice: Invoice) -> bool:
    """Whether seller and buyer are known well enough for an electronic invoice."""
    return invoice.number is not None and is_complete(invoice.seller, invoice.buyer, invoice.currency)


def build_invoice_xml(found: InvoiceDetail) -> bytes:
    """The XML as it was on the day of issue. Raises Conflict where something that it needs is not known."""
    invoice = found.invoice
    if not has_xml(invoice) or invoice.issued_on is None:
        raise Conflict("einvoice_incomplete", number=found.number)
    credited = found.related[0] if invoice.kind is InvoiceKind.CREDIT_NOTE and found.related else None
    return build_xml(
        EInvoice(
            number=found.number,
            issued_on=invoice.issued_on,
            due_on=invoice.due_on,
            currency=invoice.currency,
            seller=invoice.seller,
            buyer=invoice.buyer,
            lines=[
                EInvoiceLine(
                    line.description,
                    line.quantity,
                    line.unit,
                    line.unit_price,
                    line.discount,
                    line.total,
                    line.tax_category,
                    line.tax_rate,
                )
                for line in found.lines
            ],
            taxes=_taxes(found),
            total=invoice.total,
            terms=terms(invoice) or gettext("Credit note"),
            notes=invoice.notes,
            purchase_order=invoice.purchase_order,
            credits_number=credited.number if credited else None,
            credits_on=credited.issued_on if credited else None,
            exemption=gettext("Not subject to tax"),
        )
    )


def _taxes(found: InvoiceDetail) -> list[EInvoiceTax]:
    """The invoice's taxes by category and rate; names of taxes are ours, the norm knows none."""
    categories = {(line.tax_name, line.tax_rate): line.tax_category for line in found.lines}
    sums: dict[tuple[str, Decimal], tuple[int, int]] = {}
    for share in found.invoice.taxes:
        rate = Decimal(share["rate"])
        key = (categories.get((share["name"], rate), "S"), rate)
        net, tax = sums.get(key, (0, 0))
        sums[key] = (net + share["net"], tax + share["tax"])
    return [EInvoiceTax(category, rate, net, tax) for (category, rate), (net, tax) in sums.items()]
