"""What customers object to or ask for about their invoices, and what their banks take back.

Amounts are whole minor units of the row's currency, tax included.
"""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Date, Index, String, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.billing import CurrencyCode, Minor
from portal.models.types import CreatedAt, Moment, UuidKey, str_enum


class DisputeStatus(StrEnum):
    """Forward only: the customer may withdraw, and the team decide, while nobody has done either."""

    OPEN = "open"
    UNDER_REVIEW = "under_review"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


ACTIVE_DISPUTE = frozenset({DisputeStatus.OPEN, DisputeStatus.UNDER_REVIEW})


class DisputeOutcome(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class DisputeReason(StrEnum):
    WRONG_AMOUNT = "wrong_amount"
    NOT_DELIVERED = "not_delivered"
    POOR_QUALITY = "poor_quality"
    BILLED_TWICE = "billed_twice"
    NOT_ORDERED = "not_ordered"
    ALREADY_PAID = "already_paid"
    OTHER = "other"


class Dispute(Tenanted, Base):
    """A customer's objection to lines of an invoice, or to a payment (H7.10)."""

    __tablename__ = "disputes"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        tenant_reference("invoice_id", "invoices"),
        tenant_reference("payment_id", "payments"),
        tenant_reference("credit_note_id", "invoices"),
        tenant_reference("refund_id", "refunds"),
        CheckConstraint("(invoice_id IS NULL) <> (payment_id IS NULL)", name="about_one"),
        CheckConstraint("amount > 0 AND accepted >= 0 AND accepted <= amount", name="amounts_in_range"),
        CheckConstraint("(status = 'resolved') = (outcome IS NOT NULL)", name="decided_with_outcome"),
        Index("ix_disputes_customer", "tenant_id", "customer_id", "opened_at", "id"),
        Index("ix_disputes_opened", "tenant_id", "opened_at", "id"),
        Index("ix_disputes_invoice", "tenant_id", "invoice_id", "opened_at"),
        Index(
            "uq_disputes_payment",
            "tenant_id",
            "payment_id",
            unique=True,
            postgresql_where=text("payment_id IS NOT NULL AND status IN ('open','under_review')"),
        ),
    )

    id: Mapped[UuidKey]
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    invoice_id: Mapped[UUID | None] = mapped_column(Uuid)
    payment_id: Mapped[UUID | None] = mapped_column(Uuid)
    status: Mapped[DisputeStatus] = mapped_column(str_enum(DisputeStatus), default=DisputeStatus.OPEN)
    outcome: Mapped[DisputeOutcome | None] = mapped_column(str_enum(DisputeOutcome))
    reason: Mapped[DisputeReason] = mapped_column(str_enum(DisputeReason))
    words: Mapped[str] = mapped_column(Text)
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    accepted: Mapped[Minor] = mapped_column(comment="what was given in to")
    answer: Mapped[str] = mapped_column(Text, default="", server_default="")
    credit_note_id: Mapped[UUID | None] = mapped_column(Uuid)
    refund_id: Mapped[UUID | None] = mapped_column(Uuid)
    opened_by: Mapped[UUID | None] = mapped_column(Uuid)
    reviewed_by: Mapped[UUID | None] = mapped_column(Uuid)
    decided_by: Mapped[UUID | None] = mapped_column(Uuid, comment="who resolved or withdrew it")
    opened_at: Mapped[CreatedAt]
    reviewed_at: Mapped[Moment | None]
    decided_at: Mapped[Moment | None]


class DisputedLine(Tenanted, Base):
    """How much of a line is objected to; one dispute at a time for each line."""

    __tablename__ = "disputed_lines"
    __table_args__ = (
        tenant_reference("dispute_id", "disputes"),
        tenant_reference("line_id", "invoice_lines"),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("uq_disputed_lines_line", "tenant_id", "line_id", unique=True, postgresql_where=text("active")),
    )

    dispute_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    line_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    amount: Mapped[Minor]
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")


class ExtensionStatus(StrEnum):
    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ExtensionRequest(Tenanted, Base):
    """A customer's wish to pay an invoice later (BIL-11); one at a time for each invoice."""

    __tablename__ = "extension_requests"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        tenant_reference("invoice_id", "invoices"),
        CheckConstraint("(status = 'granted') = (granted_on IS NOT NULL)", name="granted_with_day"),
        Index("ix_extension_requests_asked", "tenant_id", "asked_at", "id"),
        Index("ix_extension_requests_invoice", "tenant_id", "invoice_id", "asked_at"),
        Index(
            "uq_extension_requests_open",
            "tenant_id",
            "invoice_id",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
    )

    id: Mapped[UuidKey]
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    invoice_id: Mapped[UUID] = mapped_column(Uuid)
    status: Mapped[ExtensionStatus] = mapped_column(str_enum(ExtensionStatus), default=ExtensionStatus.OPEN)
    due_before: Mapped[date] = mapped_column(Date, comment="the due date when it was asked for")
    wanted_on: Mapped[date] = mapped_column(Date)
    granted_on: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text, default="", server_default="")
    asked_by: Mapped[UUID | None] = mapped_column(Uuid)
    decided_by: Mapped[UUID | None] = mapped_column(Uuid)
    asked_at: Mapped[CreatedAt]
    decided_at: Mapped[Moment | None]


class ChargebackState(StrEnum):
    """Of the bank's case: what is closed never opens again; a lost one may still be won."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Chargeback(Tenanted, Base):
    """A payer's objection at their bank, as the gateway tells of it."""

    __tablename__ = "chargebacks"
    __table_args__ = (
        tenant_key(),
        tenant_reference("payment_id", "payments"),
        UniqueConstraint("gateway_id"),
        CheckConstraint("amount >= 0 AND booked >= 0", name="amounts_not_negative"),
        Index("ix_chargebacks_payment", "tenant_id", "payment_id"),
        Index("ix_chargebacks_opened", "tenant_id", "opened_at", "id"),
    )

    id: Mapped[UuidKey]
    payment_id: Mapped[UUID] = mapped_column(Uuid)
    gateway_id: Mapped[str] = mapped_column(String(80))
    state: Mapped[ChargebackState] = mapped_column(str_enum(ChargebackState), default=ChargebackState.OPEN)
    gateway_status: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(60), comment="the gateway's own code")
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    booked: Mapped[Minor] = mapped_column(comment="what the ledger took back for it")
    due_by: Mapped[Moment | None] = mapped_column(comment="last moment for evidence at the gateway")
    opened_at: Mapped[CreatedAt]
    decided_at: Mapped[Moment | None]
    updated_at: Mapped[CreatedAt]
