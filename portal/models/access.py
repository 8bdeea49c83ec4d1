"""What of signing in is remembered: devices, locks, half sign-ins; roles of a tenant's own."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonList, Moment, UuidKey


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
