"""Invoices of every customer: listed, read with their ledger, issued, voided, credited."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.billing.reading import read_amount, read_decimal, read_id, refusals, write_amount
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.billing import presenters
from portal.blueprints.billing.address import InvoicesAddress
from portal.blueprints.billing.document import PDF, XML, build_invoice_xml, draw_invoice, has_xml
from portal.blueprints.billing.presenters import money
from portal.blueprints.billing.routes import download, states
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, FieldError, Invalid
from portal.lib.money_format import format_rate
from portal.lib.wording.errors import error_text
from portal.models import Invoice
from portal.services.billing.catalogue import list_items, list_tax_rates
from portal.services.billing.crediting import CreditedLine, credit_invoice
from portal.services.billing.customers import CustomerForm, find_customer, get_customer, save_customer
from portal.services.billing.detail import InvoiceDetail, get_invoice_detail
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.queries import list_invoices
from portal.services.billing.settings import load_settings
from portal.services.billing.voiding import void_invoice
from portal.services.payments.balances import available
from portal.services.payments.using_credit import CreditRequest, offer_credit, use_credit

LINES = 6
ITEMS = 100
_CELLS = ("item", "description", "quantity", "unit_price", "discount", "tax_rate")


class InvoicesView(ServiceView):
    """The list, one invoice, and what can be done with it."""

    policy = Permission.BILLING_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """The list; everything about it is in the address."""
        address = InvoicesAddress.read(request.args, "staff_invoices.index")
        try:
            page = list_invoices(http.session(), address.filter(), actor=http.actor())
        except Invalid:
            return http.see_other("staff_invoices.index")
        base = http.address_of("staff_invoices.index").rstrip("/")
        return self.render(
            "admin/billing/invoices.html",
            address=address,
            page=page,
            rows=[presenters.list_row(row, http.now(), base) for row in page.items],
            tab_items=address.tabs(),
            chips=address.chips(),
            statuses=states(),
        )

    @route("/<uuid:invoice_id>")
    def detail(self, invoice_id: UUID) -> ResponseReturnValue:
        """One invoice with its ledger."""
        return self._page(get_invoice_detail(http.session(), invoice_id, actor=http.actor()), {})

    def _page(self, found: InvoiceDetail, errors: Mapping[str, list[str]], problem: str = "") -> ResponseReturnValue:
        page = self.render(
            "admin/billing/invoice.html",
            invoice=presenters.detail_view(found, http.now()),
            row=found.invoice,
            ledger=[presenters.entry_view(entry) for entry in found.entries],
            has_xml=has_xml(found.invoice),
            credit=self._credit(found.invoice),
            request_key=str(uuid4()),
            errors=errors,
            problem=problem,
            form=request.form,
        )
        return page, 409 if problem else 422 if errors else 200

    @staticmethod
    def _credit(invoice: Invoice) -> str:
        """What of the customer's credit the invoice could take, for whoever may use it."""
        if not available(invoice) or not http.actor().may(Permission.BILLING_MANAGE):
            return ""
        found = offer_credit(http.session(), invoice.id, actor=http.actor())
        return money(found.usable, found.currency) if found.usable else ""

    @route("/<uuid:invoice_id>/pdf")
    def pdf(self, invoice_id: UUID) -> ResponseReturnValue:
        """The invoice as PDF."""
        found = get_invoice_detail(http.session(), invoice_id, actor=http.actor())
        return download(draw_invoice(found), found.number, PDF)

    @route("/<uuid:invoice_id>/xml")
    def xml(self, invoice_id: UUID) -> ResponseReturnValue:
        """The invoice for programs."""
        found = get_invoice_detail(http.session(), invoice_id, actor=http.actor())
        return download(build_invoice_xml(found), found.number, XML)

    @route("/<uuid:invoice_id>/void", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def void(self, invoice_id: UUID) -> ResponseReturnValue:
        """Take it back before anything was paid."""
        try:
            made = void_invoice(
                http.session(), invoice_id, reason=request.form.get("reason", ""), actor=http.actor(), now=http.now()
            )
            http.commit()
        except (Invalid, Conflict) as error:
            return self._refused(invoice_id, error)
        flash(gettext("Invoice %(number)s is void", number=made.number), "ok")
        return http.see_other("staff_invoices.detail", invoice_id=invoice_id)

    @route("/<uuid:invoice_id>/use-credit", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def use_credit(self, invoice_id: UUID) -> ResponseReturnValue:
        """Pay with the customer's credit what it covers."""
        wanted = CreditRequest(payment_id=read_id(request.form.get("request_key")))
        try:
            made = use_credit(http.session(), invoice_id, wanted, actor=http.actor(), now=http.now())
            http.commit()
        except (Invalid, Conflict) as error:
            return self._refused(invoice_id, error)
        flash(gettext("%(amount)s of the credit used", amount=money(made.amount, made.currency)), "ok")
        return http.see_other("staff_invoices.detail", invoice_id=invoice_id)

    @route("/<uuid:invoice_id>/credit", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def credit(self, invoice_id: UUID) -> ResponseReturnValue:
        """Write a credit note over all of it, or over the chosen lines."""
        chosen = [line_id for line_id in map(read_id, request.form.getlist("line_ids")) if line_id]
        whole = request.form.get("whole") == "1"
        try:
            note = credit_invoice(
                http.session(),
                invoice_id,
                reason=request.form.get("reason", ""),
                lines=None if whole else [CreditedLine(line_id) for line_id in dict.fromkeys(chosen)],
                actor=http.actor(),
                now=http.now(),
            )
            http.commit()
        except (Invalid, Conflict) as error:
            return self._refused(invoice_id, error)
        flash(gettext("Credit note %(number)s is written", number=note.number), "ok")
        return http.see_other("staff_invoices.detail", invoice_id=invoice_id)

    def _refused(self, invoice_id: UUID, error: Invalid | Conflict) -> ResponseReturnValue:
        http.session().rollback()
        found = get_invoice_detail(http.session(), invoice_id, actor=http.actor())
        if isinstance(error, Invalid):
            return self._page(found, refusals(error))
        return self._page(found, {}, error_text(error.code, error.params, gettext))

    @route("/new", methods=("GET", "POST"))
    @permission(Permission.BILLING_MANAGE)
    def new(self) -> ResponseReturnValue:
        """The form of a new invoice, which is issued at once."""
        if request.method != "POST":
            return self._new_page({}, request.args)
        try:
            made = self._issue()
            http.commit()
        except Invalid as error:
            http.session().rollback()
            return self._new_page(_at_their_rows(refusals(error), request.form), request.form)
        flash(gettext("Invoice %(number)s is issued", number=made.number), "ok")
        return http.see_other("staff_invoices.detail", invoice_id=made.id)

    def _issue(self) -> Any:
        form = request.form
        currency = form.get("currency", "").strip().upper()
        customer = find_customer(http.session(), form.get("customer", ""), actor=http.actor())
        errors = [] if customer else [FieldError("customer", "unknown_customer")]
        due_on = None
        if typed := form.get("due_on", "").strip():
            try:
                due_on = date.fromisoformat(typed)
            except ValueError:
                errors.append(FieldError("due_on", "date_invalid"))
        lines = _lines(form, currency, errors)
        if errors or customer is None:
            raise Invalid(*errors)
        return issue_from_lines(
            http.session(),
            customer_id=customer.id,
            currency=currency,
            lines=lines,
            due_on=due_on,
            purchase_order=form.get("purchase_order", ""),
            notes=form.get("notes", ""),
            actor=http.actor(),
            now=http.now(),
        )

    def _new_page(self, errors: Mapping[str, list[str]], form: Mapping[str, str]) -> ResponseReturnValue:
        session, actor = http.session(), http.actor()
        locale, fallback = current_locale(), http.tenant().locale
        items = list_items(session, active_only=True, limit=ITEMS, actor=actor)
        rates = list_tax_rates(session, active_only=True, actor=actor)
        page = self.render(
            "admin/billing/new.html",
            form=form,
            errors=errors,
            form_errors=[(name.replace(".", "-"), text) for name, texts in errors.items() for text in texts],
            places=range(LINES),
            currency=form.get("currency") or load_settings(session).currency,
            items=[("", gettext("No item"))]
            + [
                (str(item.id), f"{item.sku} · {item.names.get(locale) or item.names.get(fallback) or item.sku}")
                for item in items
            ],
            rates=[("", gettext("The usual rate"))]
            + [(format(rate.rate.normalize(), "f"), f"{rate.name} {format_rate(rate.rate, locale)}") for rate in rates],
        )
        return page, 422 if errors else 200

    @route("/customers/<uuid:company_id>", methods=("GET", "POST"))
    def customer(self, company_id: UUID) -> ResponseReturnValue:
        """What billing knows of a company."""
        company = get_customer(http.session(), company_id, actor=http.actor())
        currency, errors = load_settings(http.session()).currency, {}
        values = {
            "legal_name": company.legal_name,
            "tax_number": company.tax_number,
            "credit_limit": write_amount(company.credit_limit, currency),
        }
        if request.method == "POST":
            values = {name: request.form.get(name, "") for name in values}
            typed = values["credit_limit"].strip()
            limit = read_amount(typed, currency) if typed else None
            try:
                if typed and limit is None:
                    raise Invalid(FieldError("credit_limit", "amount_invalid"))
                form = CustomerForm(values["legal_name"], values["tax_number"], limit)
                save_customer(http.session(), company_id, form, actor=http.actor(), now=http.now())
                http.commit()
                flash(gettext("Saved"), "ok")
                return http.see_other("staff_invoices.customer", company_id=company_id)
            except Invalid as error:
                http.session().rollback()
                errors = refusals(error)
        page = self.render(
            "admin/billing/customer.html", company=company, values=values, errors=errors, currency=currency
        )
        return page, 422 if errors else 200


def _is_filled(cells: Mapping[str, str]) -> bool:
    return bool(cells["item"] or cells["description"] or cells["unit_price"])


def _at_their_rows(errors: Mapping[str, list[str]], form: Mapping[str, str]) -> dict[str, list[str]]:
    """Refusals count the lines that are billed; the form shows them at the rows in which they were typed."""
    filled = [
        place
        for place in range(LINES)
        if _is_filled({name: form.get(f"lines.{place}.{name}", "").strip() for name in _CELLS})
    ]
    moved = {}
    for name, texts in errors.items():
        start, _, rest = name.partition(".")
        place, _, field = rest.partition(".")
        known = start == "lines" and place.isdecimal() and int(place) < len(filled)
        moved[f"lines.{filled[int(place)]}.{field}" if known else name] = texts
    return moved


def _lines(form: Mapping[str, str], currency: str, errors: list[FieldError]) -> list[NewLine]:
    """The rows in which something was typed; what a catalogue item says fills in what was left empty."""
    items = {
        str(item.id): item for item in list_items(http.session(), active_only=True, limit=ITEMS, actor=http.actor())
    }
    lines: list[NewLine] = []
    for place in range(LINES):
        cells = {name: form.get(f"lines.{place}.{name}", "").strip() for name in _CELLS}
        if not _is_filled(cells):
            continue
        at = len(lines)
        item = items.get(cells["item"])
        if item is not None:
            fallback = item.names.get(current_locale()) or item.names.get(http.tenant().locale) or item.sku
            cells["description"] = cells["description"] or str(fallback)
            if not cells["unit_price"] and item.currency == currency:
                cells["unit_price"] = write_amount(item.unit_price, currency)
        price = read_amount(cells["unit_price"], currency)
        # Nothing typed is the catalogue's to say, a typed zero is no discount.
        discount = read_amount(cells["discount"], currency) if cells["discount"] else None
        quantity = read_decimal(cells["quantity"] or "1")
        rate = read_decimal(cells["tax_rate"]) if cells["tax_rate"] else None
        if price is None:
            errors.append(FieldError(f"lines.{at}.unit_price", "amount_invalid"))
        if cells["discount"] and discount is None:
            errors.append(FieldError(f"lines.{at}.discount", "amount_invalid"))
        if quantity is None:
            errors.append(FieldError(f"lines.{at}.quantity", "quantity_invalid"))
        lines.append(
            NewLine(
                description=cells["description"],
                quantity=quantity or Decimal(1),
                unit_price=price or 0,
                discount=discount,
                tax_rate=rate,
                unit=item.unit if item else "",
                service_type=item.service_type if item else "",
                catalog_item_id=item.id if item else None,
            )
        )
    return lines
