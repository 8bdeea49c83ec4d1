"""The second factor of programs: signing in by challenge and code, and switching it on and off (contract §4)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from portal.lib.tokens import token_hash
from tests.authenticators import code_of
from tests.blueprints.conftest import codes, problem
from tests.browsing import Program
from tests.world import PASSWORD, World

pytestmark = pytest.mark.usefixtures("no_factors")
TOKEN = "/api/v1/auth/token"
FACTOR = "/api/v1/portal/2fa"
PEOPLE = pytest.mark.parametrize("name", ["bob", "sam"])


def ask(api: Any, world: World, name: str) -> Any:
    return api(None).post(TOKEN, json={"identifier": world.people[name].email, "password": PASSWORD})


def challenge_of(api: Any, world: World, name: str) -> str:
    return problem(ask(api, world, name), 401, "second_factor_required")["challenge"]


def off(program: Program, **body: Any) -> Any:
    return program.request("DELETE", FACTOR, json=body)


def switch_on(program: Program) -> tuple[str, list[str]]:
    """Secret and recovery codes; the authenticator's code of the step before is burnt."""
    secret = program.post(f"{FACTOR}/enable", json={"password": PASSWORD}).get_json()["secret"]
    answer = program.post(f"{FACTOR}/confirm", json={"code": code_of(secret, steps=-1)})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return secret, answer.get_json()["recovery_codes"]


@PEOPLE
def test_challenge_and_code_give_tokens(app, api, world, enrolled, name, root):
    mine = enrolled(name)
    challenge = challenge_of(api, world, name)
    answer = api(None).post(TOKEN, json={"challenge": challenge, "code": mine.code()})
    assert answer.status_code == 200
    found = answer.get_json()
    assert set(found) == {"access_token", "token_type", "expires_in", "refresh_token"}
    me = Program(app.test_client(), "127.0.0.1", found["access_token"]).get("/api/v1/auth/me")
    assert me.get_json()["id"] == str(world.people[name].user_id)
    refreshed = api(None).post("/api/v1/auth/refresh", json={"refresh_token": found["refresh_token"]})
    assert refreshed.status_code == 200
    with root.connect() as connection:
        query = text(
            "SELECT factor_at = token_families.created_at FROM token_families JOIN refresh_tokens ON family_id = token_families.id WHERE token_hash = :t"
        )
        assert connection.execute(query, {"t": token_hash(refreshed.get_json()["refresh_token"])}).scalar() is True


def test_no_token_comes_before_the_factor(api, world, enrolled, root):
    enrolled("bob")
    with root.begin() as connection:
        connection.execute(text("DELETE FROM refresh_tokens"))
        connection.execute(text("DELETE FROM token_families"))
    assert "access_token" not in ask(api, world, "bob").get_json()
    with root.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM token_families")).scalar() == 0


def test_a_challenge_is_no_token(app, api, world, enrolled):
    enrolled("bob")
    challenge = challenge_of(api, world, "bob")
    problem(Program(app.test_client(), "127.0.0.1", challenge).get("/api/v1/auth/me"), 401, "token_invalid")
    problem(api(None).post("/api/v1/auth/refresh", json={"refresh_token": challenge}), 401, "token_invalid")


def test_a_challenge_works_once(api, world, enrolled):
    mine = enrolled("bob")
    challenge = challenge_of(api, world, "bob")
    assert api(None).post(TOKEN, json={"challenge": challenge, "code": mine.code()}).status_code == 200
    again = api(None).post(TOKEN, json={"challenge": challenge, "code": mine.recovery_codes[0]})
    problem(again, 401, "challenge_expired")


def test_five_wrong_codes_end_it(api, world, enrolled):
    mine = enrolled("bob")
    challenge = challenge_of(api, world, "bob")
    for _ in range(5):
        problem(api(None).post(TOKEN, json={"challenge": challenge, "code": "000000"}), 401, "factor_wrong")
    problem(api(None).post(TOKEN, json={"challenge": challenge, "code": mine.code()}), 401, "challenge_expired")
    locked = ask(api, world, "bob")
    problem(locked, 401, "sign_in_locked")
    assert int(locked.headers["Retry-After"]) > 800


def test_a_challenge_of_another_tenant_is_unknown(app, api, world, enrolled):
    mine = enrolled("bob")
    challenge = challenge_of(api, world, "bob")
    nova = Program(app.test_client(), "nova.localhost", None)
    problem(nova.post(TOKEN, json={"challenge": challenge, "code": mine.code()}), 401, "challenge_expired")


def test_recovery_codes_work_once_each_at_the_api(api, world, enrolled):
    mine = enrolled("bob")
    for expected in (200, 401):
        challenge = challenge_of(api, world, "bob")
        answer = api(None).post(TOKEN, json={"challenge": challenge, "code": mine.recovery_codes[3]})
        assert answer.status_code == expected


BAD = [
    ({}, {"identifier": "required", "password": "required"}),
    ({"challenge": "x"}, {"code": "required"}),
    ({"code": "123456"}, {"challenge": "required"}),
    (
        {"challenge": "x", "code": "1", "password": "p"},
        {"challenge": "unknown_field", "code": "unknown_field", "identifier": "required"},
    ),
    ({"identifier": "a", "password": "b", "code": "1"}, {"code": "unknown_field"}),
    (
        {"identifier": "a", "password": "b", "challenge": "c", "code": "1"},
        {"challenge": "unknown_field", "code": "unknown_field"},
    ),
    ({"challenge": 1, "code": None}, {"challenge": "wrong_type", "code": "wrong_type"}),
    ({"challenge": "", "code": ""}, {"challenge": "required", "code": "required"}),
    ({"challenge": "a\x00", "code": "\ud800"}, {"challenge": "characters_forbidden", "code": "characters_forbidden"}),
    ({"challenge": "a", "code": "1" * 65}, {"code": "too_long"}),
    ({"challenge": "a", "code": "1", "door": "admin"}, {"door": "unknown_field"}),
]


@pytest.mark.parametrize(("body", "expected"), BAD)
def test_either_pair_and_nothing_else(api, body, expected):
    assert codes(api(None).post(TOKEN, json=body)) == expected


def test_no_body_at_all_is_refused(api):
    answer = api(None).request("POST", TOKEN)
    problem(answer, 415)


@PEOPLE
def test_switching_on_and_off(api, world, name):
    me = api(name)
    status = me.get(FACTOR).get_json()
    assert status == {
        "enabled": False,
        "authenticator": False,
        "passkeys": 0,
        "recovery_codes_left": 0,
        "required": False,
        "due_at": None,
    }
    made = me.post(f"{FACTOR}/enable", json={"password": PASSWORD}).get_json()
    assert set(made) == {"otpauth_url", "secret"}
    address = urlsplit(made["otpauth_url"])
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert parse_qs(address.query) == {"secret": [made["secret"]], "issuer": ["Kestrel IT"]}
    assert me.get(FACTOR).get_json()["enabled"] is False
    confirmed = me.post(f"{FACTOR}/confirm", json={"code": code_of(made["secret"], steps=-1)})
    assert set(confirmed.get_json()) == {"recovery_codes"}
    assert len(set(confirmed.get_json()["recovery_codes"])) == 10
    status = me.get(FACTOR).get_json()
    assert (status["enabled"], status["recovery_codes_left"]) == (True, 10)
    problem(ask(api, world, name), 401, "second_factor_required")
    assert off(me, password=PASSWORD, code=code_of(made["secret"])).status_code == 204
    assert me.get(FACTOR).get_json()["enabled"] is False
    assert ask(api, world, name).status_code == 200


def test_the_code_that_confirmed_does_not_sign_in(api, world):
    bob = api("bob")
    secret = bob.post(f"{FACTOR}/enable", json={"password": PASSWORD}).get_json()["secret"]
    code = code_of(secret)
    assert bob.post(f"{FACTOR}/confirm", json={"code": code}).status_code == 200
    body = {"challenge": challenge_of(api, world, "bob"), "code": code}
    problem(api(None).post(TOKEN, json=body), 401, "factor_wrong")
    assert api(None).post(TOKEN, json=body | {"code": code_of(secret, steps=1)}).status_code == 200


def test_other_sign_ins_end_and_this_one_stays(api):
    bob, other = api("bob"), api("bob")
    switch_on(bob)
    assert bob.get("/api/v1/auth/me").status_code == 200
    problem(other.get("/api/v1/auth/me"), 401, "token_invalid")


@pytest.mark.parametrize("body", [{"password": "wrong"}, {"password": "x" * 1024}])
def test_enabling_needs_the_password(api, body):
    problem(api("bob").post(f"{FACTOR}/enable", json=body), 403, "step_up_required")


@pytest.mark.parametrize(
    ("body", "field"), [({}, "password"), ({"password": None}, "password"), ({"password": "a", "x": 1}, "x")]
)
def test_enabling_says_which_field(api, body, field):
    assert field in codes(api("bob").post(f"{FACTOR}/enable", json=body))


def test_confirming_needs_a_secret_and_its_code(api):
    bob = api("bob")
    problem(bob.post(f"{FACTOR}/confirm", json={"code": "123456"}), 409, "factor_not_begun")
    bob.post(f"{FACTOR}/enable", json={"password": PASSWORD})
    assert codes(bob.post(f"{FACTOR}/confirm", json={"code": "000000"})) == {"code": "factor_wrong"}
    assert bob.get(FACTOR).get_json()["enabled"] is False


def test_enabling_twice_is_a_conflict(api):
    bob = api("bob")
    switch_on(bob)
    problem(bob.post(f"{FACTOR}/enable", json={"password": PASSWORD}), 409, "factor_already_on")


def test_switching_off_needs_password_and_code(api):
    bob = api("bob")
    problem(off(bob, password=PASSWORD, code="123456"), 409, "factor_not_on")
    secret, recovery = switch_on(bob)
    problem(off(bob, password="wrong", code=code_of(secret)), 403, "step_up_required")
    assert codes(off(bob, password=PASSWORD, code="000000")) == {"code": "factor_wrong"}
    assert codes(off(bob, password=PASSWORD)) == {"code": "required"}
    assert bob.get(FACTOR).get_json()["enabled"] is True
    assert off(bob, password=PASSWORD, code=recovery[0]).status_code == 204


def test_wrong_codes_with_the_right_password_lock(api):
    bob = api("bob")
    secret, _ = switch_on(bob)
    for _ in range(5):
        assert codes(off(bob, password=PASSWORD, code="000000")) == {"code": "factor_wrong"}
    problem(off(bob, password=PASSWORD, code=code_of(secret)), 401, "sign_in_locked")


def test_a_tenant_that_requires_it_refuses_to_switch_it_off(api, sign_in_policy):
    bob = api("bob")
    secret, _ = switch_on(bob)
    sign_in_policy(second_factor="everybody")
    assert bob.get(FACTOR).get_json()["required"] is True
    code = code_of(secret)
    problem(off(bob, password=PASSWORD, code=code), 403, "second_factor_mandatory")
    sign_in_policy(second_factor="staff")
    # A refusal takes nothing: the code is still good.
    assert off(bob, password=PASSWORD, code=code).status_code == 204


def test_strangers_have_no_factor(api):
    problem(api(None).get(FACTOR), 401, "authentication_required")
    for path in ("enable", "confirm"):
        problem(api(None).post(f"{FACTOR}/{path}", json={"password": PASSWORD}), 401, "authentication_required")
    problem(off(api(None), password=PASSWORD, code="1"), 401, "authentication_required")


def test_after_the_grace_period_only_the_enrolment_is_open(app, api, world, sign_in_policy, monkeypatch):
    sign_in_policy(second_factor="everybody", grace_days=7)
    found = ask(api, world, "bob").get_json()
    bob = Program(app.test_client(), "127.0.0.1", found["access_token"])
    due = bob.get(FACTOR).get_json()["due_at"]
    assert datetime.fromisoformat(due) - datetime.now(UTC) > timedelta(days=6, hours=23)
    assert bob.get("/api/v1/portal/tickets").status_code == 200
    later = datetime.now(UTC) + timedelta(days=7, minutes=1)
    monkeypatch.setattr("portal.blueprints.http.utcnow", lambda: later)
    fresh = api(None).post("/api/v1/auth/refresh", json={"refresh_token": found["refresh_token"]}).get_json()
    bob = Program(app.test_client(), "127.0.0.1", fresh["access_token"])
    for path in ("/api/v1/portal/tickets", "/api/v1/portal/tickets/00000000-0000-4000-8000-000000000000"):
        problem(bob.get(path), 403, "second_factor_enrolment_required")
    problem(bob.post("/api/v1/portal/tickets", json={}), 403, "second_factor_enrolment_required")
    assert bob.get("/api/v1/auth/me").status_code == 200
    secret = bob.post(f"{FACTOR}/enable", json={"password": PASSWORD}).get_json()["secret"]
    assert bob.post(f"{FACTOR}/confirm", json={"code": code_of(secret, later)}).status_code == 200
    assert bob.get("/api/v1/portal/tickets").status_code == 200
