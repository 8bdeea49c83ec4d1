"""Companies and people (one record each, whatever role they play), their logins and sessions."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonObject, Moment, UuidKey, str_enum


class UserKind(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"


class UserStatus(StrEnum):
    """Ledger AUTH-14; only `active` may sign in."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    LOCKED = "locked"


class Role(StrEnum):
    """What a membership lets a user be; customers' roles are per company."""

    CUSTOMER = "customer"
    CUSTOMER_ADMIN = "customer.admin"
    AGENT = "agent"
    MANAGER = "manager"
    BILLING = "billing"
    DESIGNER = "designer"
    TENANT_ADMIN = "tenant_admin"
    # Of the tenant's own making; the membership names which (ADM-02).
    CUSTOM = "custom"


class Company(Tenanted, Base):
    """A customer organisation: the CRM's record, and the owner of tickets, quotes and invoices."""

    __tablename__ = "companies"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("tenant_id", "customer_number"),
        CheckConstraint("credit_limit >= 0", name="credit_limit_not_negative"),
    )

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(160))
    customer_number: Mapped[str] = mapped_column(String(20))
    phone: Mapped[str | None] = mapped_column(String(40))
    city: Mapped[str | None] = mapped_column(String(80))
    country: Mapped[str | None] = mapped_column(String(80))
    shares_tickets: Mapped[bool] = mapped_column(
        Boolean, default=False, server_default="false", comment="everybody of the company sees all of its tickets"
    )
    # Only billing reads these, so that they cost the pages of tickets nothing.
    legal_name: Mapped[str] = mapped_column(String(160), default="", server_default="", deferred=True)
    tax_number: Mapped[str] = mapped_column(String(40), default="", server_default="", deferred=True)
    credit_limit: Mapped[int | None] = mapped_column(
        BigInteger, deferred=True, comment="minor units of the tenant's currency"
    )
    created_at: Mapped[CreatedAt]


class Person(Tenanted, Base):
    """A human being known to the tenant: contact of a company or member of staff."""

    __tablename__ = "people"
    __table_args__ = (tenant_key(), UniqueConstraint("tenant_id", "email"), UniqueConstraint("tenant_id", "phone"))

    id: Mapped[UuidKey]
    company_id: Mapped[UUID | None] = mapped_column(Uuid)
    name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254), comment="lower case")
    phone: Mapped[str | None] = mapped_column(String(40), comment="digits with a leading +")
    title: Mapped[str | None] = mapped_column(String(80))
    date_of_birth: Mapped[date | None] = mapped_column(Date)
    email_verified_at: Mapped[Moment | None]
    phone_verified_at: Mapped[Moment | None]
    created_at: Mapped[CreatedAt]


class Address(Tenanted, Base):
    """Where a person or a company is reached by post (ACC-02); at most one of an owner is the primary one."""

    __tablename__ = "addresses"
    __table_args__ = (
        tenant_key(),
        tenant_reference("person_id", "people"),
        tenant_reference("company_id", "companies"),
        CheckConstraint("(person_id IS NULL) <> (company_id IS NULL)", name="one_owner"),
        Index("ix_addresses_person", "tenant_id", "person_id"),
        Index("ix_addresses_company", "tenant_id", "company_id"),
        Index(
            "uq_addresses_primary",
            "tenant_id",
            "person_id",
            "company_id",
            unique=True,
            postgresql_where=text("is_primary"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[UuidKey]
    person_id: Mapped[UUID | None] = mapped_column(Uuid)
    company_id: Mapped[UUID | None] = mapped_column(Uuid)
    label: Mapped[str] = mapped_column(String(60), default="", server_default="")
    street: Mapped[str] = mapped_column(String(160))
    city: Mapped[str] = mapped_column(String(80))
    postal_code: Mapped[str] = mapped_column(String(20))
    country: Mapped[str] = mapped_column(String(2), comment="ISO 3166-1 alpha-2")
    landmark: Mapped[str | None] = mapped_column(String(160))
    is_primary: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    verified_at: Mapped[Moment | None]
    created_at: Mapped[CreatedAt]


class Avatar(Tenanted, Base):
    """A person's picture, drawn anew from what was uploaded, so that nothing but the picture is in it."""

    __tablename__ = "avatars"
    __table_args__ = (tenant_reference("person_id", "people"),)

    person_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary, comment="WebP, 256 x 256")
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[CreatedAt]


class User(Tenanted, Base):
    """A login of a person."""

    __tablename__ = "users"
    __table_args__ = (
        tenant_key(),
        tenant_reference("person_id", "people"),
        UniqueConstraint("tenant_id", "person_id"),
    )

    id: Mapped[UuidKey]
    person_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[UserKind] = mapped_column(str_enum(UserKind))
    status: Mapped[UserStatus] = mapped_column(str_enum(UserStatus), default=UserStatus.PENDING)
    portal_access: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    password_hash: Mapped[str | None] = mapped_column(String(255))
    password_changed_at: Mapped[Moment | None]
    must_reset_password: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    second_factor_due_at: Mapped[Moment | None] = mapped_column(comment="end of the grace period (AUTH-16)")
    locale: Mapped[str | None] = mapped_column(String(10))
    theme: Mapped[str] = mapped_column(String(10), default="system", server_default="system")
    timezone: Mapped[str | None] = mapped_column(String(60))
    shortcuts: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true", comment="keys act (UXA-08)")
    mail_preferences: Mapped[JsonObject]
    last_login_at: Mapped[Moment | None]
    previous_login_at: Mapped[Moment | None]
    created_at: Mapped[CreatedAt]

    person: Mapped[Person] = relationship(lazy="raise", viewonly=True)

    def may_sign_in(self) -> bool:
        """Active, and the portal not switched off for this person (AUTH-14)."""
        return self.status is UserStatus.ACTIVE and self.portal_access


class Membership(Tenanted, Base):
    """What a user is: a role, for customers within one company."""

    __tablename__ = "memberships"
    __table_args__ = (
        tenant_key(),
        tenant_reference("user_id", "users"),
        tenant_reference("company_id", "companies"),
        tenant_reference("staff_role_id", "staff_roles"),
        UniqueConstraint(
            "tenant_id", "user_id", "company_id", "role", "staff_role_id", postgresql_nulls_not_distinct=True
        ),
        CheckConstraint("(role = 'custom') = (staff_role_id IS NOT NULL)", name="custom_role_is_named"),
        CheckConstraint("(role LIKE 'customer%') = (company_id IS NOT NULL)", name="company_only_for_customers"),
        Index("ix_memberships_tenant_role", "tenant_id", "role"),
    )

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(Uuid)
    company_id: Mapped[UUID | None] = mapped_column(Uuid)
    role: Mapped[Role] = mapped_column(str_enum(Role))
    staff_role_id: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[CreatedAt]


class AuthSession(Tenanted, Base):
    """A browser that is signed in; the cookie holds the token, the row its hash."""

    __tablename__ = "auth_sessions"
    __table_args__ = (
        tenant_reference("user_id", "users"),
        Index("ix_auth_sessions_user", "tenant_id", "user_id"),
        Index(
            "ix_auth_sessions_provider",
            "tenant_id",
            "provider_id",
            "provider_sid",
            postgresql_where=text("provider_id IS NOT NULL AND revoked_at IS NULL"),
        ),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    user_id: Mapped[UUID] = mapped_column(Uuid)
    door: Mapped[str] = mapped_column(String(10), comment="portal or admin")
    ip: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(255), default="")
    method: Mapped[str] = mapped_column(String(20), default="password", server_default="password")
    device_id: Mapped[UUID | None] = mapped_column(Uuid)
    provider_id: Mapped[UUID | None] = mapped_column(Uuid, comment="the identity provider it was begun through")
    provider_sid: Mapped[str | None] = mapped_column(String(255), comment="the provider's own name for its session")
    proved_at: Mapped[Moment | None] = mapped_column(comment="when the person last proved to be it (step-up)")
    factor_at: Mapped[Moment | None] = mapped_column(comment="when a second factor was last given")
    created_at: Mapped[CreatedAt]
    last_seen_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    revoked_at: Mapped[Moment | None]


class TokenFamily(Tenanted, Base):
    """One sign-in of a program; revoking it ends every token that came from it."""

    __tablename__ = "token_families"
    __table_args__ = (
        tenant_key(),
        tenant_reference("user_id", "users"),
        Index("ix_token_families_user", "tenant_id", "user_id"),
    )

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(Uuid)
    ip: Mapped[str] = mapped_column(String(45), default="", server_default="")
    user_agent: Mapped[str] = mapped_column(String(255), default="", server_default="")
    factor_at: Mapped[Moment | None]
    last_used_at: Mapped[Moment | None]
    created_at: Mapped[CreatedAt]
    revoked_at: Mapped[Moment | None]


class RefreshToken(Tenanted, Base):
    """A single-use token; its second use revokes the family (RFC 9700 §4.14.2)."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (tenant_reference("family_id", "token_families"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    family_id: Mapped[UUID] = mapped_column(Uuid)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class IdempotencyKey(Tenanted, Base):
    """The first answer to a request that may be sent again."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (tenant_reference("user_id", "users"),)

    user_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), comment="method, path and body")
    status: Mapped[int] = mapped_column(Integer)
    body: Mapped[str] = mapped_column(comment="JSON text, or the address a form leads to")
    created_at: Mapped[CreatedAt]
