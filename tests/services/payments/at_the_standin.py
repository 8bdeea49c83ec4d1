"""One step of paying in a process of its own, armed to die: database, stand-in, tenant and payment are given."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from portal.config import Settings
from portal.integrations.stripe_gateway import StripeGateway
from portal.models.session import TenantSessions, build_engine
from portal.services.payments.applying import Desk
from portal.services.payments.calling import carry_out
from tests.stripe_contract.standin import KEY, SECRET


def gateway_at(url: str) -> StripeGateway:
    """The portal's own client, at a stand-in."""
    settings = Settings(
        environment="test",
        secret_key="x" * 32,
        database_url="",
        owner_database_url="",
        relay_database_url="",
        data_dir=Path("var"),
        base_url="http://127.0.0.1:8000",
        stripe_secret_key=KEY,
        stripe_webhook_secrets=(SECRET,),
        stripe_api_base=url,
    )
    return StripeGateway(settings)


if __name__ == "__main__":
    database, url, tenant, payment = sys.argv[1:]
    engine = build_engine(database, pool_size=2)
    desk = Desk(TenantSessions(engine), gateway_at(url), UUID(tenant), "http://127.0.0.1:8000")
    carry_out(desk, UUID(payment), now=datetime.now(UTC))
