"""The till of the payments' tests, and invoices of several lines to object to."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.authz import system_actor
from portal.models import InvoiceLine
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from tests.services.payments.conftest import refused, till

__all__ = ["refused", "till"]


@pytest.fixture
def bill(till: Any) -> Callable[..., tuple[UUID, list[UUID]]]:
    """An invoice to Globex with three lines at 18 percent: 100.00, 50.00 and 33.33 before tax."""

    def make(company: str = "globex", days: int = 30) -> tuple[UUID, list[UUID]]:
        prices = (10_000, 5_000, 3_333)
        with till.begin() as session:
            made = issue_from_lines(
                session,
                customer_id=till.world.companies[company],
                currency="EUR",
                lines=[NewLine(f"Part {price}", unit_price=price, tax_rate=Decimal(18)) for price in prices],
                due_on=till.today + timedelta(days=days),
                actor=system_actor(till.desk.tenant_id),
                now=till.now,
            )
            session.flush()
            query = select(InvoiceLine.id).where(InvoiceLine.invoice_id == made.id).order_by(InvoiceLine.position)
            return made.id, list(session.scalars(query))

    return make
