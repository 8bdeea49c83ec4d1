"""Billing: what is sold, what was invoiced, and the ledger that says what is owed.

Amounts are whole minor units of the row's currency (`portal/lib/money.py`).
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.lib.pay_methods import USUAL
from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonList, JsonObject, Moment, UuidKey, str_enum

Minor = Annotated[int, mapped_column(BigInteger, default=0, server_default="0")]
Quantity = Annotated[Decimal, mapped_column(Numeric(14, 4), default=Decimal(1), server_default="1")]
Percent = Annotated[Decimal, mapped_column(Numeric(7, 4), default=Decimal(0), server_default="0")]
CurrencyCode = Annotated[str, mapped_column(String(3))]


class BillingSettings(Tenanted, Base):
    """How a tenant bills: who it is in law, tax, terms, numbers, what customers may do."""

    __tablename__ = "billing_settings"

    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("tenants.id"), primary_key=True)
    currency: Mapped[CurrencyCode]
    seller: Mapped[JsonObject] = mapped_column(
        comment="legal_name, tax_number, line1, line2, postal_code, city, country (ISO 3166), iban, bic"
    )
    tax_rounding: Mapped[str] = mapped_column(String(10), default="document", server_default="document")
    payment_terms_days: Mapped[int] = mapped_column(Integer, default=30, server_default="30")
    quote_valid_days: Mapped[int] = mapped_column(Integer, default=30, server_default="30")
    quote_number_format: Mapped[str] = mapped_column(String(40), default="Q-{year}-{counter}")
    invoice_number_format: Mapped[str] = mapped_column(String(40), default="INV-{year}-{counter}")
    credit_note_number_format: Mapped[str] = mapped_column(String(40), default="CN-{year}-{counter}")
    contract_number_format: Mapped[str] = mapped_column(String(40), default="C-{year}-{counter}")
    partial_payments: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    partial_minimum: Mapped[Minor] = mapped_column(comment="least amount of a partial payment")
    late_fee_percent: Mapped[Percent]
    late_fee_after_days: Mapped[int] = mapped_column(Integer, default=0, server_default="0", comment="0: none")
    four_eyes_over: Mapped[int | None] = mapped_column(BigInteger, comment="refunds and write-offs above need two")
    invoice_notes: Mapped[JsonObject] = mapped_column(comment="locale -> text under each invoice")
    quote_terms: Mapped[JsonObject] = mapped_column(comment="locale -> text of the standard terms")
    quote_reminders: Mapped[JsonList] = mapped_column(comment="ISO 8601 durations before the end of validity")
    dunning: Mapped[JsonObject] = mapped_column(comment="retry_after and reminders, ISO 8601 durations")
    payment_methods: Mapped[JsonList] = mapped_column(
        default=lambda: [method.value for method in USUAL],
        server_default=text("""'["card", "bank_debit"]'"""),
        comment="codes of the ways of paying that are offered",
    )
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")


class TaxRate(Tenanted, Base):
    """A rate of tax the tenant charges."""

    __tablename__ = "tax_rates"
    __table_args__ = (tenant_key(), UniqueConstraint("tenant_id", "name"))

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(40), comment="as printed: VAT, GST")
    rate: Mapped[Percent]
    category: Mapped[str] = mapped_column(String(2), default="S", server_default="S", comment="UNCL 5305, for EN 16931")
    is_default: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")


class CatalogItem(Tenanted, Base):
    """Something sold often, with its usual price."""

    __tablename__ = "catalog_items"
    __table_args__ = (
        tenant_key(),
        tenant_reference("tax_rate_id", "tax_rates"),
        UniqueConstraint("tenant_id", "sku"),
    )

    id: Mapped[UuidKey]
    sku: Mapped[str] = mapped_column(String(40))
    names: Mapped[JsonObject] = mapped_column(comment="locale -> name")
    service_type: Mapped[str] = mapped_column(String(40), default="", server_default="")
    unit: Mapped[str] = mapped_column(String(20), default="", server_default="", comment="hour, month, piece")
    currency: Mapped[CurrencyCode]
    unit_price: Mapped[Minor]
    tax_rate_id: Mapped[UUID | None] = mapped_column(Uuid)
    discounts: Mapped[JsonList] = mapped_column(
        comment="[{from, percent}, …] as texts: so many percent off from this quantity on, the lowest first"
    )
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")


class InvoiceStatus(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    PROCESSING = "processing"
    OVERDUE = "overdue"
    PAID = "paid"
    FAILED = "failed"
    DISPUTED = "disputed"
    VOID = "void"


class InvoiceKind(StrEnum):
    INVOICE = "invoice"
    DEPOSIT = "deposit"
    REMAINDER = "remainder"
    LATE_FEE = "late_fee"
    CREDIT_NOTE = "credit_note"


UNPAID = frozenset(
    {
        InvoiceStatus.OPEN,
        InvoiceStatus.PROCESSING,
        InvoiceStatus.OVERDUE,
        InvoiceStatus.FAILED,
        InvoiceStatus.DISPUTED,
    }
)


_UNPAID = "status IN ('open','processing','overdue','failed','disputed')"
# In the words of the partial index: with parameters in their place a kept plan could not use it.
UNPAID_SQL = f"invoices.{_UNPAID}"


class Invoice(Tenanted, Base):
    """A demand for money (or, as a credit note, its taking back); frozen once it has a number."""

    __tablename__ = "invoices"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        tenant_reference("credits_id", "invoices"),
        UniqueConstraint("tenant_id", "number"),
        UniqueConstraint("tenant_id", "source_key"),
        CheckConstraint("paid >= 0 AND credited >= 0 AND paid + credited <= total", name="never_overpaid"),
        CheckConstraint("disputed >= 0 AND reserved >= 0", name="holds_not_negative"),
        CheckConstraint("(status = 'draft') = (number IS NULL)", name="numbered_when_issued"),
        Index("ix_invoices_customer", "tenant_id", "customer_id", "issued_on", "id"),
        Index("ix_invoices_status", "tenant_id", "status", "due_on", "id"),
        Index("ix_invoices_issued", "tenant_id", "issued_on", "id"),
        Index(
            "ix_invoices_unpaid",
            *("tenant_id", "customer_id", "currency", "due_on"),
            postgresql_include=["total", "paid", "credited", "kind", "failure"],
            postgresql_where=text(_UNPAID),
        ),
    )

    id: Mapped[UuidKey]
    kind: Mapped[InvoiceKind] = mapped_column(str_enum(InvoiceKind), default=InvoiceKind.INVOICE)
    number: Mapped[str | None] = mapped_column(String(40))
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    status: Mapped[InvoiceStatus] = mapped_column(str_enum(InvoiceStatus), default=InvoiceStatus.DRAFT)
    currency: Mapped[CurrencyCode]
    issued_on: Mapped[date | None] = mapped_column(Date)
    due_on: Mapped[date | None] = mapped_column(Date)
    due_at: Mapped[Moment | None] = mapped_column(comment="end of the due day in the tenant's zone")
    subtotal: Mapped[Minor]
    discount_total: Mapped[Minor]
    tax_total: Mapped[Minor]
    total: Mapped[Minor]
    taxes: Mapped[JsonList] = mapped_column(comment="[{name, rate, net, tax}, …]")
    paid: Mapped[Minor] = mapped_column(comment="received less refunded")
    reserved: Mapped[Minor] = mapped_column(comment="in payments that are not decided yet")
    credited: Mapped[Minor] = mapped_column(comment="by credit notes and write-offs")
    disputed: Mapped[Minor]
    quote_id: Mapped[UUID | None] = mapped_column(Uuid, comment="the accepted version")
    credits_id: Mapped[UUID | None] = mapped_column(Uuid, comment="of a credit note: the invoice it takes back")
    source_key: Mapped[str | None] = mapped_column(
        String(80), comment="names what it was made from (quote:<id>:full), so that it is made once"
    )
    purchase_order: Mapped[str] = mapped_column(String(60), default="", server_default="")
    notes: Mapped[str] = mapped_column(Text, default="", server_default="")
    seller: Mapped[JsonObject] = mapped_column(comment="as it was on the day of issue")
    buyer: Mapped[JsonObject] = mapped_column(comment="name, tax_number, address, as it was on the day of issue")
    locale: Mapped[str] = mapped_column(String(10), default="en", server_default="en")
    failure: Mapped[str | None] = mapped_column(String(60), comment="code of the last payment's refusal")
    paid_at: Mapped[Moment | None]
    voided_at: Mapped[Moment | None]
    void_reason: Mapped[str] = mapped_column(String(255), default="", server_default="")
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    cycle: Mapped[int] = mapped_column(Integer, default=0, server_default="0", comment="the run of its timer")
    dunned: Mapped[JsonObject] = mapped_column(
        comment="step of the plan -> when it was done, empty where it was passed over"
    )
    dunning_from: Mapped[Moment | None] = mapped_column(
        comment="reminders and the late fee count from here where it is later than the due time"
    )
    plan_due_at: Mapped[Moment | None] = mapped_column(
        comment="while a payment plan is in force: the due time of its first unpaid instalment"
    )

    @property
    def outstanding(self) -> int:
        """What is still owed, in minor units; nothing once void."""
        return 0 if self.status is InvoiceStatus.VOID else self.total - self.paid - self.credited

    @property
    def undisputed(self) -> int:
        """What is owed and not objected to: reminders, late fees and auto-pay are about no more than this."""
        return max(0, self.outstanding - self.disputed)


class InvoiceLine(Tenanted, Base):
    """One line of an invoice."""

    __tablename__ = "invoice_lines"
    __table_args__ = (
        tenant_key(),
        tenant_reference("invoice_id", "invoices", ondelete="CASCADE"),
        CheckConstraint("discount >= 0", name="discount_not_negative"),
        Index("ix_invoice_lines_invoice", "tenant_id", "invoice_id", "position"),
    )

    id: Mapped[UuidKey]
    invoice_id: Mapped[UUID] = mapped_column(Uuid)
    position: Mapped[int] = mapped_column(Integer)
    catalog_item_id: Mapped[UUID | None] = mapped_column(Uuid)
    service_type: Mapped[str] = mapped_column(String(40), default="", server_default="")
    description: Mapped[str] = mapped_column(String(500))
    quantity: Mapped[Quantity]
    unit: Mapped[str] = mapped_column(String(20), default="", server_default="")
    unit_price: Mapped[Minor]
    discount: Mapped[Minor]
    tax_name: Mapped[str] = mapped_column(String(40), default="", server_default="")
    tax_rate: Mapped[Percent]
    tax_category: Mapped[str] = mapped_column(String(2), default="S", server_default="S")
    total: Mapped[Minor] = mapped_column(comment="after the discount, before tax")
    disputed: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class LedgerKind(StrEnum):
    INVOICED = "invoiced"
    CREDITED = "credited"
    VOIDED = "voided"
    PAID = "paid"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"
    RESTORED = "restored"
    WRITTEN_OFF = "written_off"
    WRITE_OFF_REVERSED = "write_off_reversed"
    CREDIT_ADDED = "credit_added"
    CREDIT_USED = "credit_used"


class LedgerEntry(Tenanted, Base):
    """One movement of what a company owes; rows are added and never changed (the database refuses it)."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        tenant_reference("invoice_id", "invoices"),
        UniqueConstraint("tenant_id", "key"),
        Index("ix_ledger_entries_customer", "tenant_id", "customer_id", "at", "seq"),
        Index("ix_ledger_entries_invoice", "tenant_id", "invoice_id", "seq"),
    )

    id: Mapped[UuidKey]
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    invoice_id: Mapped[UUID | None] = mapped_column(Uuid)
    payment_id: Mapped[UUID | None] = mapped_column(Uuid)
    refund_id: Mapped[UUID | None] = mapped_column(Uuid)
    kind: Mapped[LedgerKind] = mapped_column(str_enum(LedgerKind))
    amount: Mapped[int] = mapped_column(BigInteger, comment="what it adds to what is owed; payments are negative")
    currency: Mapped[CurrencyCode]
    key: Mapped[str] = mapped_column(String(120), comment="names the cause, so that it is booked once")
    at: Mapped[Moment] = mapped_column(comment="when it happened")
    booked_at: Mapped[CreatedAt]


class NumberSeries(Tenanted, Base):
    """The last number of a series without gaps; locked by whoever takes the next until it commits."""

    __tablename__ = "number_series"

    name: Mapped[str] = mapped_column(String(40), primary_key=True, comment="invoice:2026")
    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("tenants.id"), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
