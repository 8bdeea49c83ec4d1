"""What proves who somebody is besides the password: authenticators, recovery codes, passkeys."""

from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonList, Moment, UuidKey


class PasskeyCeremony(Tenanted, Base):
    """A WebAuthn challenge that waits for its answer, once (registration, or sign-in without a password)."""

    __tablename__ = "passkey_ceremonies"
    __table_args__ = (tenant_reference("user_id", "users"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[UUID | None] = mapped_column(Uuid)
    purpose: Mapped[str] = mapped_column(String(20), comment="register, sign_in or confirm")
    challenge: Mapped[bytes] = mapped_column(LargeBinary(64))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class TotpFactor(Tenanted, Base):
    """An authenticator; it counts only once confirmed, and each of its steps counts once."""

    __tablename__ = "totp_factors"
    __table_args__ = (tenant_key(), tenant_reference("user_id", "users"), UniqueConstraint("tenant_id", "user_id"))

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(Uuid)
    secret: Mapped[bytes] = mapped_column(LargeBinary, comment="encrypted (SEC-07)")
    last_step: Mapped[int] = mapped_column(BigInteger, default=0, comment="RFC 6238 step of the last code taken")
    created_at: Mapped[CreatedAt]
    confirmed_at: Mapped[Moment | None]


class RecoveryCode(Tenanted, Base):
    """One of ten codes for the day the authenticator is lost; each works once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (tenant_key(), tenant_reference("user_id", "users"), UniqueConstraint("tenant_id", "code_hash"))

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(Uuid)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    bits: Mapped[int] = mapped_column(SmallInteger, comment="entropy of the code")
    created_at: Mapped[CreatedAt]
    used_at: Mapped[Moment | None]


class Passkey(Tenanted, Base):
    """A WebAuthn credential of a login."""

    __tablename__ = "passkeys"
    __table_args__ = (
        tenant_key(),
        tenant_reference("user_id", "users"),
        UniqueConstraint("tenant_id", "credential_id"),
        Index("ix_passkeys_user", "tenant_id", "user_id"),
    )

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(Uuid)
    name: Mapped[str] = mapped_column(String(60))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023))
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)
    transports: Mapped[JsonList]
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[Moment | None]
