"""What commands work with: settings, the owner's database, the tenants that are meant."""

from typing import cast

import click
from flask import current_app
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.pool import NullPool

from portal.config import Settings
from portal.lib.vault import Vault
from portal.models import Tenant
from portal.models.session import TenantSessions, normalise_url


def settings() -> Settings:
    """The application's settings."""
    return cast(Settings, current_app.config["SETTINGS"])


def vault() -> Vault:
    """What encrypts fields and makes one-time secrets."""
    return cast(Vault, current_app.extensions["portal_vault"])


def owner() -> Engine:
    """An engine with the rights of the tables' owner."""
    return create_engine(normalise_url(settings().owner_database_url), poolclass=NullPool)


def find_tenants(engine: Engine, slug: str | None = None) -> list[Tenant]:
    """Every tenant by its slug, or the one of this slug; ClickException where there is none."""
    query = select(Tenant).order_by(Tenant.slug).execution_options(all_tenants=True)
    if slug is not None:
        query = query.where(Tenant.slug == slug)
    with TenantSessions(engine).begin_directory() as session:
        found = list(session.scalars(query))
    if slug is not None and not found:
        raise click.ClickException(f"There is no tenant {slug!r}.")
    return found
