"""Mail that came in: every message once, with what became of it."""

from uuid import UUID

from sqlalchemy import Index, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonObject, Moment, UuidKey


class InboundMail(Tenanted, Base):
    """A message to the support address; its Message-ID makes a second delivery the same one (TKT-17)."""

    __tablename__ = "inbound_mails"
    __table_args__ = (
        tenant_key(),
        tenant_reference("ticket_id", "portal_tickets"),
        tenant_reference("message_id", "portal_ticket_messages"),
        UniqueConstraint("tenant_id", "mail_key"),
        Index("ix_inbound_mails_received", "tenant_id", "received_at"),
        Index("ix_inbound_mails_sender", "tenant_id", "sender", "received_at"),
    )

    id: Mapped[UuidKey]
    mail_key: Mapped[str] = mapped_column(String(255), comment="Message-ID, else a hash of the whole message")
    sender: Mapped[str] = mapped_column(String(254))
    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(255))
    outcome: Mapped[str] = mapped_column(String(20), comment="opened, appended, side, bounce, ignored, held or failed")
    reason: Mapped[str] = mapped_column(String(60), default="", server_default="")
    details: Mapped[JsonObject]
    text: Mapped[str] = mapped_column(Text, default="", server_default="")
    ticket_id: Mapped[UUID | None] = mapped_column(Uuid)
    message_id: Mapped[UUID | None] = mapped_column(Uuid)
    received_at: Mapped[Moment]
    created_at: Mapped[CreatedAt]


class MailThread(Tenanted, Base):
    """The signed token by which answers by mail find their ticket or side conversation."""

    __tablename__ = "mail_threads"
    __table_args__ = (
        tenant_key(),
        tenant_reference("ticket_id", "portal_tickets"),
        tenant_reference("side_conversation_id", "side_conversations"),
        UniqueConstraint("tenant_id", "ticket_id", "address"),
    )

    id: Mapped[UuidKey]
    ticket_id: Mapped[UUID] = mapped_column(Uuid)
    side_conversation_id: Mapped[UUID | None] = mapped_column(Uuid)
    address: Mapped[str] = mapped_column(String(254), comment="who may answer by it")
    created_at: Mapped[CreatedAt]


class BouncedAddress(Tenanted, Base):
    """An address whose mails came back; nothing is sent there until staff or the person mend it."""

    __tablename__ = "bounced_addresses"
    __table_args__ = (UniqueConstraint("tenant_id", "address"),)

    id: Mapped[UuidKey]
    address: Mapped[str] = mapped_column(String(254))
    reason: Mapped[str] = mapped_column(String(255), default="", server_default="")
    hard: Mapped[bool]
    count: Mapped[int]
    last_at: Mapped[Moment]
