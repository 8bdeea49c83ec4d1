"""`portal flags …`: features of tenants, on or off."""

import click
from flask.cli import AppGroup

from portal.authz import system_actor
from portal.cli.surroundings import find_tenants, owner
from portal.lib.clock import utcnow
from portal.models.session import TenantSessions
from portal.services.tenants.features import FEATURES, list_features, switch_feature

flags = AppGroup("flags", help="Features of tenants.")


@flags.command("list")
@click.option("--tenant", "slug", metavar="SLUG", help="This tenant only.")
def list_flags(slug: str | None) -> None:
    """Every feature of every tenant."""
    for tenant in find_tenants(owner(), slug):
        for name, on in list_features(tenant).items():
            click.echo(f"{tenant.slug} {name}: {'on' if on else 'off'}")


@flags.command("set")
@click.argument("name", type=click.Choice(FEATURES))
@click.argument("state", type=click.Choice(("on", "off")))
@click.option("--tenant", "slug", metavar="SLUG", required=True, help="The tenant it is for.")
def set_flag(name: str, state: str, slug: str) -> None:
    """Switch a feature; web processes follow within seconds."""
    engine = owner()
    (tenant,) = find_tenants(engine, slug)
    with TenantSessions(engine).begin(tenant.id) as session:
        changed = switch_feature(session, name, on=state == "on", actor=system_actor(tenant.id), now=utcnow())
    click.echo(f"{slug} {name}: {state}{'' if changed else ' already'}")
