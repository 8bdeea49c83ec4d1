"""What proves who somebody is besides the password: devices, links, factors, keys, identity providers."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.accounts import Role
from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonList, JsonObject, Moment, UuidKey, str_enum


class KnownDevice(Tenanted, Base):
    """A browser somebody has signed in from before; its cookie outlives the sessions (AUTH-02, AUTH-19)."""

    __tablename__ = "known_devices"
    __table_args__ = (
        tenant_key(),
        tenant_reference("user_id", "users"),
        UniqueConstraint("tenant_id", "token_hash"),
        Index("ix_known_devices_user", "tenant_id", "user_id"),
    )

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(Uuid)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    user_agent: Mapped[str] = mapped_column(String(255), default="")
    ip: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[CreatedAt]
    last_seen_at: Mapped[Moment]
    disowned_at: Mapped[Moment | None]


class SignInLock(Tenanted, Base):
    """Failures in a row of one identifier from one origin (or known device), and until when both are refused.

    `subject` is a hash of what was typed, so that people who do not exist are locked alike (AUTH-02).
    """

    __tablename__ = "sign_in_locks"
    __table_args__ = (
        tenant_reference("user_id", "users"),
        Index("ix_sign_in_locks_user", "tenant_id", "user_id", postgresql_where=text("user_id IS NOT NULL")),
        Index("ix_sign_in_locks_age", "tenant_id", "last_failed_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("tenants.id"), primary_key=True)
    subject: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    origin: Mapped[str] = mapped_column(String(80), primary_key=True, comment="ip:… or device:…")
    user_id: Mapped[UUID | None] = mapped_column(Uuid)
    failures: Mapped[int] = mapped_column(Integer, default=0, comment="in a row since the last lock or success")
    locks: Mapped[int] = mapped_column(Integer, default=0, comment="how often locked; each doubles the time")
    locked_until: Mapped[Moment | None]
    last_failed_at: Mapped[Moment]


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


class SignInChallenge(Tenanted, Base):
    """Somebody half signed in: the first proof holds, the second is still owed. It opens nothing by itself."""

    __tablename__ = "sign_in_challenges"
    __table_args__ = (
        tenant_reference("user_id", "users"),
        Index("ix_sign_in_challenges_user", "tenant_id", "user_id"),
        Index("ix_sign_in_challenges_expiry", "tenant_id", "expires_at"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    user_id: Mapped[UUID] = mapped_column(Uuid)
    door: Mapped[str] = mapped_column(String(10), comment="portal, admin or api")
    method: Mapped[str] = mapped_column(String(20), comment="how the first proof was given: password, sso")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    passkey_challenge: Mapped[bytes | None] = mapped_column(LargeBinary(64))
    provider_id: Mapped[UUID | None] = mapped_column(Uuid, comment="whose proof the first one was")
    provider_sid: Mapped[str | None] = mapped_column(String(255), comment="its own name for its session")
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


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


class IdentityProvider(Tenanted, Base):
    """An OpenID Connect provider of the tenant, or of one company (AUTH-17)."""

    __tablename__ = "identity_providers"
    __table_args__ = (tenant_key(), tenant_reference("company_id", "companies"))

    id: Mapped[UuidKey]
    company_id: Mapped[UUID | None] = mapped_column(Uuid, comment="NULL: for everybody of the audience")
    audience: Mapped[str] = mapped_column(String(10), default="customer", comment="customer or staff")
    name: Mapped[str] = mapped_column(String(60))
    issuer: Mapped[str] = mapped_column(String(255))
    client_id: Mapped[str] = mapped_column(String(255))
    client_secret: Mapped[bytes] = mapped_column(LargeBinary, comment="encrypted (SEC-07)")
    required: Mapped[bool] = mapped_column(Boolean, default=False, comment="its domains sign in no other way")
    enabled: Mapped[bool] = mapped_column(Boolean, default=False)
    demanded_acr: Mapped[str] = mapped_column(String(255), default="", server_default="", comment="one of these")
    demanded_amr: Mapped[str] = mapped_column(String(255), default="", server_default="", comment="one of these")
    max_age_minutes: Mapped[int | None] = mapped_column(Integer, comment="since the person proved to be it there")
    created_at: Mapped[CreatedAt]


class EmailDomain(Tenanted, Base):
    """A mail domain an identity provider speaks for, once a DNS record has proved it."""

    __tablename__ = "email_domains"
    __table_args__ = (
        tenant_key(),
        tenant_reference("provider_id", "identity_providers"),
        UniqueConstraint("tenant_id", "domain"),
    )

    id: Mapped[UuidKey]
    provider_id: Mapped[UUID] = mapped_column(Uuid)
    domain: Mapped[str] = mapped_column(String(253), comment="lower case, IDNA")
    proof: Mapped[str] = mapped_column(String(80), comment="what the TXT record has to hold")
    created_at: Mapped[CreatedAt]
    checked_at: Mapped[Moment | None]
    verified_at: Mapped[Moment | None]


class ExternalIdentity(Tenanted, Base):
    """Who a provider's subject is here: issuer and subject together, never an address."""

    __tablename__ = "external_identities"
    __table_args__ = (
        tenant_key(),
        tenant_reference("user_id", "users"),
        tenant_reference("provider_id", "identity_providers"),
        UniqueConstraint("tenant_id", "provider_id", "subject"),
        Index("ix_external_identities_user", "tenant_id", "user_id"),
    )

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(Uuid)
    provider_id: Mapped[UUID] = mapped_column(Uuid)
    subject: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[Moment | None]


class SsoAttempt(Tenanted, Base):
    """A trip to an identity provider; its state comes back once."""

    __tablename__ = "sso_attempts"
    __table_args__ = (
        tenant_reference("provider_id", "identity_providers"),
        Index("ix_sso_attempts_expiry", "tenant_id", "expires_at"),
    )

    state_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(Uuid)
    door: Mapped[str] = mapped_column(String(10))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[bytes] = mapped_column(LargeBinary, comment="PKCE, encrypted")
    next: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class ProviderLogout(Tenanted, Base):
    """A logout token that was taken; it counts once, and what it ended is begun no more (sid)."""

    __tablename__ = "provider_logouts"
    __table_args__ = (
        tenant_reference("provider_id", "identity_providers", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "provider_id", "token_hash"),
        Index("ix_provider_logouts_sid", "tenant_id", "provider_id", "sid"),
        Index("ix_provider_logouts_expiry", "tenant_id", "expires_at"),
    )

    id: Mapped[UuidKey]
    provider_id: Mapped[UUID] = mapped_column(Uuid)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), comment="of its jti")
    sid: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment]


class StaffRole(Tenanted, Base):
    """A role the tenant made of permissions (ADM-02)."""

    __tablename__ = "staff_roles"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("jsonb_typeof(permissions) = 'array'", name="permissions_is_a_list"),
    )

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(60))
    description: Mapped[str] = mapped_column(String(255), default="", server_default="")
    permissions: Mapped[JsonList]
    created_at: Mapped[CreatedAt]
