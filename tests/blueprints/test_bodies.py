"""Nobody's slow line holds a database connection while its body comes in."""

import json
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import Engine

from portal.blueprints.uploads import SMALL_BYTES
from tests.blueprints.conftest import TICKETS


class Line(BytesIO):
    """A body, and how many connections were in use each time that more of it was asked for."""

    def __init__(self, body: bytes, engine: Engine) -> None:
        super().__init__(body)
        self._pool: Any = engine.pool
        self.in_use: list[int] = []

    def read(self, size: int | None = -1, /) -> bytes:
        self.in_use.append(self._pool.checkedout())
        return super().read(size)

    def readinto(self, buffer: Any, /) -> int:
        self.in_use.append(self._pool.checkedout())
        return super().readinto(buffer)


@pytest.fixture
def line(app: Any) -> Any:
    """Make a body of JSON that notes who holds connections."""
    return lambda fields: Line(json.dumps(fields).encode(), app.extensions["portal_engine"])


@pytest.mark.parametrize("length", [100, SMALL_BYTES - 1_000, SMALL_BYTES + 1_000])
def test_no_connection_is_held_while_a_body_comes_in(api: Any, line: Any, length: int) -> None:
    sent = line({"subject": "VPN drops", "description": "x" * 100, "category": "drill", "padding": "y" * length})
    size = len(sent.getvalue())
    answer = api("bob").request(
        "POST", TICKETS, input_stream=sent, content_length=size, content_type="application/json"
    )
    assert answer.status_code in (201, 422), answer.get_data(as_text=True)
    assert sent.in_use
    assert set(sent.in_use) == {0}


def test_strangers_are_refused_before_a_large_body_is_read(api: Any, line: Any) -> None:
    sent = line({"subject": "x" * 2 * SMALL_BYTES})
    answer = api(None).request(
        "POST", TICKETS, input_stream=sent, content_length=len(sent.getvalue()), content_type="application/json"
    )
    assert answer.status_code == 401
    assert not sent.in_use
