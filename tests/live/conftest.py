"""The application behind a real port, for tests that speak over a WebSocket."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text
from werkzeug.serving import make_server

from portal.integrations.realtime import CHANNEL, LiveEntry, pack
from tests.browsing import Browser, sign_in
from tests.live.line import Line, open_line
from tests.world import World


@pytest.fixture(scope="session")
def port(app: Any) -> Iterator[int]:
    """Where the application answers."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    app.extensions["portal_live"].stop()
    server.shutdown()


def cookie_of(browser: Browser) -> str:
    """The Cookie header that the browser would send."""
    found = browser.client.get_cookie("portico", domain=browser.host)
    assert found is not None
    return f"portico={found.value}"


@pytest.fixture
def line(app: Any, world: World, port: int) -> Iterator[Callable[..., Line]]:
    """Open the line of a person's page, signed in at their door."""
    lines: list[Line] = []

    def make(name: str, browser: Browser | None = None, **options: Any) -> Line:
        browser = browser or sign_in(app, world, name)
        opened = open_line(port, cookie_of(browser), host=browser.host, door=browser.door, **options)
        lines.append(opened)
        return opened

    yield make
    for opened in lines:
        opened.close()


@pytest.fixture
def tell(engine: Engine) -> Callable[..., None]:
    """Say what the relay would say."""

    def send(*entries: LiveEntry) -> None:
        with engine.begin() as connection:
            for payload in pack(entries):
                connection.execute(text("SELECT pg_notify(:c, :p)"), {"c": CHANNEL, "p": payload})

    return send
