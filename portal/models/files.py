"""Files people send: kept under random names outside the web, downloadable once they are clean."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Uuid,
    and_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, Moment, UuidKey, str_enum


class FileState(StrEnum):
    """Whether a file may be handed out (SEC-11)."""

    SCANNING = "scanning"
    CLEAN = "clean"
    REFUSED = "refused"


class Attachment(Tenanted, Base):
    """A file of a ticket or of a dispute; it belongs to nobody's message until one is sent with it."""

    __tablename__ = "attachments"
    __table_args__ = (
        tenant_key(),
        tenant_reference("uploaded_by", "users"),
        tenant_reference("ticket_id", "portal_tickets"),
        tenant_reference("message_id", "portal_ticket_messages"),
        tenant_reference("side_message_id", "side_messages"),
        tenant_reference("dispute_id", "disputes"),
        CheckConstraint("side_message_id IS NULL OR is_internal", name="side_is_internal"),
        CheckConstraint("ticket_id IS NULL OR dispute_id IS NULL", name="of_one"),
        Index("ix_attachments_ticket", "tenant_id", "ticket_id", "created_at"),
        Index("ix_attachments_stored", "tenant_id", "storage_key"),
        Index(
            "ix_attachments_loose",
            "tenant_id",
            "created_at",
            postgresql_where=text("ticket_id IS NULL AND dispute_id IS NULL"),
        ),
        Index("ix_attachments_dispute", "tenant_id", "dispute_id", postgresql_where=text("dispute_id IS NOT NULL")),
        Index(
            "ix_attachments_side",
            "tenant_id",
            "side_message_id",
            postgresql_where=text("side_message_id IS NOT NULL"),
        ),
    )

    id: Mapped[UuidKey]
    uploaded_by: Mapped[UUID | None] = mapped_column(Uuid, comment="NULL: came by mail from somebody without a login")
    ticket_id: Mapped[UUID | None] = mapped_column(Uuid)
    message_id: Mapped[UUID | None] = mapped_column(Uuid)
    side_message_id: Mapped[UUID | None] = mapped_column(Uuid, comment="the mail of a side conversation")
    dispute_id: Mapped[UUID | None] = mapped_column(Uuid, comment="the dispute that it is evidence of")
    filename: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger, comment="bytes")
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    storage_key: Mapped[str] = mapped_column(String(120), comment="random; says nothing of the file")
    state: Mapped[FileState] = mapped_column(str_enum(FileState), default=FileState.SCANNING)
    width: Mapped[int | None] = mapped_column(Integer, comment="pixels, of images")
    height: Mapped[int | None] = mapped_column(Integer)
    thumbnail_key: Mapped[str | None] = mapped_column(String(120))
    is_internal: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    purpose: Mapped[str] = mapped_column(
        String(20),
        default="message",
        server_default="message",
        comment="message, solution or recording (TKT-16); of disputes evidence or answer",
    )
    consent_at: Mapped[Moment | None] = mapped_column(comment="when the customer agreed to a recording")
    created_at: Mapped[CreatedAt]
    removed_at: Mapped[Moment | None]

    @classmethod
    def is_loose(cls) -> ColumnElement[bool]:
        """Whether no message and no dispute has taken it along."""
        return and_(cls.ticket_id.is_(None), cls.dispute_id.is_(None))


class StorageUse(Tenanted, Base):
    """How much a tenant keeps; moved in the transaction that keeps or drops a file."""

    __tablename__ = "storage_use"

    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("tenants.id"), primary_key=True)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
