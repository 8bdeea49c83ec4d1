"""Invoices as data for other programs: EN 16931 in UN/CEFACT's syntax, the XML inside of Factur-X and ZUGFeRD.

What the norm's rules demand (codes as BR-S-02 name them) and a tenant may not have set up yet is asked for by
`is_complete`; without it there is no XML, and the PDF goes without.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from drafthorse.models.accounting import ApplicableTradeTax, TradeAllowanceCharge
from drafthorse.models.document import Document
from drafthorse.models.note import IncludedNote
from drafthorse.models.party import TaxRegistration
from drafthorse.models.payment import PaymentMeans, PaymentTerms
from drafthorse.models.tradelines import LineItem

from portal.lib.money import EXPONENTS, Money

PROFILE = "urn:cen.eu:en16931:2017"
FILE_NAME = "factur-x.xml"
_SCHEMA = "FACTUR-X_EN16931"
# UNTDID 1001: commercial invoice, credit note. UNTDID 4461: credit transfer. UNTDID 5189: discount.
_INVOICE, _CREDIT_NOTE, _TRANSFER, _DISCOUNT = "380", "381", "30", "95"
# UN/ECE recommendation 20.
_UNITS = {"hour": "HUR", "day": "DAY", "month": "MON", "year": "ANN", "piece": "C62"}
_EXEMPT = frozenset({"E", "O", "AE", "G", "K"})
# EN 16931 has two decimals for every amount (BR-DEC).
_MOST_DECIMALS = 2


@dataclass(frozen=True)
class EInvoiceLine:
    """A line; amounts in minor units, `net` after the discount."""

    description: str
    quantity: Decimal
    unit: str
    unit_price: int
    discount: int
    net: int
    category: str
    rate: Decimal


@dataclass(frozen=True)
class EInvoiceTax:
    """All lines of one category and rate."""

    category: str
    rate: Decimal
    net: int
    tax: int


@dataclass(frozen=True)
class EInvoice:
    """What the XML says; parties as they were on the day of issue, words in the language of the document."""

    number: str
    issued_on: date
    due_on: date | None
    currency: str
    seller: dict[str, Any]
    buyer: dict[str, Any]
    lines: Sequence[EInvoiceLine]
    taxes: Sequence[EInvoiceTax]
    total: int
    terms: str
    notes: str
    purchase_order: str
    credits_number: str | None
    credits_on: date | None
    exemption: str


def is_complete(seller: dict[str, Any], buyer: dict[str, Any], currency: str) -> bool:
    """Whether the norm's rules can be met: names, countries (BR-9, BR-11) and the seller's tax number (BR-S-02)."""
    named = all(seller.get(key) for key in ("legal_name", "country", "tax_number"))
    return bool(named and buyer.get("name") and buyer.get("country")) and EXPONENTS[currency] <= _MOST_DECIMALS


def build_xml(given: EInvoice) -> bytes:
    """The XML of an invoice for which `is_complete` holds; its schema is checked where lxml is installed."""
    doc = Document()
    doc.context.guideline_parameter.id = PROFILE
    doc.header.id = given.number
    doc.header.type_code = _CREDIT_NOTE if given.credits_number else _INVOICE
    doc.header.issue_date_time = _noon(given.issued_on)
    if given.notes:
        note = IncludedNote()
        note.content = given.notes
        doc.header.notes.add(note)
    _parties(doc, given)
    for position, line in enumerate(given.lines, start=1):
        doc.trade.items.add(_line(position, line, given.currency))
    _settlement(doc, given)
    made: bytes = doc.serialize(schema=_SCHEMA)
    return made


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12))


def _parties(doc: Any, given: EInvoice) -> None:
    agreement = doc.trade.agreement
    for party, told in ((agreement.seller, given.seller), (agreement.buyer, given.buyer)):
        party.name = told.get("legal_name") or told.get("name") or ""
        address = party.address
        address.postcode, address.city_name = told.get("postal_code") or "", told.get("city") or ""
        address.line_one, address.line_two = told.get("line1") or "", told.get("line2") or ""
        address.country_id = told["country"]
        number = "".join(str(told.get("tax_number") or "").split())
        if number:
            registration = TaxRegistration()
            # A VAT number begins with its country (BR-CO-9); any other is a number of the tax office, the seller's.
            is_vat = number[:2].isalpha()
            if is_vat or party is agreement.seller:
                registration.id = ("VA" if is_vat else "FC", number)
                party.tax_registrations.add(registration)
    if given.purchase_order:
        agreement.buyer_order.issuer_assigned_id = given.purchase_order


def _line(position: int, line: EInvoiceLine, currency: str) -> Any:
    item = LineItem()
    item.document.line_id = str(position)
    item.product.name = line.description
    # Prices are never negative (BR-27), so what is taken off has a negative quantity.
    sign = -1 if line.unit_price < 0 else 1
    item.agreement.net.amount = _decimal(abs(line.unit_price), currency)
    item.delivery.billed_quantity = (sign * line.quantity, _UNITS.get(line.unit, "C62"))
    item.settlement.trade_tax.type_code = "VAT"
    item.settlement.trade_tax.category_code = line.category
    item.settlement.trade_tax.rate_applicable_percent = line.rate
    if line.discount:
        allowance = TradeAllowanceCharge()
        allowance.indicator = False
        allowance.actual_amount = _decimal(line.discount, currency)
        allowance.reason_code = _DISCOUNT
        item.settlement.allowance_charge.add(allowance)
    item.settlement.monetary_summation.total_amount = _decimal(line.net, currency)
    return item


def _settlement(doc: Any, given: EInvoice) -> None:
    settlement, currency = doc.trade.settlement, given.currency
    doc.trade.delivery.event.occurrence = _noon(given.issued_on)
    settlement.currency_code = currency
    if iban := "".join(str(given.seller.get("iban") or "").split()):
        means = PaymentMeans()
        means.type_code = _TRANSFER
        means.payee_account.iban = iban
        settlement.payment_means.add(means)
    for share in given.taxes:
        tax = ApplicableTradeTax()
        tax.calculated_amount = _decimal(share.tax, currency)
        tax.type_code = "VAT"
        if share.category in _EXEMPT:
            tax.exemption_reason = given.exemption
        tax.basis_amount = _decimal(share.net, currency)
        tax.category_code = share.category
        tax.rate_applicable_percent = share.rate
        settlement.trade_tax.add(tax)
    terms = PaymentTerms()
    terms.description = given.terms
    if given.due_on is not None:
        terms.due = _noon(given.due_on)
    settlement.terms.add(terms)
    if given.credits_number:
        settlement.invoice_referenced_document.issuer_assigned_id = given.credits_number
        if given.credits_on is not None:
            settlement.invoice_referenced_document.issue_date_time = _noon(given.credits_on)
    _sums(settlement.monetary_summation, given)


def _sums(summation: Any, given: EInvoice) -> None:
    net, tax, currency = sum(line.net for line in given.lines), sum(one.tax for one in given.taxes), given.currency
    summation.line_total = _decimal(net, currency)
    summation.charge_total = summation.allowance_total = Decimal("0.00")
    summation.tax_basis_total = _decimal(net, currency)
    summation.tax_total = (_decimal(tax, currency), currency)
    summation.grand_total = _decimal(given.total, currency)
    summation.due_amount = _decimal(given.total, currency)


def _decimal(amount: int, currency: str) -> Decimal:
    return Money(amount, currency).decimal
