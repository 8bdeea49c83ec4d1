"""Contracts, and who signed what: signatures and the sealed documents they made."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, Index, Integer, LargeBinary, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonList, JsonObject, Moment, UuidKey, str_enum


class ContractStatus(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    SIGNED = "signed"
    VOID = "void"


class Contract(Tenanted, Base):
    """An agreement; its text is frozen when it is sent, and its document when it is signed."""

    __tablename__ = "contracts"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        tenant_reference("quote_id", "quotes"),
        UniqueConstraint("tenant_id", "number"),
        Index("ix_contracts_customer", "tenant_id", "customer_id", "created_at", "id"),
        Index("ix_contracts_status", "tenant_id", "status", "created_at", "id"),
    )

    id: Mapped[UuidKey]
    number: Mapped[str] = mapped_column(String(40))
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    quote_id: Mapped[UUID | None] = mapped_column(Uuid)
    title: Mapped[str] = mapped_column(String(160))
    body: Mapped[str] = mapped_column(Text, comment="Markdown")
    body_html: Mapped[str] = mapped_column(Text, comment="made when it was saved")
    status: Mapped[ContractStatus] = mapped_column(str_enum(ContractStatus), default=ContractStatus.DRAFT)
    locale: Mapped[str] = mapped_column(String(10), default="en", server_default="en")
    in_order: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false", comment="one after another")
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    document_key: Mapped[str | None] = mapped_column(String(120), comment="where the very bytes to sign are kept")
    content_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32), comment="of these bytes")
    sent_at: Mapped[Moment | None]
    signed_at: Mapped[Moment | None] = mapped_column(comment="when the last of them signed")
    voided_at: Mapped[Moment | None]
    void_reason: Mapped[str] = mapped_column(String(255), default="", server_default="")
    reminders: Mapped[int] = mapped_column(Integer, default=0, server_default="0", comment="how many were sent")
    expiry_told_at: Mapped[Moment | None] = mapped_column(comment="that it ends soon")
    document_size: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class SignatureStatus(StrEnum):
    WAITING = "waiting"
    SIGNED = "signed"
    DECLINED = "declined"


class Signature(Tenanted, Base):
    """A signer's place on a document, and the evidence once it was filled; evidence is never changed."""

    __tablename__ = "signatures"
    __table_args__ = (
        tenant_key(),
        tenant_reference("user_id", "users"),
        UniqueConstraint("tenant_id", "record_type", "record_id", "user_id"),
        Index("ix_signatures_record", "tenant_id", "record_type", "record_id", "position"),
        Index("ix_signatures_user", "tenant_id", "user_id", "status"),
    )

    id: Mapped[UuidKey]
    record_type: Mapped[str] = mapped_column(String(20), comment="quote, contract or payment_plan")
    record_id: Mapped[UUID] = mapped_column(Uuid)
    user_id: Mapped[UUID] = mapped_column(Uuid)
    position: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    side: Mapped[str] = mapped_column(String(10), comment="customer or staff")
    status: Mapped[SignatureStatus] = mapped_column(str_enum(SignatureStatus), default=SignatureStatus.WAITING)
    signer_name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    signer_email: Mapped[str] = mapped_column(String(254), default="", server_default="")
    content_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32), comment="what the signer said they saw")
    consent_version: Mapped[str] = mapped_column(String(20), default="", server_default="")
    consent_text: Mapped[str] = mapped_column(Text, default="", server_default="")
    image_key: Mapped[str | None] = mapped_column(String(120), comment="a drawn signature; else it was typed")
    address: Mapped[str] = mapped_column(String(45), default="", server_default="", comment="IP")
    user_agent: Mapped[str] = mapped_column(String(255), default="", server_default="")
    factors: Mapped[str] = mapped_column(
        String(60), default="", server_default="", comment="how the signer had signed in: pwd, otp, webauthn, sso"
    )
    decline_reason: Mapped[str] = mapped_column(String(500), default="", server_default="")
    viewed_at: Mapped[Moment | None] = mapped_column(comment="when they first opened it")
    decided_at: Mapped[Moment | None]
    created_at: Mapped[CreatedAt]


class SealedDocument(Tenanted, Base):
    """A signed document as it was sealed; `code` leads anyone to its check."""

    __tablename__ = "sealed_documents"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("code"),
        UniqueConstraint("tenant_id", "record_type", "record_id"),
        Index("ix_sealed_documents_sha256", "tenant_id", "sealed_sha256"),
    )

    id: Mapped[UuidKey]
    record_type: Mapped[str] = mapped_column(String(20), comment="quote or contract")
    record_id: Mapped[UUID] = mapped_column(Uuid)
    code: Mapped[str] = mapped_column(String(40), comment="of /verify/<code>; printed on the document")
    content_sha256: Mapped[bytes] = mapped_column(LargeBinary(32), comment="of the bytes that were shown and signed")
    sealed_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32), comment="of the sealed file")
    storage_key: Mapped[str | None] = mapped_column(String(120))
    size: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    level: Mapped[str] = mapped_column(String(10), default="", server_default="", comment="B-B or B-T; empty: waiting")
    earlier: Mapped[JsonList] = mapped_column(comment="SHA-256 of files before the level was raised")
    evidence: Mapped[JsonObject] = mapped_column(comment="what the evidence page says")
    sealed_at: Mapped[Moment | None]
    created_at: Mapped[CreatedAt]
