"""Invoices in the state a test needs."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from portal.authz import Actor, system_actor
from portal.models import Invoice
from portal.models.session import TenantSession
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from tests.world import World

# 100.00 and 20 percent.
USUAL = NewLine("Managed workplace", Decimal(2), 5000, 0, Decimal(20), "VAT")


@pytest.fixture
def system(world: World) -> Actor:
    """The product itself."""
    return system_actor(world.demo)


@pytest.fixture
def issue(session: TenantSession, world: World, system: Actor, now: datetime) -> Callable[..., Invoice]:
    """Issue an invoice to Acme, of 120.00 EUR unless lines are given."""

    def make(*lines: NewLine, **more: Any) -> Invoice:
        given = {"customer_id": world.companies["acme"], "currency": "EUR", "actor": system, "now": now}
        return issue_from_lines(session, lines=lines or [USUAL], **given | more)

    return make
