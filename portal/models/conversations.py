"""Conversation tables of the catalogue (ledger PLT-03)."""

from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.tickets import SenderType
from portal.models.types import CreatedAt, JsonList, Moment, UuidKey, str_enum


class Conversation(Tenanted, Base):
    """A thread between a company and the team."""

    __tablename__ = "portal_conversations"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        CheckConstraint("status IN ('active','archived')", name="status_known"),
        Index("idx_conversations_customer", "tenant_id", "customer_id", "last_message_at"),
    )

    id: Mapped[UuidKey]
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    subject: Mapped[str | None] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(20), default="active", server_default="active")
    last_message_at: Mapped[Moment | None]
    last_message_preview: Mapped[str | None] = mapped_column(Text)
    unread_customer: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    unread_agent: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class Message(Tenanted, Base):
    """One message of a conversation."""

    __tablename__ = "portal_messages"
    __table_args__ = (
        tenant_key(),
        tenant_reference("conversation_id", "portal_conversations"),
        Index("idx_messages_conversation", "tenant_id", "conversation_id", "created_at"),
    )

    id: Mapped[UuidKey]
    conversation_id: Mapped[UUID] = mapped_column(Uuid)
    sender_type: Mapped[SenderType] = mapped_column(str_enum(SenderType))
    sender_id: Mapped[UUID] = mapped_column(Uuid)
    sender_name: Mapped[str] = mapped_column(String(100))
    content: Mapped[str] = mapped_column(Text)
    attachments: Mapped[JsonList]
    read_at: Mapped[Moment | None]
    created_at: Mapped[CreatedAt]
