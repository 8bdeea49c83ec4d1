"""What people are told: in-app notices and the log of mails."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Integer, String, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonObject, Moment, UuidKey, str_enum


class MailState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class MailChannel(StrEnum):
    """By which way a message goes out; a text message has no subject and no HTML."""

    MAIL = "mail"
    SMS = "sms"


class Notification(Tenanted, Base):
    """A notice behind somebody's bell; one per event and person."""

    __tablename__ = "notifications"
    __table_args__ = (
        tenant_key(),
        tenant_reference("user_id", "users"),
        UniqueConstraint("tenant_id", "event_id", "user_id"),
        Index("ix_notifications_user", "tenant_id", "user_id", "created_at"),
        Index("ix_notifications_unread", "tenant_id", "user_id", postgresql_where=text("read_at IS NULL")),
    )

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(Uuid)
    event_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(String(60))
    record_type: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[UUID] = mapped_column(Uuid)
    params: Mapped[JsonObject]
    created_at: Mapped[CreatedAt]
    read_at: Mapped[Moment | None]


class MailMessage(Tenanted, Base):
    """A mail as it was (or will be) sent; its Message-ID is fixed, so a repeat is the same mail."""

    __tablename__ = "mail_messages"
    __table_args__ = (
        tenant_key(),
        tenant_reference("link_id", "one_time_links", ondelete="SET NULL (link_id)"),
        UniqueConstraint("tenant_id", "event_id", "recipient", "template"),
        UniqueConstraint("message_id"),
        Index("ix_mail_created", "tenant_id", "created_at"),
        Index("ix_mail_link", "tenant_id", "link_id", postgresql_where=text("link_id IS NOT NULL")),
    )

    id: Mapped[UuidKey]
    event_id: Mapped[UUID] = mapped_column(Uuid)
    template: Mapped[str] = mapped_column(String(60))
    user_id: Mapped[UUID | None] = mapped_column(Uuid)
    channel: Mapped[MailChannel] = mapped_column(
        str_enum(MailChannel), default=MailChannel.MAIL, server_default=MailChannel.MAIL.value
    )
    # The stored text holds a mark where the link or code goes; it is put in when the message leaves.
    link_id: Mapped[UUID | None] = mapped_column(Uuid)
    recipient: Mapped[str] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(10))
    message_id: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    state: Mapped[MailState] = mapped_column(str_enum(MailState), default=MailState.QUEUED)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[CreatedAt]
    sent_at: Mapped[Moment | None]
    attachment: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), comment="{key, name, content_type} of a stored file"
    )
