"""Knowledge base tables of the catalogue (ledger PLT-03)."""

from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonList, Moment, UuidKey


class KbCategory(Tenanted, Base):
    """A shelf of articles."""

    __tablename__ = "portal_kb_categories"
    __table_args__ = (
        tenant_key(),
        tenant_reference("parent_id", "portal_kb_categories"),
        UniqueConstraint("tenant_id", "slug"),
    )

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(100))
    slug: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(Text)
    icon: Mapped[str | None] = mapped_column(String(50))
    parent_id: Mapped[UUID | None] = mapped_column(Uuid)
    sort_order: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    is_public: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    created_at: Mapped[CreatedAt]


class KbArticle(Tenanted, Base):
    """An article that answers a question before it becomes a ticket."""

    __tablename__ = "portal_kb_articles"
    __table_args__ = (
        tenant_key(),
        tenant_reference("category_id", "portal_kb_categories"),
        tenant_reference("author_id", "users"),
        UniqueConstraint("tenant_id", "slug"),
        CheckConstraint("status IN ('draft','published','archived')", name="status_known"),
        Index("idx_kb_articles_tenant", "tenant_id"),
        Index("idx_kb_articles_category", "tenant_id", "category_id"),
        Index("idx_kb_articles_status", "tenant_id", "status"),
    )

    id: Mapped[UuidKey]
    category_id: Mapped[UUID | None] = mapped_column(Uuid)
    title: Mapped[str] = mapped_column(String(255))
    slug: Mapped[str] = mapped_column(String(255))
    content: Mapped[str] = mapped_column(Text)
    excerpt: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20), default="published", server_default="published")
    author_id: Mapped[UUID | None] = mapped_column(Uuid)
    tags: Mapped[JsonList]
    view_count: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    helpful_yes: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    helpful_no: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    meta_title: Mapped[str | None] = mapped_column(String(255))
    meta_description: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[Moment | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
