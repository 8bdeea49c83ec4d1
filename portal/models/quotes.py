"""Quotes: each row is one version, which never changes once it was sent; a later version is a row of its own."""

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
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.billing import CurrencyCode, Minor, Percent, Quantity
from portal.models.types import CreatedAt, JsonList, JsonObject, Moment, UuidKey, str_enum


class QuoteStatus(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    REVISION_REQUESTED = "revision_requested"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class Quote(Tenanted, Base):
    """One version of an offer."""

    __tablename__ = "quotes"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        tenant_reference("previous_id", "quotes"),
        Index("uq_quotes_number", "tenant_id", "number", "version", unique=True, postgresql_where=text("number <> ''")),
        Index("uq_quotes_previous", "tenant_id", "previous_id", unique=True),
        CheckConstraint("deposit >= 0 AND deposit <= total", name="deposit_in_range"),
        Index("ix_quotes_customer", "tenant_id", "customer_id", "created_at", "id"),
        Index("ix_quotes_status", "tenant_id", "status", "created_at", "id"),
    )

    id: Mapped[UuidKey]
    number: Mapped[str] = mapped_column(
        String(40), default="", server_default="", comment="the same for all versions; empty until one was sent"
    )
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    previous_id: Mapped[UUID | None] = mapped_column(Uuid, comment="the version this one takes the place of")
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    request_id: Mapped[UUID | None] = mapped_column(Uuid, comment="the customer's request it answers (QTE-01)")
    title: Mapped[str] = mapped_column(String(160), default="", server_default="")
    introduction: Mapped[str] = mapped_column(Text, default="", server_default="")
    status: Mapped[QuoteStatus] = mapped_column(str_enum(QuoteStatus), default=QuoteStatus.DRAFT)
    currency: Mapped[CurrencyCode]
    locale: Mapped[str] = mapped_column(String(10), default="en", server_default="en")
    subtotal: Mapped[Minor] = mapped_column(comment="sums are of the lines taken")
    discount_total: Mapped[Minor]
    tax_total: Mapped[Minor]
    total: Mapped[Minor]
    taxes: Mapped[JsonList] = mapped_column(comment="[{name, rate, net, tax}, …]")
    tax_rounding: Mapped[str] = mapped_column(
        String(10), default="document", server_default="document", comment="the tenant's rule when it was drafted"
    )
    deposit_percent: Mapped[Percent] = mapped_column(comment="0: none is asked for")
    deposit: Mapped[Minor]
    valid_until: Mapped[date] = mapped_column(Date, comment="the whole day, in the tenant's zone")
    expires_at: Mapped[Moment] = mapped_column(comment="the instant that day ends")
    terms: Mapped[str] = mapped_column(Text, default="", server_default="")
    content_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32), comment="of what was sent")
    edits: Mapped[int] = mapped_column(
        Integer, default=1, server_default="1", comment="savings of the draft, so that nobody overwrites another"
    )
    reminded: Mapped[JsonList] = mapped_column(comment="ISO 8601 durations whose reminder went out")
    sent_at: Mapped[Moment | None]
    viewed_at: Mapped[Moment | None]
    decided_at: Mapped[Moment | None]
    decided_by: Mapped[UUID | None] = mapped_column(Uuid)
    decision_note: Mapped[str] = mapped_column(
        Text, default="", server_default="", comment="why it was declined, or what shall change"
    )
    purchase_order: Mapped[str] = mapped_column(String(60), default="", server_default="")
    invoice_id: Mapped[UUID | None] = mapped_column(Uuid, comment="the first invoice that came of it")
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class QuoteLine(Tenanted, Base):
    """One line of a quote; an optional one may be left out by the customer."""

    __tablename__ = "quote_lines"
    __table_args__ = (
        tenant_key(),
        tenant_reference("quote_id", "quotes", ondelete="CASCADE"),
        CheckConstraint("discount >= 0", name="discount_not_negative"),
        CheckConstraint("optional OR selected", name="required_is_taken"),
        Index("ix_quote_lines_quote", "tenant_id", "quote_id", "position"),
    )

    id: Mapped[UuidKey]
    quote_id: Mapped[UUID] = mapped_column(Uuid)
    position: Mapped[int] = mapped_column(Integer)
    catalog_item_id: Mapped[UUID | None] = mapped_column(Uuid)
    service_type: Mapped[str] = mapped_column(String(40), default="", server_default="")
    description: Mapped[str] = mapped_column(String(500))
    quantity: Mapped[Quantity]
    unit: Mapped[str] = mapped_column(String(20), default="", server_default="")
    unit_price: Mapped[Minor]
    discount: Mapped[Minor]
    tax_name: Mapped[str] = mapped_column(String(40), default="", server_default="")
    tax_rate: Mapped[Percent]
    tax_category: Mapped[str] = mapped_column(String(2), default="S", server_default="S")
    optional: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    selected: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    total: Mapped[Minor] = mapped_column(comment="after the discount, before tax")


class QuoteView(Tenanted, Base):
    """That somebody of the customer looked at a quote, and for how long."""

    __tablename__ = "quote_views"
    __table_args__ = (
        tenant_key(),
        tenant_reference("quote_id", "quotes"),
        tenant_reference("user_id", "users"),
        Index("ix_quote_views_quote", "tenant_id", "quote_id", "at"),
    )

    id: Mapped[UuidKey]
    quote_id: Mapped[UUID] = mapped_column(Uuid)
    user_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[Moment]
    seconds: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class QuoteRequest(Tenanted, Base):
    """A customer's wish for an offer (QTE-01)."""

    __tablename__ = "quote_requests"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        tenant_reference("user_id", "users"),
        UniqueConstraint("tenant_id", "number"),
        Index("ix_quote_requests_customer", "tenant_id", "customer_id", "created_at"),
        Index("ix_quote_requests_waiting", "tenant_id", "created_at", postgresql_where=text("answered_at IS NULL")),
    )

    id: Mapped[UuidKey]
    number: Mapped[str] = mapped_column(String(40))
    customer_id: Mapped[UUID] = mapped_column(Uuid)
    user_id: Mapped[UUID] = mapped_column(Uuid)
    subject: Mapped[str] = mapped_column(String(160))
    requirements: Mapped[str] = mapped_column(Text)
    budget: Mapped[int | None] = mapped_column(BigInteger, comment="minor units of `currency`")
    currency: Mapped[CurrencyCode]
    wanted_by: Mapped[date | None] = mapped_column(Date)
    quote_id: Mapped[UUID | None] = mapped_column(Uuid, comment="the quote that answers it")
    refusal: Mapped[str] = mapped_column(String(500), default="", server_default="")
    answered_at: Mapped[Moment | None]
    created_at: Mapped[CreatedAt]


class QuoteTemplate(Tenanted, Base):
    """A quote that is drafted often."""

    __tablename__ = "quote_templates"
    __table_args__ = (tenant_key(), UniqueConstraint("tenant_id", "name"))

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(80))
    data: Mapped[JsonObject] = mapped_column(comment="title, introduction, terms, deposit_percent, lines")
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
