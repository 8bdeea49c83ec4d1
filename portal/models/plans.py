"""Payment plans agreed in writing: an invoice that is paid in instalments. Amounts are whole minor units."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, Index, Integer, LargeBinary, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.billing import CurrencyCode, Minor
from portal.models.types import CreatedAt, Moment, UuidKey, str_enum


class PlanInterval(StrEnum):
    MONTHLY = "monthly"
    WEEKLY = "weekly"


class PlanStatus(StrEnum):
    """Forward only: asked for, offered by the team, in force once the customer has signed, then over."""

    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    IN_FORCE = "in_force"
    KEPT = "kept"
    MISSED = "missed"
    ENDED = "ended"


STANDING_PLAN = frozenset({PlanStatus.OPEN, PlanStatus.GRANTED, PlanStatus.IN_FORCE})


class PaymentPlan(Tenanted, Base):
    """A wish to pay an invoice in instalments, and what was agreed; one at a time for each invoice."""

    __tablename__ = "payment_plans"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        tenant_reference("invoice_id", "invoices"),
        tenant_reference("signature_id", "signatures"),
        tenant_reference("method_id", "payment_methods"),
        CheckConstraint("wanted_count BETWEEN 2 AND 12", name="count_in_range"),
        CheckConstraint("total >= 0", name="total_not_negative"),
        CheckConstraint(
            "status NOT IN ('granted','in_force','kept','missed') OR content_sha256 IS NOT NULL",
            name="granted_with_content",
        ),
        CheckConstraint(
            "status NOT IN ('in_force','kept','missed') OR signature_id IS NOT NULL", name="in_force_when_signed"
        ),
        Index("ix_payment_plans_asked", "tenant_id", "asked_at", "id"),
        Index("ix_payment_plans_invoice", "tenant_id", "invoice_id", "asked_at"),
        Index(
            "uq_payment_plans_standing",
            "tenant_id",
            "invoice_id",
            unique=True,
            postgresql_where=text("status IN ('open','granted','in_force')"),
        ),
    )

    id: Mapped[UuidKey]
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    invoice_id: Mapped[UUID] = mapped_column(Uuid)
    status: Mapped[PlanStatus] = mapped_column(str_enum(PlanStatus), default=PlanStatus.OPEN)
    currency: Mapped[CurrencyCode]
    wanted_count: Mapped[int] = mapped_column(Integer)
    wanted_interval: Mapped[PlanInterval] = mapped_column(str_enum(PlanInterval))
    wanted_first_on: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)
    total: Mapped[Minor] = mapped_column(comment="what was outstanding when it was granted")
    answer: Mapped[str] = mapped_column(Text, default="", server_default="")
    content_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32), comment="of what was offered")
    signature_id: Mapped[UUID | None] = mapped_column(Uuid, comment="the customer's acceptance")
    method_id: Mapped[UUID | None] = mapped_column(Uuid, comment="charged with the instalments; NULL: paid by hand")
    code: Mapped[str | None] = mapped_column(String(60), comment="why it ended before it was kept or missed")
    asked_by: Mapped[UUID | None] = mapped_column(Uuid)
    decided_by: Mapped[UUID | None] = mapped_column(Uuid)
    asked_at: Mapped[CreatedAt]
    decided_at: Mapped[Moment | None]
    accepted_at: Mapped[Moment | None]
    ended_at: Mapped[Moment | None]


class PlanInstalment(Tenanted, Base):
    """One part of a plan and its day; written with the grant and never changed, but for how it went."""

    __tablename__ = "plan_instalments"
    __table_args__ = (
        tenant_reference("plan_id", "payment_plans"),
        tenant_reference("scheduled_id", "scheduled_payments"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    plan_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    due_on: Mapped[date] = mapped_column(Date, comment="in the tenant's zone")
    due_at: Mapped[Moment] = mapped_column(comment="the instant that day ends")
    amount: Mapped[Minor]
    paid_at: Mapped[Moment | None] = mapped_column(comment="when what was paid since covered it")
    scheduled_id: Mapped[UUID | None] = mapped_column(Uuid, comment="the charge that was planned for it")
