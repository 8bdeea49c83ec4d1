"""Both ways in, by one table: what a sign-in leaves of the cookie that the browser came with."""

from dataclasses import dataclass

import pytest
from flask.sessions import SecureCookieSessionInterface

from tests.browsing import Browser, csrf_token
from tests.world import PASSWORD


@dataclass(frozen=True)
class Way:
    """A door, somebody who may come in by it, and a form behind it."""

    door: str
    identifier: str
    form: str

    @property
    def other(self):
        return ADMIN if self is PORTAL else PORTAL


PORTAL = Way("portal", "bob@acme.example", "/portal/notifications/read")
ADMIN = Way("admin", "sam@demo.example", "/admin/notifications/read")
WAYS = pytest.mark.parametrize("way", [PORTAL, ADMIN], ids=lambda way: way.door)


@pytest.fixture
def visitor(app):
    return Browser(app.test_client(), "127.0.0.1")


def enter(browser, way, token=None, password=PASSWORD, **fields):
    """Send a door's form, with a token of a page seen before or of a new one."""
    token = token or csrf_token(browser.get(f"/{way.door}/login"))
    data = {"csrf_token": token, "identifier": way.identifier, "password": password} | fields
    return browser.client.post(f"/{way.door}/login", base_url="http://127.0.0.1", data=data)


def send(browser, path, token):
    return browser.client.post(path, base_url="http://127.0.0.1", data={"csrf_token": token})


def cookie_of(app, browser):
    """What the signed cookie holds."""
    sealed = browser.client.get_cookie("portico", domain="127.0.0.1").decoded_value
    return SecureCookieSessionInterface().get_signing_serializer(app).loads(sealed)


@WAYS
def test_a_form_token_planted_before_is_refused_afterwards(visitor, way):
    planted = csrf_token(visitor.get(f"/{way.door}/login"))
    assert enter(visitor, way, planted).status_code == 303
    assert send(visitor, way.form, planted).status_code == 400
    own = csrf_token(visitor.get(f"/{way.door}/", follow_redirects=True))
    assert send(visitor, way.form, own).status_code == 303


@WAYS
def test_only_what_a_sign_in_may_keep_stays_in_the_cookie(app, visitor, way):
    visitor.get(f"/{way.door}/login")
    with visitor.client.session_transaction(base_url="http://127.0.0.1") as cookie:
        cookie.update(locale="de", theme="dark", planted="x", _flashes=[("ok", "You have won")])
    enter(visitor, way)
    kept = cookie_of(app, visitor)
    assert set(kept) == {"locale", "theme", f"{way.door}_token"}
    assert (kept["locale"], kept["theme"]) == ("de", "dark")


@WAYS
def test_the_other_door_stays_open(app, visitor, way):
    enter(visitor, way.other)
    before = cookie_of(app, visitor)[f"{way.other.door}_token"]
    enter(visitor, way)
    assert cookie_of(app, visitor)[f"{way.other.door}_token"] == before
    for door in ("portal", "admin"):
        assert visitor.get(f"/{door}/", follow_redirects=True).status_code == 200


@WAYS
def test_signing_in_again_gives_another_token(app, visitor, way):
    enter(visitor, way)
    before = cookie_of(app, visitor)[f"{way.door}_token"]
    token = csrf_token(visitor.get(f"/{way.door}/", follow_redirects=True))
    enter(visitor, way, token)
    assert cookie_of(app, visitor)[f"{way.door}_token"] != before


@WAYS
def test_a_refused_sign_in_leaves_the_cookie_as_it_was(app, visitor, way):
    visitor.get(f"/{way.door}/login")
    before = cookie_of(app, visitor)
    assert enter(visitor, way, password="wrong").status_code == 401
    assert cookie_of(app, visitor) == before


@WAYS
def test_the_way_leads_back_behind_the_same_door_only(app, way):
    home = f"/{way.door}/"
    for wanted, leads in (
        (f"/{way.door}/tickets?view=all", f"/{way.door}/tickets?view=all"),
        (f"/{way.other.door}/", home),
        (f"/{way.door}x", home),
        ("//evil.example/portal/", home),
        ("/static/x", home),
    ):
        browser = Browser(app.test_client(), "127.0.0.1")
        assert enter(browser, way, next=wanted).headers["Location"] == leads


@WAYS
def test_signing_out_leads_to_the_same_door_and_leaves_the_other(visitor, way):
    enter(visitor, way.other)
    enter(visitor, way)
    token = csrf_token(visitor.get(f"/{way.door}/", follow_redirects=True))
    assert send(visitor, f"/{way.door}/logout", token).headers["Location"] == f"/{way.door}/login"
    assert visitor.get(f"/{way.door}/").status_code == 303
    assert visitor.get(f"/{way.other.door}/", follow_redirects=True).status_code == 200


@WAYS
@pytest.mark.parametrize(("fields", "missing"), [({"identifier": " "}, "identifier"), ({"password": ""}, "password")])
def test_what_is_missing_is_said(visitor, way, fields, missing):
    answer = enter(visitor, way, **fields)
    assert answer.status_code == 422
    assert f'id="{missing}-error"' in answer.get_data(as_text=True)
