"""The customer's invoices: the list, one of them, and what can be taken along."""

import io
import re
import zipfile
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.billing import presenters
from portal.blueprints.billing.address import InvoicesAddress
from portal.blueprints.billing.document import PDF, XML, build_invoice_xml, draw_invoice, has_xml
from portal.blueprints.billing.rows import draw_rows
from portal.blueprints.localisation import gettext, ngettext
from portal.blueprints.policies import permission
from portal.errors import Invalid
from portal.lib.wording.billing import STATUS
from portal.models import InvoiceStatus
from portal.services.billing.copies import mail_invoice
from portal.services.billing.detail import get_invoice_detail
from portal.services.billing.figures import Account, read_accounts, sum_open
from portal.services.billing.queries import list_invoices

bp = Blueprint("invoices", __name__, url_prefix="/portal/invoices")
MOST_IN_ARCHIVE = 50


@bp.get("")
@permission(Permission.INVOICES_READ)
def index() -> ResponseReturnValue:
    """The list; everything about it is in the address."""
    address = InvoicesAddress.read(request.args)
    try:
        page = list_invoices(http.session(), address.filter(), actor=http.actor())
    except Invalid:
        # A cursor of another list or of an old version: the first page is the best answer.
        return http.see_other("invoices.index")
    base = http.address_of("invoices.index")
    context = {
        "address": address,
        "page": page,
        "rows": [presenters.list_row(row, http.now(), base) for row in page.items],
        "tab_items": address.tabs(),
        "chips": address.chips(),
        "statuses": states(),
        "draw_rows": draw_rows,
        "summary": ngettext("%(num)d invoice on this page", "%(num)d invoices on this page", len(page.items)),
    }
    return render_template("billing/index.html", **context)


def states() -> list[tuple[str, str]]:
    """States to filter by."""
    return [(one.value, gettext(STATUS[one.value])) for one in InvoiceStatus if one is not InvoiceStatus.DRAFT]


@bp.get("/<uuid:invoice_id>")
@permission(Permission.INVOICES_READ)
def detail(invoice_id: UUID) -> ResponseReturnValue:
    """One invoice: its lines, its sums, what happened, and what comes."""
    found = get_invoice_detail(http.session(), invoice_id, actor=http.actor())
    view = presenters.detail_view(found, http.now())
    return render_template("billing/detail.html", invoice=view, row=found.invoice, has_xml=has_xml(found.invoice))


@bp.get("/<uuid:invoice_id>/pdf")
@permission(Permission.INVOICES_READ)
def pdf(invoice_id: UUID) -> ResponseReturnValue:
    """The invoice as PDF."""
    found = get_invoice_detail(http.session(), invoice_id, actor=http.actor())
    return download(draw_invoice(found), found.number, PDF)


@bp.get("/<uuid:invoice_id>/xml")
@permission(Permission.INVOICES_READ)
def xml(invoice_id: UUID) -> ResponseReturnValue:
    """The invoice for programs (EN 16931)."""
    found = get_invoice_detail(http.session(), invoice_id, actor=http.actor())
    return download(build_invoice_xml(found), found.number, XML)


@bp.post("/<uuid:invoice_id>/copy")
@permission(Permission.INVOICES_READ)
def copy(invoice_id: UUID) -> ResponseReturnValue:
    """Have a copy mailed to oneself."""
    person = http.identity()
    if person is not None:
        mail_invoice(
            http.session(), invoice_id, to=person, base_url=http.settings().base_url, actor=http.actor(), now=http.now()
        )
        http.commit()
        flash(gettext("A copy is on its way to %(address)s", address=person.email), "ok")
    return http.see_other("invoices.detail", invoice_id=invoice_id)


@bp.get("/archive")
@permission(Permission.INVOICES_READ)
def archive() -> ResponseReturnValue:
    """Several invoices as PDFs in one ZIP file."""
    ids = list(dict.fromkeys(_ids(request.args.getlist("ids"))))
    if not ids or len(ids) > MOST_IN_ARCHIVE:
        flash(gettext("Choose up to %(limit)s invoices first.", limit=MOST_IN_ARCHIVE), "warn")
        return http.see_other("invoices.index")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        for invoice_id in ids:
            found = get_invoice_detail(http.session(), invoice_id, actor=http.actor())
            folder.writestr(f"{file_name(found.number)}.pdf", draw_invoice(found))
    return download(packed.getvalue(), "invoices", "application/zip")


@bp.get("/figures")
@permission(Permission.INVOICES_READ)
def figures() -> ResponseReturnValue:
    """What is owed, for the dashboard, which asks for it once it is there."""
    actor = http.actor()
    sums = sum_open(http.session(), actor=actor, now=http.now())
    accounts = read_accounts(http.session(), actor=actor, company_ids=actor.company_ids)
    http.commit()
    return render_template(
        "billing/_figures.html", sums=presenters.figures_of(sums), accounts=[_account(one) for one in accounts]
    )


def _account(found: Account) -> dict[str, Any]:
    shown = {"balance": presenters.money(found.balance, found.currency), "limit": "", "available": "", "over": False}
    if found.credit_limit is None or found.available is None:
        return shown
    limit, left = (
        presenters.money(found.credit_limit, found.currency),
        presenters.money(found.available, found.currency),
    )
    return shown | {"limit": limit, "available": left, "over": found.available < 0}


def _ids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def download(content: bytes, number: str, media: str) -> Response:
    """A file that nobody keeps but who asked for it."""
    ending = {PDF: "pdf", XML: "xml"}.get(media, "zip")
    answer = Response(content, mimetype=media)
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name(number)}.{ending}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def file_name(number: str) -> str:
    """A document's number as the name of a file."""
    return re.sub(r"[^A-Za-z0-9]+", "-", number).strip("-") or "invoice"
