"""When a session ends by itself: thirty minutes without activity, or what the tenant says; twelve and eight hours."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.lib.clock import utcnow
from tests.browsing import csrf_token, sign_in

HOME = {"bob": "/portal/", "sam": "/admin/tickets/"}
EVERYBODY = pytest.mark.parametrize("name", HOME)


@pytest.fixture
def at(monkeypatch):
    """Let requests happen so long after the test began."""
    began = utcnow()

    def go(**span):
        moment = began + timedelta(**span)
        monkeypatch.setattr("portal.blueprints.http.utcnow", lambda: moment)

    return go


@pytest.fixture
def idle_minutes(app, root, world):
    def store(settings):
        with root.begin() as connection:
            statement = text("UPDATE tenants SET settings = cast(:settings AS jsonb) WHERE id = :id")
            connection.execute(statement, {"settings": json.dumps(settings), "id": world.demo})
        app.extensions["portal_tenants"].forget()

    yield lambda minutes: store({"sign_in": {"idle_minutes": minutes}})
    store({})


@EVERYBODY
def test_half_an_hour_without_activity_ends_it(app, world, at, name):
    browser = sign_in(app, world, name)
    at(minutes=29, seconds=50)
    assert browser.get(HOME[name]).status_code == 200
    at(minutes=59)
    assert browser.get(HOME[name]).status_code == 200
    at(minutes=89, seconds=30)
    answer = browser.get(HOME[name])
    assert answer.status_code == 303
    assert "expired=1" in answer.headers["Location"]


@EVERYBODY
def test_what_an_open_page_asks_by_itself_is_no_activity(app, world, at, name):
    browser = sign_in(app, world, name)
    for minute in range(1, 30):
        at(minutes=minute)
        assert browser.get(HOME[name], headers={"X-Portal-Live": "1"}).status_code in (200, 304)
    at(minutes=31)
    assert browser.get(HOME[name], headers={"X-Portal-Live": "1"}).status_code == 401
    assert browser.get(HOME[name]).status_code == 303


def test_writing_is_activity(app, world, at):
    bob = sign_in(app, world, "bob")
    token = csrf_token(bob.get("/portal/"))
    at(minutes=20)
    data = {"csrf_token": token, "tickets": "1"}
    assert bob.client.post("/portal/account/notifications", base_url="http://127.0.0.1", data=data).status_code == 303
    at(minutes=45)
    assert bob.get("/portal/").status_code == 200


@pytest.mark.parametrize(("name", "hours"), [("bob", 12), ("sam", 8)])
def test_however_active_it_ends_some_time(app, world, at, name, hours):
    browser = sign_in(app, world, name)
    for quarter in range(1, hours * 4):
        at(minutes=15 * quarter)
        assert browser.get(HOME[name]).status_code == 200
    at(hours=hours, seconds=1)
    assert browser.get(HOME[name]).status_code == 303


@EVERYBODY
def test_the_tenant_says_how_long(app, world, at, idle_minutes, name):
    idle_minutes(5)
    browser = sign_in(app, world, name)
    at(minutes=4, seconds=50)
    assert browser.get(HOME[name]).status_code == 200
    at(minutes=10)
    assert browser.get(HOME[name]).status_code == 303
    at()
    idle_minutes(120)
    browser = sign_in(app, world, name)
    at(minutes=119)
    assert browser.get(HOME[name]).status_code == 200


@pytest.mark.parametrize("minutes", [0, -1, 4, 10**9, True, "30", None, 7.5])
def test_what_no_tenant_may_say_is_half_an_hour(app, world, at, idle_minutes, minutes):
    idle_minutes(minutes)
    bob = sign_in(app, world, "bob")
    at(minutes=29)
    assert bob.get("/portal/").status_code == 200
    at(minutes=60)
    assert bob.get("/portal/").status_code == 303
