"""Payments: how companies pay, what was tried, and what the gateway told us (research: payments)."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Index, Integer, String, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.billing import CurrencyCode, Minor
from portal.models.types import CreatedAt, JsonObject, Moment, UuidKey, str_enum


class GatewayCustomer(Tenanted, Base):
    """A company's customer record at the gateway."""

    __tablename__ = "gateway_customers"
    __table_args__ = (
        tenant_reference("customer_id", "companies"),
        UniqueConstraint("gateway_id"),
    )

    customer_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    gateway_id: Mapped[str | None] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(80), comment="idempotency key of its creation")
    created_at: Mapped[CreatedAt]


class PaymentMethod(Tenanted, Base):
    """A saved card or account: a token and what may be shown of it (SEC-08)."""

    __tablename__ = "payment_methods"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        UniqueConstraint("tenant_id", "gateway_id"),
        Index(
            "uq_payment_methods_default",
            "tenant_id",
            "customer_id",
            unique=True,
            postgresql_where=text("is_default AND removed_at IS NULL"),
        ),
    )

    id: Mapped[UuidKey]
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    added_by: Mapped[UUID | None] = mapped_column(Uuid)
    gateway_id: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(30), comment="card, sepa_debit, us_bank_account, …")
    brand: Mapped[str] = mapped_column(String(30), default="", server_default="")
    last4: Mapped[str] = mapped_column(String(4), default="", server_default="")
    exp_month: Mapped[int | None] = mapped_column(Integer)
    exp_year: Mapped[int | None] = mapped_column(Integer)
    fingerprint: Mapped[str] = mapped_column(String(80), default="", server_default="")
    is_default: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    consent_version: Mapped[str] = mapped_column(String(20), default="", server_default="")
    consent_at: Mapped[Moment | None]
    consent_address: Mapped[str] = mapped_column(String(45), default="", server_default="")
    created_at: Mapped[CreatedAt]
    removed_at: Mapped[Moment | None]
    expiry_told: Mapped[str] = mapped_column(
        String(20), default="", server_default="", comment="the last notice of its end: 2028-08:30"
    )


class PaymentStatus(StrEnum):
    """Moves forward only; `succeeded` may still be refunded or disputed, which are amounts of their own."""

    CREATED = "created"
    OPEN = "open"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNDECIDED = frozenset(
    {PaymentStatus.CREATED, PaymentStatus.OPEN, PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING}
)


class PaymentKind(StrEnum):
    HOSTED = "hosted"
    SAVED = "saved"
    AUTO_PAY = "auto_pay"
    SCHEDULED = "scheduled"
    TRANSFER = "transfer"
    CREDIT = "credit"


class Payment(Tenanted, Base):
    """One attempt series at the gateway (one PaymentIntent), or money that came another way."""

    __tablename__ = "payments"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        tenant_reference("method_id", "payment_methods"),
        UniqueConstraint("tenant_id", "number"),
        UniqueConstraint("intent_id"),
        UniqueConstraint("session_id"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("refunded >= 0 AND refunded <= amount", name="refunded_in_range"),
        CheckConstraint("disputed >= 0 AND charged_back >= 0", name="disputed_not_negative"),
        Index("ix_payments_customer", "tenant_id", "customer_id", "created_at", "id"),
        Index(
            "ix_payments_undecided",
            "tenant_id",
            "created_at",
            postgresql_where=text("status IN ('created','open','requires_action','processing')"),
        ),
    )

    id: Mapped[UuidKey]
    number: Mapped[str] = mapped_column(String(40))
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    started_by: Mapped[UUID | None] = mapped_column(Uuid)
    kind: Mapped[PaymentKind] = mapped_column(str_enum(PaymentKind))
    status: Mapped[PaymentStatus] = mapped_column(str_enum(PaymentStatus), default=PaymentStatus.CREATED)
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    refunded: Mapped[Minor]
    disputed: Mapped[Minor] = mapped_column(comment="by the payer's bank, which has not decided yet")
    charged_back: Mapped[Minor] = mapped_column(comment="taken back by the payer's bank")
    method_id: Mapped[UUID | None] = mapped_column(Uuid)
    method: Mapped[JsonObject] = mapped_column(comment="kind, brand, last4 as they were")
    session_id: Mapped[str | None] = mapped_column(String(120))
    intent_id: Mapped[str | None] = mapped_column(String(80))
    charge_id: Mapped[str | None] = mapped_column(String(80))
    redirect_url: Mapped[str | None] = mapped_column(String(1000))
    attempt: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    keys: Mapped[JsonObject] = mapped_column(comment="step -> idempotency key, written before the call")
    failure_code: Mapped[str | None] = mapped_column(String(60))
    advice_code: Mapped[str | None] = mapped_column(String(60))
    expires_at: Mapped[Moment | None]
    succeeded_at: Mapped[Moment | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class PaymentAllocation(Tenanted, Base):
    """How much of a payment is for which invoice; a reservation until the payment is decided."""

    __tablename__ = "payment_allocations"
    __table_args__ = (
        tenant_reference("payment_id", "payments"),
        tenant_reference("invoice_id", "invoices"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("refunded >= 0 AND refunded <= amount", name="refunded_in_range"),
        Index("ix_payment_allocations_invoice", "tenant_id", "invoice_id"),
    )

    payment_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    invoice_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    amount: Mapped[Minor]
    booked: Mapped[Minor] = mapped_column(comment="what the invoice took of it once the money was there")
    refunded: Mapped[Minor]


class RefundStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"


class Refund(Tenanted, Base):
    """Money on its way back."""

    __tablename__ = "refunds"
    __table_args__ = (
        tenant_key(),
        tenant_reference("payment_id", "payments"),
        UniqueConstraint("gateway_id"),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_refunds_payment", "tenant_id", "payment_id"),
    )

    id: Mapped[UuidKey]
    payment_id: Mapped[UUID] = mapped_column(Uuid)
    invoice_id: Mapped[UUID | None] = mapped_column(Uuid, comment="whose paid amount falls; NULL: newest first")
    amount: Mapped[Minor]
    currency: Mapped[CurrencyCode]
    status: Mapped[RefundStatus] = mapped_column(str_enum(RefundStatus), default=RefundStatus.REQUESTED)
    reason: Mapped[str] = mapped_column(String(255))
    gateway_id: Mapped[str | None] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(120), comment="idempotency key of its creation")
    requested_by: Mapped[UUID | None] = mapped_column(Uuid)
    approved_by: Mapped[UUID | None] = mapped_column(Uuid)
    expected_at: Mapped[Moment | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class GatewayEvent(Base):
    """What the gateway told us, once per event; belongs to no tenant until its object was read."""

    __tablename__ = "gateway_events"
    __table_args__ = (Index("ix_gateway_events_waiting", "received_at", postgresql_where=text("processed_at IS NULL")),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True, comment="evt_…")
    kind: Mapped[str] = mapped_column(String(80))
    object_id: Mapped[str] = mapped_column(String(120))
    created: Mapped[int] = mapped_column(BigInteger, comment="Unix seconds, the gateway's clock")
    intent_id: Mapped[str | None] = mapped_column(String(80), comment="where to look")
    customer_id: Mapped[str | None] = mapped_column(String(80), comment="where to look")
    received_at: Mapped[CreatedAt]
    processed_at: Mapped[Moment | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    error: Mapped[str | None] = mapped_column(String(255))


class AutoPay(Tenanted, Base):
    """A company's standing agreement that due invoices are charged by themselves (H7.7)."""

    __tablename__ = "auto_pay"
    __table_args__ = (
        tenant_reference("customer_id", "companies"),
        tenant_reference("method_id", "payment_methods"),
        CheckConstraint('"limit" > 0', name="limit_positive"),
    )

    customer_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    enabled: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    method_id: Mapped[UUID | None] = mapped_column(Uuid)
    limit: Mapped[int | None] = mapped_column(BigInteger, comment="most that is charged at once; NULL: whatever is due")
    consent_by: Mapped[UUID | None] = mapped_column(Uuid)
    consent_at: Mapped[Moment | None]
    consent_address: Mapped[str] = mapped_column(String(45), default="", server_default="")
    consent_version: Mapped[str] = mapped_column(String(20), default="", server_default="")
    updated_at: Mapped[CreatedAt]


class AutoPayState(StrEnum):
    """What becomes of an invoice that auto-pay looks after."""

    WAITING = "waiting"
    CHARGING = "charging"
    NEEDS_CUSTOMER = "needs_customer"
    STOPPED = "stopped"
    DONE = "done"


class AutoPayAttempt(Tenanted, Base):
    """The plan of one invoice: how often it was tried, and when it is tried next."""

    __tablename__ = "auto_pay_attempts"
    __table_args__ = (tenant_reference("invoice_id", "invoices"),)

    invoice_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    state: Mapped[AutoPayState] = mapped_column(str_enum(AutoPayState), default=AutoPayState.WAITING)
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    next_at: Mapped[Moment | None]
    noticed_at: Mapped[Moment | None]
    payment_id: Mapped[UUID | None] = mapped_column(Uuid)
    code: Mapped[str | None] = mapped_column(String(60), comment="why it is as it is")
    updated_at: Mapped[CreatedAt]


class GatewayMark(Base):
    """Up to when the gateway's own list of events was read; of no tenant, like the events."""

    __tablename__ = "gateway_marks"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    created: Mapped[int] = mapped_column(BigInteger, comment="Unix seconds, the gateway's clock")
