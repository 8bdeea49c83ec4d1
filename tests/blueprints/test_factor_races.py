"""Everything of the second factor that works once, tried thirty times at once: one wins."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from portal.blueprints.accounts.doors import challenge_name
from tests.authenticators import SoftKey, code_of
from tests.blueprints.test_doors import PORTAL, cookie_of, enter
from tests.browsing import Browser, csrf_token
from tests.world import PASSWORD, World

pytestmark = pytest.mark.usefixtures("no_factors")
THREADS = 30
TOKEN = "/api/v1/auth/token"
FACTOR = "/api/v1/portal/2fa"
SITE = "demo.localhost"


def challenges(api: Any, world: World, count: int) -> list[str]:
    body = {"identifier": world.people["bob"].email, "password": PASSWORD}
    return [api(None).post(TOKEN, json=body).get_json()["challenge"] for _ in range(count)]


def at_once(count: int, call: Callable[[int], Any]) -> list[Any]:
    """The results of `call(0)` to `call(count - 1)`, each on a thread of its own, started together."""
    ready, results = threading.Barrier(count), []

    def run(index: int) -> None:
        ready.wait(10)
        results.append(call(index))

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == count
    return results


def won(answers: list[Any], status: int = 200) -> int:
    assert {answer.status_code for answer in answers} <= {status, 401, 409, 422, 429}
    return sum(answer.status_code == status for answer in answers)


def test_one_code_of_the_authenticator_signs_in_once(api, world, enrolled, together):
    code = enrolled("bob").code()
    bodies = [{"challenge": one, "code": code} for one in challenges(api, world, THREADS)]
    assert won(together(THREADS, api(None), TOKEN, bodies)) == 1


def test_one_recovery_code_signs_in_once(api, world, enrolled, together):
    code = enrolled("bob").recovery_codes[0]
    bodies = [{"challenge": one, "code": code} for one in challenges(api, world, THREADS)]
    assert won(together(THREADS, api(None), TOKEN, bodies)) == 1


def test_one_challenge_signs_in_once_whatever_comes_with_it(api, world, enrolled, together, root):
    mine = enrolled("bob")
    (challenge,) = challenges(api, world, 1)
    bodies = [{"challenge": challenge, "code": code} for code in mine.recovery_codes * 3]
    assert won(together(THREADS, api(None), TOKEN, bodies)) == 1
    with root.connect() as connection:
        used = connection.execute(text("SELECT count(*) FROM recovery_codes WHERE used_at IS NOT NULL")).scalar()
    assert used == 1


def test_one_challenge_takes_five_wrong_codes(api, world, enrolled, together, root):
    enrolled("bob")
    (challenge,) = challenges(api, world, 1)
    answers = together(THREADS, api(None), TOKEN, {"challenge": challenge, "code": "000000"})
    told = [answer.get_json()["code"] for answer in answers]
    assert told.count("factor_wrong") == 5
    with root.connect() as connection:
        assert connection.execute(text("SELECT attempts FROM sign_in_challenges")).scalar() == 5


def test_one_challenge_opens_one_session_at_the_door(app, enrolled):
    mine = enrolled("bob")
    first = Browser(app.test_client(), "127.0.0.1")
    enter(first, PORTAL)
    page = first.get("/portal/login/verify")
    held, token = cookie_of(app, first), csrf_token(page)
    assert challenge_name("portal") in held
    sealed = first.client.get_cookie("portico", domain="127.0.0.1").value

    def call(index: int) -> Any:
        client = app.test_client()
        client.set_cookie("portico", sealed, domain="127.0.0.1")
        data = {"csrf_token": token, "code": mine.recovery_codes[index % 10]}
        return client.post("/portal/login/verify", base_url="http://127.0.0.1", data=data)

    assert won(at_once(THREADS, call), 303) == 1


def test_an_authenticator_is_confirmed_once(api, together):
    bob = api("bob")
    secret = bob.post(f"{FACTOR}/enable", json={"password": PASSWORD}).get_json()["secret"]
    answers = together(THREADS, bob, f"{FACTOR}/confirm", {"code": code_of(secret)})
    assert won(answers) == 1
    codes = next(answer.get_json()["recovery_codes"] for answer in answers if answer.status_code == 200)
    challenge = api(None).post(TOKEN, json={"identifier": "bob@acme.example", "password": PASSWORD}).get_json()
    # The codes that were shown are those that work: no loser has replaced them.
    signed = api(None).post(TOKEN, json={"challenge": challenge["challenge"], "code": codes[9]})
    assert signed.status_code == 200


@pytest.fixture
def keyed(app: Any, world: World) -> tuple[Browser, SoftKey]:
    """Bob in a browser at a named host, with a passkey."""
    browser, key = Browser(app.test_client(), SITE), SoftKey(f"http://{SITE}")
    data = {"identifier": world.people["bob"].email, "password": PASSWORD}
    browser.client.post(
        "/portal/login", base_url=f"http://{SITE}", data=data | {"csrf_token": csrf_token(browser.get("/portal/login"))}
    )
    question = browser.post("/portal/account/security/passkeys/question").get_json()
    made = browser.post("/portal/account/security/passkeys/new", {"name": "Key", "credential": key.make(question)})
    assert made.status_code == 200
    return browser, key


def test_one_answer_of_a_passkey_signs_in_once(app, keyed):
    _, key = keyed
    visitor = Browser(app.test_client(), SITE)
    token = csrf_token(visitor.get("/portal/login"))
    asked = visitor.client.post("/portal/login/passkey/question", base_url=f"http://{SITE}", data={"csrf_token": token})
    sealed = visitor.client.get_cookie("portico", domain=SITE).value
    sent = key.prove(asked.get_json())

    def call(_: int) -> Any:
        client = app.test_client()
        client.set_cookie("portico", sealed, domain=SITE)
        data = {"csrf_token": token, "credential": sent}
        return client.post("/portal/login/passkey", base_url=f"http://{SITE}", data=data)

    assert won(at_once(THREADS, call), 303) == 1


def test_of_two_last_factors_removed_at_once_one_stays(app, keyed, sign_in_policy, enrolled, root, world):
    browser, _ = keyed
    mine = enrolled("bob")
    sign_in_policy(second_factor="everybody")
    with root.connect() as connection:
        passkey_id = connection.execute(text("SELECT id FROM passkeys")).scalar()
    sealed = browser.client.get_cookie("portico", domain=SITE).value
    token = csrf_token(browser.get("/portal/account/security"))
    wanted = [
        ("/portal/account/security/authenticator/off", {"password": PASSWORD, "code": mine.code()}),
        (f"/portal/account/security/passkeys/{passkey_id}/remove", {}),
    ]

    def call(index: int) -> Any:
        client = app.test_client()
        client.set_cookie("portico", sealed, domain=SITE)
        path, data = wanted[index]
        return client.post(path, base_url=f"http://{SITE}", data={"csrf_token": token, **data})

    answers = at_once(2, call)
    assert sorted(answer.status_code for answer in answers) == [303, 403]
    with root.connect() as connection:
        left = connection.execute(text("SELECT (SELECT count(*) FROM passkeys) + (SELECT count(*) FROM totp_factors)"))
        assert left.scalar() == 1
