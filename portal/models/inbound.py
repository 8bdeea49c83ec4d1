"""Mail that came in: how a tenant takes it, and every message once, with what became of it."""

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
)
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
    raw: Mapped[bytes | None] = mapped_column(
        LargeBinary, deferred=True, comment="the whole message, only while it is held"
    )
    created_at: Mapped[CreatedAt]


class MailIntake(Tenanted, Base):
    """Whose mail a tenant believes and what becomes of strangers' mail; its mailbox, and the key of its webhook."""

    __tablename__ = "mail_intakes"
    __table_args__ = (tenant_reference("stand_in_id", "users"),)

    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("tenants.id"), primary_key=True)
    trusted_host: Mapped[str] = mapped_column(
        String(253), default="", server_default="", comment="whose Authentication-Results are believed (RFC 8601)"
    )
    verified_only: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    staff_replies: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    unknown_senders: Mapped[str] = mapped_column(String(10), default="hold", server_default="hold")
    stand_in_id: Mapped[UUID | None] = mapped_column(Uuid, comment="login that strangers' tickets are opened for")
    category: Mapped[str] = mapped_column(String(50), default="", server_default="", comment="empty: the first one")

    polled: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    host: Mapped[str] = mapped_column(String(253), default="", server_default="")
    port: Mapped[int] = mapped_column(Integer, default=993, server_default="993")
    security: Mapped[str] = mapped_column(String(10), default="tls", server_default="tls", comment="tls or starttls")
    username: Mapped[str] = mapped_column(String(254), default="", server_default="")
    password: Mapped[bytes | None] = mapped_column(LargeBinary, comment="encrypted (SEC-07)")
    folder: Mapped[str] = mapped_column(String(120), default="INBOX", server_default="INBOX")
    done_folder: Mapped[str] = mapped_column(
        String(120), default="", server_default="", comment="where taken messages go; empty: they are marked as read"
    )
    uid_validity: Mapped[int | None] = mapped_column(BigInteger)
    last_uid: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    polled_at: Mapped[Moment | None]
    last_error: Mapped[str] = mapped_column(String(60), default="", server_default="")
    webhook_secret: Mapped[bytes | None] = mapped_column(LargeBinary, comment="encrypted (SEC-07)")


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
