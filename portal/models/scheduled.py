"""Payments that customers planned for a later day, and which reminders they want."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, Index, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.billing import CurrencyCode
from portal.models.types import CreatedAt, JsonList, Moment, UuidKey, str_enum


class ScheduleStatus(StrEnum):
    """What became of a planned payment; once it is started, its payment says the rest."""

    PLANNED = "planned"
    STARTED = "started"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ScheduledPayment(Tenanted, Base):
    """An amount of an invoice that a saved method is charged with on a day the customer chose (BIL-06)."""

    __tablename__ = "scheduled_payments"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        tenant_reference("invoice_id", "invoices"),
        tenant_reference("method_id", "payment_methods"),
        tenant_reference("payment_id", "payments"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("(status = 'started') = (payment_id IS NOT NULL)", name="started_with_payment"),
        Index("ix_scheduled_payments_customer", "tenant_id", "customer_id", "charge_at", "id"),
        Index(
            "ix_scheduled_payments_planned",
            "tenant_id",
            "invoice_id",
            postgresql_where=text("status = 'planned'"),
        ),
    )

    id: Mapped[UuidKey]
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    invoice_id: Mapped[UUID] = mapped_column(Uuid)
    method_id: Mapped[UUID] = mapped_column(Uuid)
    amount: Mapped[int | None] = mapped_column(BigInteger, comment="NULL: all that is due then")
    currency: Mapped[CurrencyCode]
    day: Mapped[date] = mapped_column(Date, comment="in the tenant's zone")
    charge_at: Mapped[Moment] = mapped_column(comment="as that day begins")
    status: Mapped[ScheduleStatus] = mapped_column(str_enum(ScheduleStatus), default=ScheduleStatus.PLANNED)
    code: Mapped[str | None] = mapped_column(String(60), comment="why it ended without a payment")
    payment_id: Mapped[UUID | None] = mapped_column(Uuid)
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    noticed_at: Mapped[Moment | None] = mapped_column(comment="announced the day before")
    told_at: Mapped[Moment | None] = mapped_column(comment="that it ended by itself")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class ReminderChoice(Tenanted, Base):
    """Which payment reminders a login wants instead of the tenant's (H7.8); no row: the tenant's, by mail."""

    __tablename__ = "reminder_choices"
    __table_args__ = (
        tenant_reference("user_id", "users"),
        CheckConstraint("by_mail OR by_text OR days = '[]'", name="goes_out_somehow"),
    )

    user_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    days: Mapped[JsonList] = mapped_column(comment="days after the due day; negative: before it")
    by_mail: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    by_text: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    updated_at: Mapped[CreatedAt]
