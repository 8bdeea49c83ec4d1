"""Declarative base and what makes a table belong to a tenant."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, MetaData, UniqueConstraint, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every table; names of constraints are predictable."""

    metadata = MetaData(naming_convention=NAMING)


class Tenanted:
    """A row of one tenant: sessions scope it and row-level security guards it."""

    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("tenants.id"), nullable=False)


def tenant_key() -> UniqueConstraint:
    """The key that composite foreign keys of other tables point to."""
    return UniqueConstraint("tenant_id", "id")


def tenant_reference(column: str, target: str, **options: Any) -> ForeignKeyConstraint:
    """A foreign key that cannot cross tenants: (tenant_id, column) -> target (tenant_id, id)."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], **options)
