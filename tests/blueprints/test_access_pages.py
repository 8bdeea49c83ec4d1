from dataclasses import replace

import pytest

from portal.integrations.gateway_probe import GatewayProbe
from tests.browsing import Browser, csrf_token, sign_in
from tests.world import PASSWORD


@pytest.fixture
def visitor(app):
    return Browser(app.test_client(), "127.0.0.1")


def enter(browser, identifier="bob@acme.example", password=PASSWORD, **fields):
    page = browser.get(f"/{browser.door}/login")
    data = {"csrf_token": csrf_token(page), "identifier": identifier, "password": password} | fields
    return browser.client.post(f"/{browser.door}/login", base_url=f"http://{browser.host}", data=data)


def test_the_root_leads_to_the_sign_in(visitor):
    assert visitor.get("/").headers["Location"].endswith("/portal/")
    answer = visitor.get("/portal/")
    assert answer.status_code == 303
    assert "/portal/login" in answer.headers["Location"]


def test_the_sign_in_offers_help(visitor):
    page = visitor.get("/portal/login").get_data(as_text=True)
    for text in ("Forgot password?", "Create account", "help@demo.example"):
        assert text in page


def test_signing_in_leads_to_the_dashboard(visitor):
    answer = enter(visitor)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/portal/")
    assert "Welcome, Bob" in visitor.get("/portal/").get_data(as_text=True)


@pytest.mark.parametrize(
    ("door", "identifier", "password"),
    [
        ("portal", "bob@acme.example", "wrong"),
        ("portal", "nobody@acme.example", PASSWORD),
        ("portal", "sam@demo.example", PASSWORD),
        ("admin", "bob@acme.example", PASSWORD),
        ("portal", "nia@nova.example", PASSWORD),
        ("portal", "a\x00b", PASSWORD),
    ],
)
def test_every_refusal_reads_the_same(app, door, identifier, password):
    answer = enter(Browser(app.test_client(), "127.0.0.1", door), identifier, password)
    assert answer.status_code == 401
    assert "The address or the password is not right." in answer.get_data(as_text=True)


def test_what_was_typed_stays_but_not_the_password(visitor):
    page = enter(visitor, password="wrong").get_data(as_text=True)
    assert 'value="bob@acme.example"' in page
    assert "wrong" not in page


def test_guessing_is_slowed_down(visitor):
    codes = [enter(visitor, password=f"guess {n}").status_code for n in range(11)]
    assert codes[:10] == [401] * 10
    assert codes[10] == 429
    assert int(enter(visitor, password="x").headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "/admin/",
     "/portal\n//evil", "http:evil", ""],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(visitor, target):
    assert enter(visitor, next=target).headers["Location"] == "/portal/"


def test_the_way_back_is_kept(visitor):
    assert "next=/portal/tickets" in visitor.get("/portal/tickets").headers["Location"].replace("%2F", "/")
    assert enter(visitor, next="/portal/tickets?view=all").headers["Location"] == "/portal/tickets?view=all"


def test_the_cookie_is_guarded_and_changes_at_sign_in(visitor):
    visitor.get("/portal/login")
    before = visitor.client.get_cookie("portico", domain="127.0.0.1")
    answer = enter(visitor)
    cookie = next(value for name, value in answer.headers if name == "Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert before is None or before.value not in cookie


def test_a_copied_cookie_is_worth_nothing_after_signing_out(app, visitor):
    enter(visitor)
    stolen = visitor.client.get_cookie("portico", domain="127.0.0.1").value
    assert visitor.post("/portal/logout").status_code == 303
    thief = app.test_client()
    thief.set_cookie("portico", stolen, domain="127.0.0.1")
    assert thief.get("/portal/", base_url="http://127.0.0.1").status_code == 303


def test_one_browser_can_stand_at_both_doors(app, world, visitor):
    enter(visitor)
    staff = Browser(visitor.client, "127.0.0.1", "admin")
    assert enter(staff, "sam@demo.example").status_code == 303
    assert visitor.get("/portal/").status_code == 200
    assert staff.get("/admin/tickets/").status_code == 200
    visitor.post("/portal/logout")
    assert staff.get("/admin/tickets/").status_code == 200


@pytest.mark.parametrize("path", ["/portal/", "/portal/tickets", "/portal/tickets/new", "/portal/notifications"])
def test_staff_do_not_enter_the_portal(app, world, path):
    assert sign_in(app, world, "sam").get(path).status_code == 303


def test_customers_do_not_enter_the_back_office(app, world):
    answer = sign_in(app, world, "alice").get("/admin/tickets/")
    assert answer.status_code == 303
    assert "/admin/login" in answer.headers["Location"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.2", "nova.localhost.evil.example", "[::1]"])
def test_an_unknown_host_gets_nothing(app, host):
    for path in ("/", "/portal/login", "/api/v1/openapi.json", "/admin/login"):
        answer = app.test_client().get(path, base_url=f"http://{host}")
        assert answer.status_code == 404
        assert answer.get_data() == b"Not found\n"


def test_a_session_is_of_one_tenant(app, world):
    alice = sign_in(app, world, "alice")
    cookie = alice.client.get_cookie("portico", domain="127.0.0.1").value
    other = app.test_client()
    other.set_cookie("portico", cookie, domain="nova.localhost")
    assert other.get("/portal/", base_url="http://nova.localhost").status_code == 303


def test_language_and_theme_last(app, world):
    bob = sign_in(app, world, "bob")
    assert bob.post("/portal/preferences", {"locale": "ar", "theme": "dark"}).status_code == 303
    again = sign_in(app, world, "bob")
    page = again.get("/portal/").get_data(as_text=True)
    assert '<html lang="ar" dir="rtl" data-theme="dark"' in page
    again.post("/portal/preferences", {"locale": "en", "theme": "system"})


@pytest.mark.parametrize("data", [{"locale": "xx"}, {"theme": "neon"}])
def test_unknown_choices_are_refused(app, world, data):
    assert sign_in(app, world, "bob").post("/portal/preferences", data).status_code == 422


def test_visitors_choose_their_language_too(visitor):
    page = visitor.get("/portal/login")
    data = {"csrf_token": csrf_token(page), "locale": "de", "next": "/portal/login"}
    visitor.client.post("/portal/preferences", base_url="http://127.0.0.1", data=data)
    assert '<html lang="de"' in visitor.get("/portal/login").get_data(as_text=True)
    assert '<html lang="fr"' in visitor.get("/portal/login?lang=fr").get_data(as_text=True)


def test_a_fragment_without_a_session_says_so(visitor):
    answer = visitor.get("/portal/tickets", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert "Session expired. Please log in again." in answer.get_data(as_text=True)


def test_every_answer_is_strict(visitor):
    headers = visitor.get("/portal/login").headers
    assert "script-src 'self' 'nonce-" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "Cookie" in headers["Vary"]
    assert headers["X-Request-Id"]


def test_mail_preferences_are_kept(app, world):
    bob = sign_in(app, world, "bob")
    bob.post("/portal/account/notifications", {"tickets": "0"})
    assert 'value="0" checked' in bob.get("/portal/account/notifications").get_data(as_text=True)
    bob.post("/portal/account/notifications", {"tickets": "1"})


def test_what_nobody_reads_does_not_fill_the_cookie(app, world):
    bob = sign_in(app, world, "bob")
    token = csrf_token(bob.get("/portal/account/notifications"))
    for _ in range(12):
        data = {"csrf_token": token, "tickets": "1"}
        bob.client.post("/portal/account/notifications", base_url="http://127.0.0.1", data=data)
    with bob.client.session_transaction(base_url="http://127.0.0.1") as cookie:
        assert len(cookie["_flashes"]) == 5


def test_health_is_public_and_says_what_is_missing(app):
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.get_json()["checks"]["database"] == "ok"
    assert ready.get_json()["checks"]["worker"] == "unavailable"
    assert ready.get_json()["checks"]["payments"] == "off"


def test_health_knows_of_a_gateway_that_does_not_answer(app, monkeypatch):
    settings = replace(
        app.config["SETTINGS"], stripe_secret_key="sk_test_standin", stripe_api_base="http://127.0.0.1:9"
    )
    monkeypatch.setitem(app.extensions, "portal_gateway_probe", GatewayProbe(settings))
    assert app.test_client().get("/readyz").get_json()["checks"]["payments"] == "unavailable"


def test_a_page_that_is_not_there(app, world, visitor):
    assert visitor.get("/nope").status_code == 404
    assert "404" in sign_in(app, world, "bob").get("/nope").get_data(as_text=True)
