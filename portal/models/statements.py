"""Statements of a company's account: asked for, made once by the worker, kept as they were made."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    Index,
    LargeBinary,
    String,
    Uuid,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonList, Moment, UuidKey, str_enum


class StatementKind(StrEnum):
    """A span of days, or a calendar year with its taxes."""

    PERIOD = "period"
    ANNUAL = "annual"


class StatementFormat(StrEnum):
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"


class StatementState(StrEnum):
    QUEUED = "queued"
    READY = "ready"
    FAILED = "failed"


class Statement(Tenanted, Base):
    """The movements of a span of days as they were booked at a moment that never moves."""

    __tablename__ = "statements"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        CheckConstraint("end_on >= start_on", name="ends_after_start"),
        CheckConstraint("(state = 'ready') = (storage_key IS NOT NULL)", name="stored_when_ready"),
        Index("ix_statements_customer", "tenant_id", "customer_id", "created_at", "id"),
    )

    id: Mapped[UuidKey]
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    requested_by: Mapped[UUID | None] = mapped_column(Uuid)
    kind: Mapped[StatementKind] = mapped_column(str_enum(StatementKind), default=StatementKind.PERIOD)
    format: Mapped[StatementFormat] = mapped_column(str_enum(StatementFormat))
    state: Mapped[StatementState] = mapped_column(str_enum(StatementState), default=StatementState.QUEUED)
    start_on: Mapped[date] = mapped_column(Date)
    end_on: Mapped[date] = mapped_column(Date, comment="included")
    zone: Mapped[str] = mapped_column(String(64), comment="whose days these are")
    locale: Mapped[str] = mapped_column(String(10))
    as_of: Mapped[datetime] = mapped_column(
        DateTime(timezone=True),
        server_default=func.now(),
        comment="the database's own clock: what was booked later is not in it",
    )
    attach: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false", comment="to the mail")
    figures: Mapped[JsonList] = mapped_column(comment="[{currency, opening, closing, lines}, …]")
    failure: Mapped[str | None] = mapped_column(String(60), comment="code of why it was not made")
    storage_key: Mapped[str | None] = mapped_column(String(120))
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[CreatedAt]
    ready_at: Mapped[Moment | None]
