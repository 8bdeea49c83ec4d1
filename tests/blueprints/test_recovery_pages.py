"""Forgotten passwords at both doors: the same answer for everybody, a link that works once (AUTH-09, AUTH-15)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from portal.lib.clock import utcnow
from portal.models import User
from tests.blueprints.conftest import problem
from tests.browsing import Browser, csrf_token, sign_in
from tests.conftest import CHEAP
from tests.posting import Worker, path_in, texts
from tests.world import PASSWORD

NEW = "a lamp of blue glass"


@dataclass(frozen=True)
class Way:
    """A door, and somebody behind it."""

    door: str
    name: str
    email: str


PORTAL = Way("portal", "bob", "bob@acme.example")
ADMIN = Way("admin", "sam", "sam@demo.example")
WAYS = pytest.mark.parametrize("way", [PORTAL, ADMIN], ids=lambda way: way.door)


@pytest.fixture
def visitor(app):
    return Browser(app.test_client(), "127.0.0.1")


@pytest.fixture
def worker(app, sessions, world, root):
    # Links of other tests were long ago: people get so many in an hour.
    with root.begin() as connection:
        connection.execute(text("UPDATE one_time_links SET created_at = created_at - interval '1 day'"))
    return Worker(sessions, app.extensions["portal_vault"], world.demo)


@pytest.fixture
def restore(sessions, world):
    """Passwords of before."""
    yield
    with sessions.begin(world.demo) as session:
        for name in ("bob", "sam"):
            user = session.get(User, world.people[name].user_id)
            user.password_hash, user.must_reset_password = CHEAP.hash(PASSWORD), False


def send(visitor, path, **fields):
    """Fill in and send the form of a page."""
    data = {"csrf_token": csrf_token(visitor.get(path)), **fields}
    return visitor.client.post(path, base_url=f"http://{visitor.host}", data=data)


def plain(answer):
    """A page without what differs between any two: nonces, numbers of requests, forms' tokens, times."""
    text = answer.get_data(as_text=True)
    return re.sub(r'nonce="[^"]+"|(?:value|content)="[\w.-]{60,}"|[0-9a-f]{32}|\d{4}-\d\d-\d\dT[\d:.+]+', "", text)


def enter(app, way, password):
    fresh = Browser(app.test_client(), "127.0.0.1")
    return send(fresh, f"/{way.door}/login", identifier=way.email, password=password)


def mailed_path(worker, visitor, way):
    assert send(visitor, f"/{way.door}/forgot", identifier=way.email).status_code == 303
    return path_in(worker.work().last(way.email))


@WAYS
def test_the_sign_in_leads_to_it(visitor, way):
    assert f'href="/{way.door}/forgot"' in visitor.get(f"/{way.door}/login").get_data(as_text=True)
    page = visitor.get(f"/{way.door}/forgot").get_data(as_text=True)
    assert 'name="identifier"' in page
    assert page.count("<h1") == 1


@WAYS
def test_the_answer_is_the_same_for_everybody(app, way):
    """Byte for byte: status, headers, page, and the page it leads to."""

    def asked(identifier):
        fresh = Browser(app.test_client(), "127.0.0.1")
        answer = send(fresh, f"/{way.door}/forgot", identifier=identifier)
        names = {"X-Request-Id", "Server-Timing", "Set-Cookie", "Date"}
        headers = sorted(
            (name, re.sub("nonce-[^']+", "", value)) for name, value in answer.headers if name not in names
        )
        page = fresh.get(answer.headers["Location"])
        return answer.status_code, headers, answer.get_data(), page.status_code, plain(page)

    first = asked(way.email)
    assert first[0] == 303
    for other in ("nobody@acme.example", "nia@nova.example", "+33 6 39 98 00 15", "x", "a" * 300):
        assert asked(other) == first


@pytest.mark.parametrize("identifier", ["", "   "])
def test_nothing_typed_is_said(visitor, identifier):
    answer = send(visitor, "/portal/forgot", identifier=identifier)
    assert answer.status_code == 422
    assert 'id="identifier-error"' in answer.get_data(as_text=True)


def test_what_was_typed_stays_and_is_shown_as_text(visitor):
    answer = send(visitor, "/portal/forgot", identifier='"><script>alert(1)</script>\x00')
    assert answer.status_code == 422
    assert "<script>alert" not in answer.get_data(as_text=True)


@WAYS
def test_from_the_mail_to_the_new_password(app, worker, visitor, way, restore):
    path = mailed_path(worker, visitor, way)
    assert path.startswith(f"/{way.door}/reset/")
    assert visitor.get(path).status_code == visitor.get(path).status_code == 200
    done = send(visitor, path, password=NEW)
    assert (done.status_code, done.headers["Location"]) == (303, f"/{way.door}/login")
    assert "Password changed" in visitor.get(f"/{way.door}/login").get_data(as_text=True)
    assert enter(app, way, PASSWORD).status_code == 401
    assert enter(app, way, NEW).status_code == 303
    for again in (visitor.get(path), visitor.client.head(path, base_url="http://127.0.0.1")):
        assert again.status_code == 410
    assert NEW not in "".join(texts(mail) for mail in worker.work().mails)
    assert any("was changed" in mail.subject for mail in worker.post.to(way.email))


@WAYS
def test_only_a_post_does_something(visitor, worker, way, restore):
    """Scanners of mail follow links, by HEAD as well."""
    path = mailed_path(worker, visitor, way)
    for _ in range(2):
        for method in ("get", "head", "options"):
            assert getattr(visitor.client, method)(path, base_url="http://127.0.0.1").status_code == 200
    for page in ("login", "forgot"):
        assert visitor.client.head(f"/{way.door}/{page}", base_url="http://127.0.0.1").status_code == 200
    assert send(visitor, path, password=NEW).status_code == 303


def test_the_link_leads_to_the_tenants_own_host_whatever_the_request_says(app, worker):
    visitor = Browser(app.test_client(), "127.0.0.1")
    data = {"csrf_token": csrf_token(visitor.get("/portal/forgot")), "identifier": "bob@acme.example"}
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
    visitor.client.post("/portal/forgot", base_url="http://localhost:1234", data=data, headers=forged)
    visitor.client.post("/portal/forgot", base_url="http://127.0.0.1", data=data, headers=forged)
    mail = worker.work().last("bob@acme.example")
    assert "http://127.0.0.1:8000/portal/reset/" in mail.text
    assert "evil" not in texts(mail)


def test_a_link_is_of_one_tenant(app, worker, visitor):
    path = mailed_path(worker, visitor, PORTAL)
    assert app.test_client().get(path, base_url="http://nova.localhost").status_code == 410
    assert visitor.get(path).status_code == 200


def test_sessions_everywhere_end(app, world, worker, visitor, restore):
    elsewhere = sign_in(app, world, "bob")
    send(visitor, mailed_path(worker, visitor, PORTAL), password=NEW)
    assert elsewhere.get("/portal/").status_code == 303


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "At least 8 characters."),
        ("x" * 129, "At most 128 characters."),
        ("password1", "too well known"),
        ("bob.keller", "made of your name"),
        ("aaaaaaaaaaaa", "too easy to guess"),
        ("", "This field is needed."),
    ],
)
def test_a_bad_password_is_explained_and_the_link_stays(worker, visitor, password, words):
    path = mailed_path(worker, visitor, PORTAL)
    answer = send(visitor, path, password=password)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert words in page.replace("&#39;", "'")
    assert not password or password not in page
    assert visitor.get(path).status_code == 200


@pytest.mark.parametrize("token", ["x", "A" * 43, "%F0%9F%98%80", "x" * 3000])
def test_a_made_up_link_is_an_old_one(visitor, token):
    for door in ("portal", "admin"):
        answer = visitor.get(f"/{door}/reset/{token}")
        assert answer.status_code == 410
        assert f'href="/{door}/forgot"' in answer.get_data(as_text=True)


def test_a_form_without_its_token_changes_nothing(worker, visitor):
    path = mailed_path(worker, visitor, PORTAL)
    assert visitor.client.post(path, base_url="http://127.0.0.1", data={"password": NEW}).status_code == 400
    assert visitor.get(path).status_code == 200


def test_asking_too_often_from_one_place_is_slowed_down(visitor):
    codes = [send(visitor, "/portal/forgot", identifier=f"n{n}@acme.example").status_code for n in range(61)]
    assert codes == [303] * 60 + [429]


@WAYS
def test_a_password_that_has_to_be_replaced_opens_nothing(app, sessions, world, worker, way, restore):
    with sessions.begin(world.demo) as session:
        session.get(User, world.people[way.name].user_id).must_reset_password = True
    fresh = Browser(app.test_client(), "127.0.0.1")
    answer = send(fresh, f"/{way.door}/login", identifier=way.email, password=PASSWORD)
    assert answer.status_code == 401
    assert "We have sent you a mail" in answer.get_data(as_text=True)
    assert fresh.get(f"/{way.door}/").status_code in (302, 303)
    program = Browser(app.test_client(), "127.0.0.1").client
    body = {"identifier": way.email, "password": PASSWORD}
    refused = program.post("/api/v1/auth/token", base_url="http://127.0.0.1", json=body)
    problem(refused, 401, "password_reset_required")
    path = path_in(worker.work().last(way.email))
    assert send(fresh, path, password=NEW).status_code == 303
    assert enter(app, way, NEW).status_code == 303


def test_a_wrong_password_does_not_tell_that_it_has_to_be_replaced(app, sessions, world, restore):
    with sessions.begin(world.demo) as session:
        session.get(User, world.people["bob"].user_id).must_reset_password = True
    page = enter(app, PORTAL, "wrong").get_data(as_text=True)
    assert "The address or the password is not right." in page
    assert "sent you a mail" not in page


# The meter.


def rated(visitor, **fields):
    page = visitor.get("/portal/forgot")
    data = {"csrf_token": csrf_token(page), **fields}
    return visitor.client.post("/portal/password-strength", base_url="http://127.0.0.1", data=data)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"password": "a lamp of blue glass"}, "Strong"),
        ({"password": "short"}, "At least 8 characters."),
        ({"password": "iloveyou1"}, "too well known"),
        ({"password": "aaaaaaaaaaaa"}, "Repetitions are easy to guess."),
        ({"password": "Kestrel IT 1"}, "made of your name"),
        ({"password": "rosalind1", "name": "Rosa Lind"}, "made of your name"),
        ({"password": "x" * 100_000}, "At most 128 characters."),
        ({"password": "ab\x00cdefghij"}, "cannot be stored"),
    ],
)
def test_the_meter_says_how_strong_and_why(visitor, fields, words):
    answer = rated(visitor, **fields)
    page = answer.get_data(as_text=True).replace("&#39;", "'")
    assert answer.status_code == 200
    assert words in page
    assert 'aria-label="Password strength"' in page
    assert fields["password"] not in page


def test_the_meter_knows_whose_link_it_is_and_who_is_signed_in(app, world, worker, visitor):
    token = mailed_path(worker, visitor, PORTAL).rpartition("/")[2]
    assert "made of your name" in rated(visitor, password="bobkeller7", token=token).get_data(as_text=True)
    assert "made of your name" not in rated(visitor, password="bobkeller7", token="x").get_data(as_text=True)
    bob = sign_in(app, world, "bob")
    assert "made of your name" in bob.post("/portal/password-strength", {"password": "bobkeller7"}).get_data(
        as_text=True
    )


def test_the_meter_says_nothing_about_nothing_and_ends_after_a_while(visitor):
    assert rated(visitor, password="").get_data() == b""
    codes = [rated(visitor, password="a lamp of blue glass").status_code for _ in range(61)]
    assert set(codes[:50]) == {200}
    assert codes[-1] == 204
    assert visitor.client.post("/portal/password-strength", base_url="http://127.0.0.1", data={}).status_code == 400


def test_every_form_for_a_new_password_has_the_meter_and_says_the_rule(worker, visitor):
    page = visitor.get(mailed_path(worker, visitor, PORTAL)).get_data(as_text=True)
    assert 'hx-post="/portal/password-strength"' in page
    assert 'autocomplete="new-password"' in page
    assert "8 to 128 characters." in page
    assert "maxlength" not in page.split('name="password"')[1].split(">")[0]


# Locks, seen from outside.


def wrong(visitor, way, **options):
    return send(visitor, f"/{way.door}/login", identifier=options.get("who", way.email), password="wrong")


@WAYS
@pytest.mark.parametrize("known", [True, False])
def test_the_sixth_failure_says_when_to_come_back_at_every_door(app, way, known):
    who = way.email if known else "nobody@acme.example"
    visitor = Browser(app.test_client(), "127.0.0.1")
    for _ in range(5):
        assert "not right" in wrong(visitor, way, who=who).get_data(as_text=True)
    refused = wrong(visitor, way, who=who)
    sentence = "Too many failed sign-ins from here. Try again in 15 minutes, or set a new password."
    assert refused.status_code == 401
    assert sentence in refused.get_data(as_text=True)
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    body = {"identifier": who, "password": PASSWORD}
    at_api = app.test_client().post("/api/v1/auth/token", base_url="http://127.0.0.1", json=body)
    assert problem(at_api, 401, "sign_in_locked")["detail"] == sentence
    assert 0 < int(at_api.headers["Retry-After"]) <= 900


def test_somebody_who_guesses_does_not_keep_the_owner_out(app, world):
    """Not by the lock, and not by the limits of tries either, from the very same address."""
    own = sign_in(app, world, "bob")
    own.post("/portal/logout")
    thief = Browser(app.test_client(), "127.0.0.1")
    codes = [wrong(thief, PORTAL).status_code for _ in range(12)]
    assert codes[-1] == 429
    answer = send(own, "/portal/login", identifier="bob@acme.example", password=PASSWORD)
    assert answer.status_code == 303
    assert enter(app, PORTAL, PASSWORD).status_code == 429


def test_guesses_from_everywhere_meet_a_limit_that_the_own_browser_passes(app, world):
    own = sign_in(app, world, "bob")
    own.post("/portal/logout")

    def from_address(visitor, number, password):
        path, base = "/portal/login", "http://127.0.0.1"
        data = {
            "csrf_token": csrf_token(visitor.get(path)),
            "identifier": "bob@acme.example",
            "password": password,
        }
        where = {"REMOTE_ADDR": f"198.51.100.{number}"}
        return visitor.client.post(path, base_url=base, data=data, environ_overrides=where)

    for number in range(100):
        assert from_address(Browser(app.test_client(), "127.0.0.1"), number, "wrong").status_code == 401
    fresh = Browser(app.test_client(), "127.0.0.1")
    assert from_address(fresh, 200, PASSWORD).status_code == 429
    assert from_address(own, 201, PASSWORD).status_code == 303


def test_a_new_password_lifts_the_lock(app, worker, visitor, restore):
    thief = Browser(app.test_client(), "127.0.0.1")
    for _ in range(6):
        wrong(thief, PORTAL)
    send(visitor, mailed_path(worker, visitor, PORTAL), password=NEW)
    assert enter(app, PORTAL, NEW).status_code == 303


def test_links_end_after_half_an_hour(worker, visitor, monkeypatch):
    path = mailed_path(worker, visitor, PORTAL)

    def at(later: timedelta) -> Any:
        moment: datetime = utcnow() + later
        monkeypatch.setattr("portal.blueprints.http.utcnow", lambda: moment)

    at(timedelta(minutes=29))
    assert visitor.get(path).status_code == 200
    at(timedelta(minutes=31))
    assert visitor.get(path).status_code == 410
