"""The security page of customers and staff: authenticator, recovery codes, passkeys, and signing in with them."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import text

from portal.lib.tokens import token_hash
from portal.models import Person
from tests.authenticators import SoftKey, code_of
from tests.blueprints.account_pages import Backstage
from tests.blueprints.test_doors import ADMIN, PORTAL, Way
from tests.browsing import Browser, csrf_token
from tests.world import PASSWORD, World

pytestmark = pytest.mark.usefixtures("no_factors")
SITE = "demo.localhost"
NAMES = {"portal": "bob", "admin": "sam"}
PLACES = {"portal": "/portal/account/security", "admin": "/admin/security"}
WAYS = pytest.mark.parametrize("way", [PORTAL, ADMIN], ids=lambda way: way.door)


def come_in(app: Any, way: Way, host: str = SITE) -> Browser:
    """A browser signed in by password at a named host."""
    browser = Browser(app.test_client(), host, way.door)
    answer = send(browser, f"/{way.door}/login", identifier=way.identifier, password=PASSWORD)
    assert answer.status_code == 303
    return browser


def send(browser: Browser, path: str, *, page: str = "", **data: str) -> Any:
    """A form with the token of a page that has one."""
    token = csrf_token(browser.get(page or f"/{browser.door}/login", follow_redirects=True))
    return browser.client.post(path, base_url=f"http://{browser.host}", data={"csrf_token": token, **data})


def shown(answer: Any) -> str:
    return unescape(answer.get_data(as_text=True))


def key_on(page: str) -> str:
    found = re.search(r'data-copy="([A-Z2-7]{32})"', page)
    assert found
    return found[1]


def codes_on(page: str) -> list[str]:
    return re.findall(r"<li><code>([a-z2-9-]{29})</code>", page)


def set_up(browser: Browser) -> tuple[str, list[str]]:
    """Switch an authenticator on by its pages: secret and recovery codes."""
    place = PLACES[browser.door]
    assert browser.post(f"{place}/authenticator/new").headers["Location"] == f"{place}/authenticator"
    secret = key_on(shown(browser.get(f"{place}/authenticator")))
    done = browser.post(f"{place}/authenticator", {"code": code_of(secret, steps=-1)})
    assert done.status_code == 200
    return secret, codes_on(shown(done))


def add_key(browser: Browser, key: SoftKey, name: str = "Work phone") -> Any:
    place = PLACES[browser.door]
    question = browser.post(f"{place}/passkeys/question")
    assert question.status_code == 200, shown(question)
    return browser.post(f"{place}/passkeys/new", {"name": name, "credential": key.make(question.get_json())})


@WAYS
def test_the_page_says_what_there_is(app, way):
    browser = come_in(app, way)
    page = shown(browser.get(PLACES[way.door]))
    assert "Set up an authenticator" in page
    assert "You have none yet." in page
    assert "Recovery codes" not in page
    assert page.count("<h1>") == 1


def test_each_page_leads_to_its_own_door(app, root):
    for way in (PORTAL, ADMIN, PORTAL):
        browser = come_in(app, way)
        set_up(browser)
        for path in ("", "/authenticator/off", "/passkeys/new"):
            main = shown(browser.get(PLACES[way.door] + path)).split("<main")[1].split("</main>")[0]
            found = re.findall(r'(?:action|href|data-passkey-question)="(/[^"]+)"', main)
            assert found
            assert all(address.startswith((f"/{way.door}/", "/static/")) for address in found), found
        with root.begin() as connection:
            connection.execute(text("DELETE FROM totp_factors"))


@WAYS
def test_an_authenticator_is_set_up_by_its_pages(app, way):
    browser = come_in(app, way)
    place = PLACES[way.door]
    assert browser.get(f"{place}/authenticator").headers["Location"] == place
    browser.post(f"{place}/authenticator/new")
    page = browser.get(f"{place}/authenticator")
    secret = key_on(shown(page))
    assert " ".join(re.findall("....", secret)) in shown(page)
    assert 'src="data:image/svg+xml' in shown(page)
    assert page.headers["Cache-Control"] == "no-store"
    wrong = browser.post(f"{place}/authenticator", {"code": "000000"})
    assert wrong.status_code == 422
    assert key_on(shown(wrong)) == secret
    done = browser.post(f"{place}/authenticator", {"code": code_of(secret)})
    codes = codes_on(shown(done))
    assert len(set(codes)) == 10
    assert all(code in shown(done).split("data:text/plain")[1] for code in codes)
    later = shown(browser.get(place))
    assert "10 left" in later
    assert secret not in later
    assert not any(code in later for code in codes)
    assert browser.get(f"{place}/authenticator").headers["Location"] == place


@WAYS
def test_setting_up_gives_the_session_another_token_and_ends_the_others(app, way):
    browser, other = come_in(app, way), come_in(app, way)
    before = cookie_of_host(app, browser)[f"{way.door}_token"]
    set_up(browser)
    assert cookie_of_host(app, browser)[f"{way.door}_token"] != before
    assert browser.get(PLACES[way.door]).status_code == 200
    assert "/login" in other.get(PLACES[way.door]).headers["Location"]


def cookie_of_host(app: Any, browser: Browser) -> dict[str, Any]:
    from flask.sessions import SecureCookieSessionInterface

    sealed = browser.client.get_cookie("portico", domain=browser.host).decoded_value
    return SecureCookieSessionInterface().get_signing_serializer(app).loads(sealed)


@WAYS
def test_switching_off_takes_password_and_code(app, way):
    browser = come_in(app, way)
    secret, recovery = set_up(browser)
    path = f"{PLACES[way.door]}/authenticator/off"
    assert browser.get(path).status_code == 200
    assert browser.post(path, {"password": PASSWORD}).status_code == 422
    assert browser.post(path, {"password": "wrong", "code": code_of(secret)}).status_code == 401
    assert browser.post(path, {"password": PASSWORD, "code": "000000"}).status_code == 401
    assert "Off" not in re.findall(r"badge[^>]*>.*?(On|Off)", shown(browser.get(PLACES[way.door])))
    done = browser.post(path, {"password": PASSWORD, "code": recovery[0]})
    assert done.headers["Location"] == PLACES[way.door]
    assert "Set up an authenticator" in shown(browser.get(PLACES[way.door]))
    assert browser.get(path).headers["Location"] == PLACES[way.door]


@WAYS
def test_new_recovery_codes_replace_the_old(app, way):
    browser = come_in(app, way)
    _, old = set_up(browser)
    new = codes_on(shown(browser.post(f"{PLACES[way.door]}/recovery-codes")))
    assert len(new) == 10
    assert not set(new) & set(old)


SENSITIVE = [
    ("POST", "authenticator/new"),
    ("GET", "authenticator"),
    ("POST", "authenticator"),
    ("POST", "recovery-codes"),
    ("GET", "passkeys/new"),
    ("POST", "passkeys/new"),
    ("POST", "passkeys/question"),
    ("POST", "passkeys/00000000-0000-4000-8000-000000000000/remove"),
]


@WAYS
@pytest.mark.parametrize(("method", "path"), SENSITIVE)
def test_changes_need_a_fresh_proof(app, way, root, method, path):
    browser = come_in(app, way)
    with root.begin() as connection:
        old = datetime.now(UTC) - timedelta(minutes=11)
        connection.execute(text("UPDATE auth_sessions SET proved_at = :at"), {"at": old})
    address = f"{PLACES[way.door]}/{path}"
    answer = browser.get(address) if method == "GET" else browser.post(address)
    assert answer.status_code == 303
    assert "/confirm" in answer.headers["Location"]


@WAYS
def test_confirming_takes_the_code_where_there_is_one(app, way):
    browser = come_in(app, way)
    secret, _ = set_up(browser)
    path = "/admin/confirm" if way.door == "admin" else "/portal/account/confirm"
    assert 'name="code"' in shown(browser.get(path))
    assert browser.post(path, {"password": PASSWORD}).status_code == 422
    assert browser.post(path, {"password": PASSWORD, "code": "000000"}).status_code == 401
    assert browser.post(path, {"password": PASSWORD, "code": code_of(secret)}).status_code == 303


@WAYS
def test_a_passkey_is_added_named_renamed_and_removed(app, way, root):
    browser, key = come_in(app, way), SoftKey(f"http://{SITE}")
    place = PLACES[way.door]
    assert len(codes_on(shown(add_key(browser, key)))) == 10
    assert "Work phone" in shown(browser.get(place))
    with root.connect() as connection:
        passkey_id = connection.execute(text("SELECT id FROM passkeys")).scalar()
    one = f"{place}/passkeys/{passkey_id}"
    assert "Work phone" in shown(browser.get(one))
    assert browser.post(one, {"name": " "}).status_code == 422
    assert browser.post(one, {"name": "Home <b>"}).headers["Location"] == place
    assert "Home <b>" not in browser.get(place).get_data(as_text=True)
    assert "Home <b>" in shown(browser.get(place))
    assert browser.post(f"{one}/remove").headers["Location"] == place
    assert browser.get(one).status_code == 404


@WAYS
def test_a_passkey_of_somebody_else_does_not_exist(app, way, root):
    add_key(come_in(app, way), SoftKey(f"http://{SITE}"))
    with root.connect() as connection:
        passkey_id = connection.execute(text("SELECT id FROM passkeys")).scalar()
    other = come_in(
        app, Way("portal", "alice@acme.example", "") if way is PORTAL else Way("admin", "mia@demo.example", "")
    )
    one = f"{PLACES[way.door]}/passkeys/{passkey_id}"
    assert other.get(one).status_code == 404
    assert other.post(one, {"name": "Mine"}).status_code == 404
    assert other.post(f"{one}/remove").status_code == 404
    with root.connect() as connection:
        assert connection.execute(text("SELECT name FROM passkeys")).scalar() == "Work phone"


@WAYS
def test_a_passkey_signs_in_without_password_and_code(app, way, root, world: World):
    key = SoftKey(f"http://{SITE}")
    add_key(come_in(app, way), key)
    visitor = Browser(app.test_client(), SITE, way.door)
    assert "data-passkey-question" in shown(visitor.get(f"/{way.door}/login"))
    wanted = f"/{way.door}/tickets?view=all"
    question = send(visitor, f"/{way.door}/login/passkey/question").get_json()
    assert question["allowCredentials"] == []
    done = send(visitor, f"/{way.door}/login/passkey", credential=key.prove(question), next=wanted)
    assert (done.status_code, done.headers["Location"]) == (303, wanted)
    assert "/login" not in visitor.get(f"/{way.door}/").headers.get("Location", "")
    token = cookie_of_host(app, visitor)[f"{way.door}_token"]
    with root.connect() as connection:
        query = text("SELECT method, user_id, factor_at = proved_at FROM auth_sessions WHERE token_hash = :t")
        found = connection.execute(query, {"t": token_hash(token)}).one()
    assert tuple(found) == ("passkey", world.people[NAMES[way.door]].user_id, True)


@WAYS
def test_a_passkey_of_the_other_kind_of_login_does_not_open_the_door(app, way):
    key = SoftKey(f"http://{SITE}")
    add_key(come_in(app, way.other), key)
    visitor = Browser(app.test_client(), SITE, way.door)
    question = send(visitor, f"/{way.door}/login/passkey/question").get_json()
    assert send(visitor, f"/{way.door}/login/passkey", credential=key.prove(question)).status_code == 401
    assert "/login" in visitor.get(f"/{way.door}/").headers["Location"]


@WAYS
@pytest.mark.parametrize("status", ["suspended", "locked", "pending"])
def test_a_passkey_of_whoever_may_not_sign_in_is_refused(app, way, root, world, status):
    key = SoftKey(f"http://{SITE}")
    add_key(come_in(app, way), key)
    change = text("UPDATE users SET status = :s WHERE id = :u")
    user_id = world.people[NAMES[way.door]].user_id
    with root.begin() as connection:
        connection.execute(change, {"s": status, "u": user_id})
    try:
        visitor = Browser(app.test_client(), SITE, way.door)
        question = send(visitor, f"/{way.door}/login/passkey/question").get_json()
        assert send(visitor, f"/{way.door}/login/passkey", credential=key.prove(question)).status_code == 401
    finally:
        with root.begin() as connection:
            connection.execute(change, {"s": "active", "u": user_id})


@WAYS
def test_an_answer_belongs_to_the_browser_that_was_asked(app, way):
    key = SoftKey(f"http://{SITE}")
    add_key(come_in(app, way), key)
    asked, other = (Browser(app.test_client(), SITE, way.door) for _ in range(2))
    question = send(asked, f"/{way.door}/login/passkey/question").get_json()
    sent = key.prove(question)
    assert send(other, f"/{way.door}/login/passkey", credential=sent).status_code == 401
    assert send(asked, f"/{way.door}/login/passkey", credential=sent).status_code == 303
    assert send(asked, f"/{way.door}/login/passkey", credential=sent).status_code == 401


@WAYS
def test_a_passkey_is_the_second_step_too(app, way):
    key = SoftKey(f"http://{SITE}")
    add_key(come_in(app, way), key)
    visitor = Browser(app.test_client(), SITE, way.door)
    verify = f"/{way.door}/login/verify"
    asked = send(visitor, f"/{way.door}/login", identifier=way.identifier, password=PASSWORD)
    assert asked.headers["Location"] == verify
    question = send(visitor, f"{verify}/passkey", page=verify).get_json()
    assert len(question["allowCredentials"]) == 1
    sent = key.prove(question)
    wrong = send(visitor, verify, page=verify, credential=key.prove({**question, "challenge": "AAAA"}))
    assert wrong.status_code == 401
    # That question is over, so its right answer is late.
    assert send(visitor, verify, page=verify, credential=sent).status_code == 401
    question = send(visitor, f"{verify}/passkey", page=verify).get_json()
    assert send(visitor, verify, page=verify, credential=key.prove(question)).status_code == 303
    assert "/login" not in visitor.get(f"/{way.door}/").headers.get("Location", "")


@WAYS
def test_a_passkey_alone_confirms(app, way, root):
    key = SoftKey(f"http://{SITE}")
    browser = come_in(app, way)
    add_key(browser, key)
    with root.begin() as connection:
        connection.execute(text("UPDATE auth_sessions SET proved_at = '2020-01-01'"))
    place = PLACES[way.door]
    path = "/admin/confirm" if way.door == "admin" else "/portal/account/confirm"
    assert "/confirm" in browser.post(f"{place}/recovery-codes").headers["Location"]
    question = browser.post(f"{path}/question").get_json()
    done = browser.post(path, {"credential": key.prove(question), "next": place})
    assert done.headers["Location"] == place
    assert browser.post(f"{place}/recovery-codes").status_code == 200
    again = browser.post(path, {"credential": key.prove(question)})
    assert again.status_code == 401


def test_a_bare_address_has_no_passkeys_and_says_why(app):
    browser = come_in(app, PORTAL, "127.0.0.1")
    page = shown(browser.get(PLACES["portal"]))
    assert "do not work at a bare network address such as 127.0.0.1" in page
    assert "Add a passkey" not in page
    assert "data-passkey-question" not in shown(Browser(app.test_client(), "127.0.0.1").get("/portal/login"))
    assert browser.post(f"{PLACES['portal']}/passkeys/question").status_code == 404
    assert browser.post("/portal/login/passkey/question").status_code == 404


def test_questions_of_strangers_are_limited(app):
    visitor = Browser(app.test_client(), SITE)
    token = csrf_token(visitor.get("/portal/login"))

    def ask() -> Any:
        data = {"csrf_token": token}
        return visitor.client.post("/portal/login/passkey/question", base_url=f"http://{SITE}", data=data)

    assert [ask().status_code for _ in range(30)] == [200] * 30
    refused = ask()
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


@WAYS
def test_strangers_reach_none_of_it(app, way):
    visitor = Browser(app.test_client(), SITE, way.door)
    for method, path in [("GET", ""), *SENSITIVE]:
        address = f"{PLACES[way.door]}/{path}".rstrip("/")
        answer = visitor.get(address) if method == "GET" else visitor.client.post(address, base_url=f"http://{SITE}")
        assert "/login" in answer.headers["Location"]


@pytest.mark.parametrize("policy", ["staff", "everybody"])
def test_who_must_enrol_is_told_until_when(app, sign_in_policy, policy):
    sign_in_policy(second_factor=policy, grace_days=7)
    for way in (PORTAL, ADMIN):
        page = shown(come_in(app, way).get(f"/{way.door}/", follow_redirects=True))
        assert ("Set up a second factor by" in page) is (policy == "everybody" or way is ADMIN)


REACHABLE = {
    "portal": [
        "/portal/account/security",
        "/portal/help",
        "/portal/account/confirm",
        "/portal/account/security/passkeys/new",
    ],
    "admin": ["/admin/security", "/admin/preferences/", "/admin/confirm", "/admin/security/passkeys/new"],
}


@WAYS
def test_after_the_days_only_the_enrolment_is_open(app, way, sign_in_policy):
    sign_in_policy(second_factor="everybody", grace_days=0)
    browser = come_in(app, way)
    place = PLACES[way.door]
    shut = (
        ["/", "/tickets/", "/notifications/"]
        if way is ADMIN
        else ["/", "/tickets", "/notifications", "/account/profile"]
    )
    for path in shut:
        answer = browser.get(f"/{way.door}{path}", follow_redirects=False)
        assert answer.headers.get("Location") == place, path
    assert send(browser, way.form, page=place).headers["Location"] == place
    live = browser.get(f"/{way.door}/tickets{'/' if way is ADMIN else ''}", headers={"X-Portal-Live": "1"})
    assert live.status_code == 403
    for path in REACHABLE[way.door]:
        answer = browser.get(path)
        assert answer.status_code == 200, path
    assert "Set up a second factor to go on" in shown(browser.get(place))
    set_up(browser)
    assert "Set up a second factor" not in shown(browser.get(place))
    assert place not in browser.get(f"/{way.door}/").headers.get("Location", "")


def test_language_and_signing_out_stay_open(app, sign_in_policy):
    sign_in_policy(second_factor="everybody", grace_days=0)
    browser = come_in(app, PORTAL)
    place = PLACES["portal"]
    assert send(browser, "/portal/preferences", page=place, theme="dark", next=place).headers["Location"] == place
    assert send(browser, "/portal/logout", page=place).headers["Location"] == "/portal/login"
    staff = come_in(app, ADMIN)
    assert send(staff, "/admin/preferences/save", page=PLACES["admin"], theme="dark").status_code == 303
    assert send(staff, "/admin/logout", page=PLACES["admin"]).headers["Location"] == "/admin/login"


def test_a_tenant_that_stops_requiring_opens_again(app, sign_in_policy):
    sign_in_policy(second_factor="everybody", grace_days=0)
    browser = come_in(app, PORTAL)
    assert browser.get("/portal/tickets").status_code == 303
    sign_in_policy(second_factor="optional")
    assert browser.get("/portal/tickets").status_code == 200


def test_the_last_factor_cannot_be_removed_where_one_is_required(app, sign_in_policy):
    browser = come_in(app, PORTAL)
    secret, _ = set_up(browser)
    sign_in_policy(second_factor="everybody")
    path = f"{PLACES['portal']}/authenticator/off"
    assert 'name="password"' not in shown(browser.get(path))
    answer = browser.post(path, {"password": PASSWORD, "code": code_of(secret)})
    assert answer.status_code == 403
    assert "requires a second factor" in shown(answer)
    assert "10 left" in shown(browser.get(PLACES["portal"]))


def test_the_guard_asks_the_database_nothing_more(app, sign_in_policy):
    def statements() -> int:
        browser = come_in(app, PORTAL)
        browser.get("/portal/tickets")
        timing = browser.get("/portal/tickets").headers["Server-Timing"]
        return int(re.search(r'desc="(\d+)"', timing)[1])

    before = statements()
    sign_in_policy(second_factor="everybody", grace_days=7)
    assert statements() == before


@pytest.fixture
def bare_people(app, world):
    found = Backstage(app, world)
    found.put_back()
    yield found
    found.put_back()


@WAYS
def test_how_new_devices_are_told_is_chosen_on_the_page(app, way, bare_people):
    name, place = NAMES[way.door], PLACES[way.door]
    browser = come_in(app, way)
    assert "need a phone number that you have confirmed" in shown(browser.get(place))
    refused = browser.post(f"{place}/new-devices", {"new_device": "text"})
    assert refused.status_code == 422
    assert "Confirm your phone number first" in shown(refused)
    bare_people.change(Person, name, phone="+33639980042", phone_verified_at=datetime.now(UTC))
    assert "+33 6 39 98 00 42" in shown(browser.get(place))
    done = browser.post(f"{place}/new-devices", {"new_device": "both"})
    assert (done.status_code, done.headers["Location"]) == (303, place)
    assert 'value="both" checked' in shown(browser.get(place))
    assert bare_people.person(name)[0].mail_preferences == {"new_device": "both"}
    forged = browser.client.post(f"{place}/new-devices", base_url=f"http://{SITE}", data={"new_device": "mail"})
    assert forged.status_code == 400
    assert bare_people.person(name)[0].mail_preferences == {"new_device": "both"}


@WAYS
def test_who_still_has_short_codes_is_asked_to_replace_them(app, way, root):
    browser = come_in(app, way)
    set_up(browser)
    place, asked = PLACES[way.door], "of an older, shorter kind"
    assert asked not in shown(browser.get(place))
    with root.begin() as connection:
        connection.execute(text("UPDATE recovery_codes SET bits = 74"))
    assert asked in shown(browser.get(place))
    assert len(codes_on(shown(browser.post(f"{place}/recovery-codes")))) == 10
    assert asked not in shown(browser.get(place))
