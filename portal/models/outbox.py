"""Events that leave the database, and the audit trail written beside them."""

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted
from portal.models.types import CreatedAt, JsonObject, Moment, UuidKey


class OutboxEvent(Tenanted, Base):
    """A fact of one transaction that the relay still has to tell (or has told)."""

    __tablename__ = "outbox_events"
    __table_args__ = (
        Index("ix_outbox_pending", "seq", postgresql_where=text("processed_at IS NULL")),
        Index("ix_outbox_record", "tenant_id", "record_id", "seq"),
    )

    id: Mapped[UuidKey]
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    kind: Mapped[str] = mapped_column(String(60))
    record_type: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[UUID] = mapped_column(Uuid)
    payload: Mapped[JsonObject]
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[UUID | None] = mapped_column(Uuid)
    correlation_id: Mapped[UUID] = mapped_column(Uuid)
    depth: Mapped[int] = mapped_column(Integer, default=0)
    occurred_at: Mapped[Moment]
    created_at: Mapped[CreatedAt]
    processed_at: Mapped[Moment | None]
    available_at: Mapped[CreatedAt]
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    last_error: Mapped[str | None] = mapped_column(Text)


class AuditEntry(Tenanted, Base):
    """Who did what to which record; append-only for the application's role (SEC-05, SEC-06)."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_record", "tenant_id", "record_id", "seq"),
        Index("ix_audit_at", "tenant_id", "seq"),
    )

    id: Mapped[UuidKey]
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    at: Mapped[Moment]
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[UUID | None] = mapped_column(Uuid)
    actor_name: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(60))
    record_type: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[UUID | None] = mapped_column(Uuid)
    ip: Mapped[str] = mapped_column(String(45), default="")
    request_id: Mapped[str] = mapped_column(String(40), default="")
    before: Mapped[JsonObject]
    after: Mapped[JsonObject]


class AuditLink(Tenanted, Base):
    """One link of a tenant's chain of hashes over its audit entries; append-only (SEC-06)."""

    __tablename__ = "audit_links"
    __table_args__ = (UniqueConstraint("tenant_id", "entry_id"),)

    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("tenants.id"), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, comment="from 1, no gaps")
    entry_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("audit_entries.id"))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), comment="SHA-256 of the previous hash and the entry")
    sealed_at: Mapped[CreatedAt]
