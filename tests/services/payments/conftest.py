"""Invoices to pay in real transactions, and a gateway in memory."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.errors import DomainError, Invalid
from portal.models.session import TenantSessions
from tests.tills import USUAL, Till, open_till
from tests.world import World


@pytest.fixture
def till(sessions: TenantSessions, world: World) -> Iterator[Till]:
    """The till; the tenant's settings are the usual ones before and after."""
    found = open_till(sessions, world, datetime.now(UTC))
    yield found
    found.settings(**USUAL)


@pytest.fixture
def refused() -> Callable[[Any], str]:
    """The code that a call is refused with."""

    def code(call: Any) -> str:
        with pytest.raises(DomainError) as caught:
            call()
        error = caught.value
        return error.errors[0].code if isinstance(error, Invalid) else error.code

    return code
