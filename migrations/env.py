"""Alembic environment: migrations run as the owner of the tables, under short lock waits."""

import os

from alembic import context
from sqlalchemy import create_engine, pool, text

from portal.config import Settings
from portal.models import Base
from portal.models.session import normalise_url


def _is_mapped(name: str | None, kind: str, parents: object) -> bool:
    """Search columns and their indexes belong to SQL alone; autogenerate leaves them in peace."""
    return not ((kind == "column" and name == "search") or (kind == "index" and str(name).endswith("_search")))


def _owner_url() -> str:
    return os.environ.get("PORTAL_MIGRATION_URL") or Settings.from_env().owner_database_url


def run_migrations() -> None:
    engine = create_engine(normalise_url(_owner_url()), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.execute(text("SET statement_timeout = '15min'"))
        connection.commit()
        context.configure(connection=connection, target_metadata=Base.metadata, include_name=_is_mapped)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


if context.is_offline_mode():
    context.configure(url=_owner_url(), target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    run_migrations()
