"""Invoices as the API takes and gives them: one class for customers, another for staff (contract §5)."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import ListOf, NextStep, Shape, UtcDateTime
from portal.blueprints.localisation import gettext
from portal.lib.wording.billing import step_text
from portal.models import Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, LedgerEntry
from portal.services.billing.detail import ComingStep, InvoiceDetail
from portal.services.billing.queries import InvoiceRow


class Money(Shape):
    """Whole minor units of a currency: 1050 EUR are 10.50 €."""

    amount: int
    currency: str


class Line(Shape):
    """A line; `total` is after the discount, before tax."""

    id: UUID
    description: str
    quantity: str
    unit: str
    unit_price: Money
    discount: Money
    tax_name: str
    tax_rate: str = Field(description="In percent.")
    total: Money

    @classmethod
    def of(cls, line: InvoiceLine, currency: str) -> "Line":
        """A stored line."""
        return cls(
            id=line.id,
            description=line.description,
            quantity=plain(line.quantity),
            unit=line.unit,
            unit_price=Money(amount=line.unit_price, currency=currency),
            discount=Money(amount=line.discount, currency=currency),
            tax_name=line.tax_name,
            tax_rate=plain(line.tax_rate),
            total=Money(amount=line.total, currency=currency),
        )


def plain(value: Decimal) -> str:
    """A decimal without needless zeros."""
    return format(value.normalize(), "f")


class Tax(Shape):
    """All lines of one rate."""

    name: str
    rate: str
    net: Money
    tax: Money


class InvoiceItem(Shape):
    """An invoice in a list."""

    id: UUID
    number: str
    kind: InvoiceKind
    status: InvoiceStatus
    issued_on: date
    due_on: date | None
    total: Money
    paid: Money
    outstanding: Money

    @classmethod
    def values(cls, row: InvoiceRow, now: Any) -> dict[str, Any]:
        """The fields of a row."""
        amounts = {"total": row.total, "paid": row.paid, "outstanding": row.outstanding}
        return {
            "id": row.id,
            "number": row.number,
            "kind": row.kind,
            "status": row.status_at(now),
            "issued_on": row.issued_on,
            "due_on": row.due_on,
            **{name: Money(amount=amount, currency=row.currency) for name, amount in amounts.items()},
        }


class StaffInvoiceItem(InvoiceItem):
    """The same, with whose it is."""

    customer_id: UUID
    customer_name: str


class Invoices(ListOf[InvoiceItem]):
    """A page of invoices."""


class StaffInvoices(ListOf[StaffInvoiceItem]):
    """A page of everybody's invoices."""


class CustomerInvoice(Shape):
    """An invoice; total = subtotal - discounts + taxes, outstanding = total - paid - credited."""

    id: UUID
    number: str
    kind: InvoiceKind
    status: InvoiceStatus
    currency: str
    issued_on: date | None
    due_on: date | None
    lines: list[Line]
    taxes: list[Tax]
    subtotal: Money
    discount_total: Money
    tax_total: Money
    total: Money
    paid: Money
    credited: Money = Field(description="By credit notes, and what was written off.")
    written_off: Money = Field(description="Of what is credited: what we gave up.")
    outstanding: Money
    disputed: Money
    purchase_order: str
    notes: str
    quote_id: UUID | None
    credits_id: UUID | None = Field(description="Of a credit note: the invoice it takes back.")
    failure: str | None = Field(description="Why the last payment failed.")
    paid_at: UtcDateTime | None
    next_step: NextStep | None

    @classmethod
    def of(cls, found: InvoiceDetail) -> "CustomerInvoice":
        """An invoice as its customer sees it."""
        return cls(**_fields(found))


class Movement(Shape):
    """A movement of the ledger; `amount` is what it adds to what is owed."""

    kind: str
    amount: Money
    at: UtcDateTime

    @classmethod
    def of(cls, entry: LedgerEntry) -> "Movement":
        """A booked row."""
        amount = Money(amount=entry.amount, currency=entry.currency)
        return cls(kind=entry.kind.value, amount=amount, at=entry.at)


class StaffInvoice(CustomerInvoice):
    """An invoice as the team sees it."""

    customer_id: UUID
    customer_name: str
    reserved: Money = Field(description="In payments that are not decided yet.")
    void_reason: str
    ledger: list[Movement]

    @classmethod
    def of(cls, found: InvoiceDetail) -> "StaffInvoice":
        """An invoice with what only the team sees."""
        invoice = found.invoice
        return cls(
            **_fields(found),
            customer_id=invoice.customer_id,
            customer_name=found.company_name,
            reserved=Money(amount=invoice.reserved, currency=invoice.currency),
            void_reason=invoice.void_reason,
            ledger=[Movement.of(entry) for entry in found.entries],
        )


_AMOUNTS = ("subtotal", "discount_total", "tax_total", "total", "paid", "credited", "outstanding", "disputed")
_PLAIN = (
    *("id", "kind", "status", "currency", "issued_on", "due_on", "purchase_order", "notes"),
    *("quote_id", "credits_id", "failure", "paid_at"),
)


def _fields(found: InvoiceDetail) -> dict[str, Any]:
    invoice = found.invoice
    return {
        **{name: getattr(invoice, name) for name in _PLAIN},
        **{name: Money(amount=getattr(invoice, name), currency=invoice.currency) for name in _AMOUNTS},
        "written_off": Money(amount=found.written_off, currency=invoice.currency),
        "number": found.number,
        "lines": [Line.of(line, invoice.currency) for line in found.lines],
        "taxes": [_tax(share, invoice) for share in invoice.taxes],
        "next_step": _step(found.steps[0]) if found.steps else None,
    }


def _tax(share: dict[str, Any], invoice: Invoice) -> Tax:
    net, tax = (Money(amount=share[name], currency=invoice.currency) for name in ("net", "tax"))
    return Tax(name=share["name"], rate=share["rate"], net=net, tax=tax)


def _step(step: ComingStep) -> NextStep:
    return NextStep(kind=step.kind, at=step.at, text=step_text(step.kind, step.params, gettext))


class Dunning(Shape):
    """ISO 8601 durations: retries of a failed payment, and reminders from the due time (negative: before it)."""

    retry_after: list[str] = Field(examples=[["P3D", "P5D", "P7D"]])
    reminders: list[str] = Field(examples=[["-P3D", "P1D"]])
