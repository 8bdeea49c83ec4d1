"""Secrets that are handed out: one-time links and codes, invitations, keys of programs."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, String, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.accounts import Role
from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonObject, Moment, UuidKey, str_enum


class LinkPurpose(StrEnum):
    """What a one-time link or code is good for, and for nothing else."""

    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a purpose
    VERIFY_EMAIL = "verify_email"
    INVITATION = "invitation"
    CHANGE_EMAIL = "change_email"
    CHANGE_PHONE = "change_phone"
    PHONE_SIGN_UP = "phone_sign_up"
    LINK_ACCOUNT = "link_account"
    DISOWN_DEVICE = "disown_device"
    KEEP_EMAIL = "keep_email"
    RATE_TICKET = "rate_ticket"


class OneTimeLink(Tenanted, Base):
    """A link or code that was sent to somebody; only its hash is here, and it works once."""

    __tablename__ = "one_time_links"
    __table_args__ = (
        tenant_key(),
        tenant_reference("user_id", "users"),
        UniqueConstraint("tenant_id", "token_hash"),
        Index("ix_one_time_links_user", "tenant_id", "user_id", "purpose"),
        Index("ix_one_time_links_expiry", "tenant_id", "expires_at"),
    )

    id: Mapped[UuidKey]
    purpose: Mapped[LinkPurpose] = mapped_column(str_enum(LinkPurpose))
    user_id: Mapped[UUID | None] = mapped_column(Uuid)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    payload: Mapped[JsonObject]
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0", comment="wrong codes typed")
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]


class Invitation(Tenanted, Base):
    """Somebody asked into a company's portal or the team; the access code is a one-time link of the pending login."""

    __tablename__ = "invitations"
    __table_args__ = (
        tenant_key(),
        tenant_reference("user_id", "users"),
        tenant_reference("company_id", "companies"),
        tenant_reference("staff_role_id", "staff_roles"),
        CheckConstraint("(role = 'custom') = (staff_role_id IS NOT NULL)", name="custom_role_is_named"),
        Index("ix_invitations_company", "tenant_id", "company_id", "created_at"),
        Index(
            "uq_invitations_open",
            "tenant_id",
            "user_id",
            "company_id",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(Uuid, comment="the pending login")
    company_id: Mapped[UUID | None] = mapped_column(Uuid, comment="NULL for staff")
    role: Mapped[Role] = mapped_column(str_enum(Role))
    staff_role_id: Mapped[UUID | None] = mapped_column(Uuid)
    name: Mapped[str] = mapped_column(String(100), comment="as whoever invited wrote it")
    email: Mapped[str] = mapped_column(String(254), comment="where it was sent, lower case")
    invited_by: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[CreatedAt]
    sent_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    accepted_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]


class ApiKey(Tenanted, Base):
    """A key for programs that read their owner's data; shown once, kept as a hash (H9.9)."""

    __tablename__ = "api_keys"
    __table_args__ = (
        tenant_key(),
        tenant_reference("user_id", "users"),
        UniqueConstraint("tenant_id", "key_hash"),
        Index("ix_api_keys_user", "tenant_id", "user_id"),
    )

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(Uuid)
    name: Mapped[str] = mapped_column(String(60))
    prefix: Mapped[str] = mapped_column(String(20), comment="what its owner recognises it by")
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[Moment | None]
    last_used_ip: Mapped[str] = mapped_column(String(45), default="", server_default="")
    revoked_at: Mapped[Moment | None]
