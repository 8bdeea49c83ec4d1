"""Commands: `flask --app wsgi portal …`."""

import click
from flask import Flask
from flask.cli import AppGroup
from flask_migrate import upgrade
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from portal.cli.admin import admin
from portal.cli.audit import audit
from portal.cli.flags import flags
from portal.cli.keys import keys
from portal.cli.surroundings import owner, settings
from portal.demo.scale import add_tickets
from portal.demo.seed import is_empty, seed_demo
from portal.integrations.storage import build_storage
from portal.lib.clock import utcnow
from portal.models import Base
from portal.models.session import normalise_url
from portal.services.accounts.passwords import Passwords
from portal.services.audit.anchors import AnchorFolder

portal = AppGroup("portal", help="Manage Portico.")
demo = AppGroup("demo", help="The demo world: two tenants with people and tickets.")
outbox = AppGroup("outbox", help="Events on their way out.")
portal.add_command(demo)
portal.add_command(outbox)
for group in (admin, audit, flags, keys):
    portal.add_command(group)


def init_cli(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(portal)


def _seed() -> None:
    given = settings()
    if given.production:
        raise click.ClickException("The demo world has a published password; it is refused in production.")
    passwords = Passwords(given.password_time_cost, given.password_memory_kib)
    storage = build_storage(given)
    seed_demo(owner(), password=given.demo_password, passwords=passwords, storage=storage, now=utcnow())


@portal.command("setup")
def setup() -> None:
    """Migrate the database, and seed the demo world where it is empty (not in production)."""
    upgrade(revision="head")
    if not settings().production and is_empty(owner()):
        _seed()


@demo.command("seed")
@click.option("--if-empty", is_flag=True, help="Do nothing where a tenant exists.")
def seed(if_empty: bool) -> None:
    """Create the demo tenants."""
    if not is_empty(owner()):
        if if_empty:
            return
        raise click.ClickException("There are tenants already; `portal demo reset` starts over.")
    _seed()
    click.echo("The demo world is there.")


@demo.command("reset")
def reset() -> None:
    """Empty every table and seed the demo world again (development only)."""
    if settings().production:
        raise click.ClickException("Refused in production.")
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables if table.name != "heartbeats")
    with owner().begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    AnchorFolder(settings().audit_dir).forget()
    _seed()
    click.echo("The demo world is as new.")


@portal.command("scale")
@click.option("--tickets", type=click.IntRange(1, 5_000_000), default=100_000, show_default=True)
@click.option("--customers", type=click.IntRange(1, 100_000), default=1_000, show_default=True)
def scale(tickets: int, customers: int) -> None:
    """Fill tenant `demo` with tickets for benchmarks (development only)."""
    if settings().production:
        raise click.ClickException("Refused in production.")
    began = utcnow()
    add_tickets(owner(), tickets=tickets, customers=customers)
    click.echo(f"{tickets} tickets of {customers} companies in {(utcnow() - began).total_seconds():.0f} s")


@outbox.command("status")
def outbox_status() -> None:
    """How many events wait, how old the oldest is, and what keeps them."""
    with create_engine(normalise_url(settings().relay_database_url), poolclass=NullPool).connect() as connection:
        waiting, age = connection.execute(
            text(
                "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::int"
                " FROM outbox_events WHERE processed_at IS NULL"
            )
        ).one()
        failing = connection.execute(
            text(
                "SELECT kind, attempts, last_error FROM outbox_events"
                " WHERE processed_at IS NULL AND attempts > 0 ORDER BY seq LIMIT 10"
            )
        ).all()
    click.echo(f"{waiting} waiting, the oldest for {age} s")
    for kind, attempts, error in failing:
        click.echo(f"  {kind}: {attempts} tries, {error}")
