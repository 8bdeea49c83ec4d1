"""Browsers of staff, and tickets on the desk."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from portal.models import TicketPriority
from portal.models.session import TenantSessions
from portal.services.tickets.opening import NewTicket, create_ticket
from tests.browsing import Browser, csrf_token, sign_in
from tests.world import World


@pytest.fixture
def staff(app: Any, world: World) -> Callable[[str], Browser]:
    """A signed-in browser of somebody, customers at their own door."""
    return lambda name: sign_in(app, world, name)


@pytest.fixture
def real(app: Any, world: World) -> TenantSessions:
    """Transactions that stay, on the database that the application sees."""
    return TenantSessions(app.extensions["portal_engine"])


@pytest.fixture
def ticket(real: TenantSessions, world: World) -> Callable[..., UUID]:
    """Open a ticket (as bob unless said) and give its id."""

    def make(who: str = "bob", *, at: datetime | None = None, **fields: Any) -> UUID:
        request = NewTicket(**{"subject": "VPN drops", "description": "Since Monday.", "category": "general"} | fields)
        actor = world.people[who].actor
        with real.begin(actor.tenant_id) as session:
            return create_ticket(session, request, actor=actor, now=at or datetime.now(UTC)).id

    return make


@pytest.fixture
def urgent(ticket: Callable[..., UUID]) -> UUID:
    """A ticket of Acme with urgent priority."""
    return ticket(priority=TicketPriority.URGENT.value)


def send(browser: Browser, page: TestResponse, path: str, data: dict[str, Any], **options: Any) -> TestResponse:
    """Send a form with the token of a page that was fetched before."""
    form = {"csrf_token": csrf_token(page), **data}
    return browser.client.post(path, base_url=f"http://{browser.host}", data=form, **options)


def hidden(page: TestResponse, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.get_data(as_text=True))
    assert found, f"no field {name}"
    return found[1]


def statements_of(answer: TestResponse) -> int:
    """How many SQL statements the answer took."""
    return int(answer.headers["Server-Timing"].rsplit('desc="', 1)[1].rstrip('"'))
