"""A socket lives as long as its session, keeps it alive by nothing, and hears of the tenant's own time."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.lib.clock import utcnow
from tests.browsing import sign_in


@pytest.fixture
def settings_of_demo(app, root, world):
    def store(settings):
        with root.begin() as connection:
            statement = text("UPDATE tenants SET settings = cast(:settings AS jsonb) WHERE id = :id")
            connection.execute(statement, {"settings": json.dumps(settings), "id": world.demo})
        app.extensions["portal_tenants"].forget()

    yield store
    store({})


@pytest.fixture
def at(monkeypatch):
    def go(**span):
        moment = utcnow() + timedelta(**span)
        for module in ("portal.blueprints.live_hub", "portal.blueprints.http"):
            monkeypatch.setattr(f"{module}.utcnow", lambda: moment)

    return go


@pytest.mark.parametrize(("minutes", "dies_after"), [(30, 31), (5, 6), (120, 121)])
def test_a_socket_ends_with_its_idle_session(app, world, line, settings_of_demo, at, minutes, dies_after):
    settings_of_demo({"sign_in": {"idle_minutes": minutes}})
    opened = line("bob")
    for minute in range(1, 4):
        opened.say("ping")
        at(minutes=minute)
        opened.listen(0.2)
    at(minutes=dies_after - 2)
    opened.listen(4)
    assert not opened.closed
    at(minutes=dies_after)
    opened.listen(60)
    assert opened.closed


def test_a_session_that_was_idle_too_long_opens_no_socket(app, world, line, settings_of_demo, at):
    settings_of_demo({"sign_in": {"idle_minutes": 5}})
    bob = sign_in(app, world, "bob")
    at(minutes=4)
    assert line("bob", bob).refused is None
    at(minutes=6)
    assert line("bob", bob).refused == "session_expired"
