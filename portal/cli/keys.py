"""`portal keys …`: the keys that stored secrets are encrypted with."""

import click
from flask.cli import AppGroup

from portal.authz import system_actor
from portal.cli.surroundings import find_tenants, owner, vault
from portal.lib.clock import utcnow
from portal.models.session import TenantSessions
from portal.services.accounts.key_rotation import ENCRYPTED, rotate_secrets

keys = AppGroup("keys", help="Keys that secrets in the database are encrypted with.")


@keys.command("rotate")
def rotate() -> None:
    """Encrypt every stored secret with the newest of PORTAL_ENCRYPTION_KEYS; may be stopped and run again.

    Ends with 1 where a secret opens with none of the keys: then no key may be thrown away yet.
    """
    engine = owner()
    unreadable = 0
    for tenant in find_tenants(engine):
        done = rotate_secrets(
            TenantSessions(engine), tenant.id, vault=vault(), actor=system_actor(tenant.id), now=utcnow()
        )
        for encrypted in ENCRYPTED:
            name = encrypted.name
            counts = f"{done.renewed[name]} renewed, {done.current[name]} current, {done.unreadable[name]} unreadable"
            click.echo(f"{tenant.slug} {name}: {counts}")
        unreadable += done.unreadable.total()
    if unreadable:
        raise click.ClickException(f"{unreadable} secrets open with none of the keys.")
