"""Tickets in the state a test needs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from portal.models import Ticket
from portal.services.tickets.opening import NewTicket, create_ticket


@pytest.fixture
def open_ticket(session: Any, actor_of: Any, now: datetime) -> Callable[..., Ticket]:
    """Open a ticket as somebody (bob unless said)."""

    def make(who: str = "bob", *, category: str = "drill", at: datetime = now, **fields: Any) -> Ticket:
        request = NewTicket(
            fields.pop("subject", "VPN drops"), fields.pop("description", "Since Monday."), category, **fields
        )
        return create_ticket(session, request, actor=actor_of(who), now=at)

    return make
