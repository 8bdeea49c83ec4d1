"""What services of accounts send with, and the secrets they sent."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.lib.vault import Vault
from portal.models import LinkPurpose, OneTimeLink, Tenant
from portal.models.session import TenantSession
from portal.services.accounts.delivery import Delivery
from portal.services.tenants.directory import load_profile
from tests.world import World


@pytest.fixture
def delivery(engine: Any, world: World, session: TenantSession) -> Delivery:
    """Vault, tenant `demo` and its address."""
    query = select(Tenant).where(Tenant.id == world.demo).execution_options(all_tenants=True)
    tenant = load_profile(session, session.scalars(query).one())
    return Delivery(Vault(["a secret for the tests, long enough to be one"]), tenant, "http://127.0.0.1:8000")


def token_of(session: TenantSession, delivery: Delivery, invitation_id: UUID) -> str:
    """The secret of an invitation's newest link, as its mail carries it."""
    link = session.scalars(
        select(OneTimeLink)
        .where(
            OneTimeLink.purpose == LinkPurpose.INVITATION,
            OneTimeLink.payload["invitation_id"].astext == str(invitation_id),
        )
        .order_by(OneTimeLink.created_at.desc())
    ).first()
    assert link is not None
    return delivery.vault.link_token(link.id)
