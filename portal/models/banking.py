"""The bank's side: statements as they were read, the money on them, and what people made of it."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, Index, Integer, String, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.billing import CurrencyCode, Minor
from portal.models.types import CreatedAt, JsonObject, Moment, UuidKey, str_enum


class BankStatementFormat(StrEnum):
    CAMT = "camt"
    CSV = "csv"


class BankStatement(Tenanted, Base):
    """A file of the bank; a CSV keeps its text until somebody has said what its columns mean."""

    __tablename__ = "bank_statements"
    __table_args__ = (tenant_key(), Index("ix_bank_statements_created", "tenant_id", "created_at", "id"))

    id: Mapped[UuidKey]
    format: Mapped[BankStatementFormat] = mapped_column(str_enum(BankStatementFormat))
    file_name: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[str | None] = mapped_column(Text, deferred=True)
    mapping: Mapped[JsonObject] = mapped_column(comment="of a CSV: what its columns were said to mean")
    added: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    known: Mapped[int] = mapped_column(Integer, default=0, server_default="0", comment="were there already")
    passed_over: Mapped[int] = mapped_column(Integer, default=0, server_default="0", comment="debits, not booked yet")
    imported_by: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[Moment | None]


class TransferStatus(StrEnum):
    UNMATCHED = "unmatched"
    MATCHED = "matched"
    SET_ASIDE = "set_aside"


class BankTransaction(Tenanted, Base):
    """Money that reached the tenant's account; what the bank said of it never changes."""

    __tablename__ = "bank_transactions"
    __table_args__ = (
        tenant_key(),
        tenant_reference("statement_id", "bank_statements"),
        UniqueConstraint("tenant_id", "account", "key"),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_bank_transactions_status", "tenant_id", "status", "booked_on", "id"),
        Index("ix_bank_transactions_payer", "tenant_id", "payer_account"),
    )

    id: Mapped[UuidKey]
    statement_id: Mapped[UUID] = mapped_column(Uuid)
    account: Mapped[str] = mapped_column(String(40), comment="IBAN or number of the tenant's own account")
    key: Mapped[str] = mapped_column(String(64), comment="names the entry, so that it is stored once")
    booked_on: Mapped[date] = mapped_column(Date)
    amount: Mapped[Minor]
    currency: Mapped[CurrencyCode]
    payer_name: Mapped[str] = mapped_column(String(140), default="", server_default="")
    payer_account: Mapped[str] = mapped_column(String(40), default="", server_default="")
    remittance: Mapped[str] = mapped_column(String(1000), default="", server_default="", comment="what the payer wrote")
    reference: Mapped[str] = mapped_column(String(140), default="", server_default="", comment="structured, ISO 11649")
    bank_reference: Mapped[str] = mapped_column(String(140), default="", server_default="")
    status: Mapped[TransferStatus] = mapped_column(str_enum(TransferStatus), default=TransferStatus.UNMATCHED)
    note: Mapped[str] = mapped_column(String(255), default="", server_default="", comment="why it was set aside")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class BankMatch(Tenanted, Base):
    """What somebody said a transfer was for, and the payment that was booked; at most one that was not undone."""

    __tablename__ = "bank_matches"
    __table_args__ = (
        tenant_key(),
        tenant_reference("transaction_id", "bank_transactions"),
        tenant_reference("payment_id", "payments"),
        Index(
            "uq_bank_matches_standing",
            "tenant_id",
            "transaction_id",
            unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index("ix_bank_matches_payment", "tenant_id", "payment_id"),
    )

    id: Mapped[UuidKey]
    transaction_id: Mapped[UUID] = mapped_column(Uuid)
    payment_id: Mapped[UUID] = mapped_column(Uuid)
    matched_by: Mapped[UUID | None] = mapped_column(Uuid)
    matched_by_name: Mapped[str] = mapped_column(String(160), default="", server_default="")
    matched_at: Mapped[CreatedAt]
    undone_by: Mapped[UUID | None] = mapped_column(Uuid)
    undone_by_name: Mapped[str] = mapped_column(String(160), default="", server_default="")
    undone_at: Mapped[Moment | None]
    undone_reason: Mapped[str] = mapped_column(String(255), default="", server_default="")


class WriteOffStatus(StrEnum):
    REQUESTED = "requested"
    DONE = "done"
    REFUSED = "refused"


class WriteOff(Tenanted, Base):
    """What is given up of an invoice, or taken back of that; above the tenant's limit once a second person agrees."""

    __tablename__ = "write_offs"
    __table_args__ = (
        tenant_key(),
        tenant_reference("invoice_id", "invoices"),
        tenant_reference("reverses_id", "write_offs"),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index(
            "uq_write_offs_reverses",
            "tenant_id",
            "reverses_id",
            unique=True,
            postgresql_where=text("reverses_id IS NOT NULL AND status <> 'refused'"),
        ),
        Index("ix_write_offs_invoice", "tenant_id", "invoice_id"),
        Index(
            "uq_write_offs_requested",
            "tenant_id",
            "invoice_id",
            unique=True,
            postgresql_where=text("status = 'requested'"),
        ),
    )

    id: Mapped[UuidKey]
    invoice_id: Mapped[UUID] = mapped_column(Uuid)
    amount: Mapped[Minor]
    currency: Mapped[CurrencyCode]
    reverses_id: Mapped[UUID | None] = mapped_column(Uuid, comment="the write-off that this takes back")
    reason: Mapped[str] = mapped_column(String(255))
    status: Mapped[WriteOffStatus] = mapped_column(str_enum(WriteOffStatus), default=WriteOffStatus.REQUESTED)
    requested_by: Mapped[UUID | None] = mapped_column(Uuid)
    requested_by_name: Mapped[str] = mapped_column(String(160), default="", server_default="")
    decided_by: Mapped[UUID | None] = mapped_column(Uuid)
    decided_by_name: Mapped[str] = mapped_column(String(160), default="", server_default="")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
