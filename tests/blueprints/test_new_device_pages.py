""" "This was not me", from the mail to the new password (AUTH-19)."""

import pytest
from sqlalchemy import text

from portal.models import User
from tests.blueprints.conftest import problem
from tests.browsing import Browser, csrf_token, sign_in
from tests.conftest import CHEAP
from tests.posting import Worker, path_in, texts
from tests.world import PASSWORD

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture
def worker(app, sessions, world, root):
    # Devices and links of other tests were long ago: both are counted by the hour.
    with root.begin() as connection:
        for table in ("one_time_links", "known_devices"):
            connection.execute(text(f"UPDATE {table} SET created_at = created_at - interval '1 day'"))
    made = Worker(sessions, app.extensions["portal_vault"], world.demo)
    yield made
    with sessions.begin(world.demo) as session:
        for name in ("bob", "sam"):
            user = session.get(User, world.people[name].user_id)
            user.password_hash, user.must_reset_password = CHEAP.hash(PASSWORD), False


def send(browser, path, **fields):
    data = {"csrf_token": csrf_token(browser.get(path)), **fields}
    return browser.client.post(path, base_url="http://127.0.0.1", data=data)


def enter(app, door, who, headers=None):
    thief = Browser(app.test_client(), "127.0.0.1", door)
    path, base = f"/{door}/login", "http://127.0.0.1"
    data = {"csrf_token": csrf_token(thief.get(path)), "identifier": who, "password": PASSWORD}
    assert thief.client.post(path, base_url=base, data=data, headers=headers or {}).status_code == 303
    return thief


@pytest.mark.parametrize(("door", "name"), [("portal", "bob"), ("admin", "sam")])
def test_not_me(app, world, api, worker, door, name):
    person = world.people[name]
    own = sign_in(app, world, name)
    thief = enter(app, door, person.email, {"User-Agent": FIREFOX})
    program = api(name)
    mail = worker.work().last(person.email)
    assert mail.subject == "New sign-in at Kestrel IT"
    assert all(part in mail.text for part in ("Firefox · Linux", "127.0.0.1", f"/{door}/not-me/"))
    path, stranger = path_in(mail), Browser(app.test_client(), "127.0.0.1")
    page = stranger.get(path)
    assert (page.status_code, stranger.get(path).status_code) == (200, 200)
    assert "Firefox · Linux" in page.get_data(as_text=True)
    assert thief.get(f"/{door}/", follow_redirects=True).request.path != f"/{door}/login"
    done = send(stranger, path)
    assert (done.status_code, done.headers["Location"]) == (303, f"/{door}/not-me/done")
    assert stranger.get(done.headers["Location"]).status_code == 200
    assert thief.get(f"/{door}/", follow_redirects=True).request.path == f"/{door}/login"
    assert own.get(f"/{door}/", follow_redirects=True).request.path != f"/{door}/login"
    problem(program.get("/api/v1/auth/me"), 401, "token_invalid")
    assert stranger.get(path).status_code == 410
    again = send(Browser(app.test_client(), "127.0.0.1"), f"/{door}/login", identifier=person.email, password=PASSWORD)
    assert again.status_code == 401
    # One mail for the disowned device, one for the try since.
    reset = worker.work().to(person.email)
    assert path_in(reset[-1]).startswith(f"/{door}/reset/")
    assert send(stranger, path_in(reset[-1]), password="a lamp of blue glass").status_code == 303


def test_the_own_device_is_no_news(app, world, worker):
    own = sign_in(app, world, "bob")
    worker.work().mails.clear()
    own.post("/portal/logout")
    assert send(own, "/portal/login", identifier="bob@acme.example", password=PASSWORD).status_code == 303
    assert worker.work().to("bob@acme.example") == []


def test_what_a_browser_says_of_itself_is_shown_as_text(app, world, worker):
    sign_in(app, world, "bob")
    hostile = "<img src=x onerror=alert(1)>\tFirefox/1.0 {{ 7*7 }}"
    enter(app, "portal", "bob@acme.example", {"User-Agent": hostile})
    mail = worker.work().last("bob@acme.example")
    page = Browser(app.test_client(), "127.0.0.1").get(path_in(mail)).get_data(as_text=True)
    for shown in (texts(mail), page):
        assert "<img src=x" not in shown
        assert "49" not in shown.partition("Firefox")[2][:10]


def test_looking_changes_nothing_and_a_form_needs_its_token(app, world, worker):
    sign_in(app, world, "bob")
    thief = enter(app, "portal", "bob@acme.example", {"User-Agent": "Other/2.0"})
    path = path_in(worker.work().last("bob@acme.example"))
    for method in ("get", "head", "options"):
        getattr(thief.client, method)(path, base_url="http://127.0.0.1")
    assert thief.client.post(path, base_url="http://127.0.0.1").status_code == 400
    assert app.test_client().get(path, base_url="http://nova.localhost").status_code == 410
    assert thief.get("/portal/").status_code == 200
