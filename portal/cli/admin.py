"""`portal admin …`: the first administrators of a tenant."""

from datetime import datetime

import click
from flask.cli import AppGroup
from sqlalchemy import select

from portal.authz import system_actor
from portal.cli.surroundings import find_tenants, owner, settings, vault
from portal.errors import Conflict, Invalid
from portal.lib.clock import utcnow
from portal.lib.links import join_path, site_address
from portal.lib.wording.errors import error_text
from portal.models import LinkPurpose, OneTimeLink, Role, Tenant
from portal.models.session import TenantSession, TenantSessions
from portal.services.accounts.delivery import Delivery
from portal.services.accounts.invitations import NewInvitation, invite_to_team
from portal.services.tenants.directory import load_profile

admin = AppGroup("admin", help="Administrators of tenants.")


@admin.command("create")
@click.option("--tenant", "slug", metavar="SLUG", required=True, help="The tenant to administer.")
@click.option("--email", required=True, help="Where the invitation goes.")
@click.option("--name", required=True, help="Who it is.")
def create(slug: str, email: str, name: str) -> None:
    """Invite an administrator; the link is printed here, once, and mailed.

    No password is made: whoever opens the link chooses one. The link works once, for a week.
    """
    engine, now = owner(), utcnow()
    (tenant,) = find_tenants(engine, slug)
    try:
        with TenantSessions(engine).begin(tenant.id) as session:
            address = _invite(session, tenant, NewInvitation(name, email, Role.TENANT_ADMIN), now)
    except Invalid as error:
        wrong = [f"--{item.field}: {error_text(item.code, dict(item.params), str)}" for item in error.errors]
        raise click.ClickException("\n".join(wrong)) from error
    except Conflict as error:
        raise click.ClickException(error_text(error.code, error.params, str)) from error
    click.echo(f"{name} opens this address, once and within a week:\n{address}")


def _invite(session: TenantSession, tenant: Tenant, form: NewInvitation, now: datetime) -> str:
    """The address behind which the invitation is taken up."""
    keys, base_url = vault(), settings().base_url
    profile = load_profile(session, tenant)
    delivery = Delivery(keys, profile, base_url)
    invitation = invite_to_team(session, form, actor=system_actor(tenant.id), delivery=delivery, now=now)
    link = session.scalars(
        select(OneTimeLink).where(
            OneTimeLink.user_id == invitation.user_id,
            OneTimeLink.purpose == LinkPurpose.INVITATION,
            OneTimeLink.revoked_at.is_(None),
        )
    ).one()
    token = keys.link_token(link.id, link.token_hash)
    return site_address(base_url, profile.primary_host) + join_path(token, staff=True)
