"""Identity providers: the domains they speak for, who their subjects are, trips there, sign-outs."""

from uuid import UUID

from sqlalchemy import Boolean, Index, Integer, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, Moment, UuidKey


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
