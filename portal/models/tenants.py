"""Tenants: the companies that run a portal, and the hosts they are reached at."""

from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Integer, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base
from portal.models.types import CreatedAt, JsonList, JsonObject, Moment, UuidKey


class Tenant(Base):
    """A company that puts Portico between itself and its customers."""

    __tablename__ = "tenants"

    id: Mapped[UuidKey]
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    locale: Mapped[str] = mapped_column(String(10), default="en")
    locales: Mapped[JsonList]
    timezone: Mapped[str] = mapped_column(String(60), default="UTC")
    support_email: Mapped[str] = mapped_column(String(254))
    support_phone: Mapped[str] = mapped_column(String(40), default="")
    postal_address: Mapped[str] = mapped_column(String(255), default="")
    ticket_prefix: Mapped[str] = mapped_column(String(8), default="TKT")
    ticket_number_format: Mapped[str] = mapped_column(String(40), default="{prefix}-{year}-{counter}")
    brand: Mapped[JsonObject]
    welcome: Mapped[JsonObject]
    features: Mapped[JsonObject]
    settings: Mapped[JsonObject]
    created_at: Mapped[CreatedAt]


class TenantDomain(Base):
    """A host name; it serves its tenant only once ownership is proved."""

    __tablename__ = "tenant_domains"

    host: Mapped[str] = mapped_column(String(253), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("tenants.id"))
    verified_at: Mapped[Moment | None]
    is_primary: Mapped[bool] = mapped_column(Boolean, default=False)


class TenantCounter(Base):
    """The last number given out per tenant and kind of record (`ticket`, …)."""

    __tablename__ = "tenant_counters"

    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("tenants.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(Integer, default=0)


class Heartbeat(Base):
    """When a process of ours was last known to be alive; no tenant's data."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    at: Mapped[Moment]
