"""Tokens: who gets them, how long they live, how they end (AUTH-05, AUTH-06)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.blueprints.conftest import TICKETS, codes, problem
from tests.browsing import Program, program
from tests.world import PASSWORD, World

AUTH = "/api/v1/auth"


def tokens(api: Any, world: World, name: str) -> dict[str, Any]:
    answer = api(None).post(f"{AUTH}/token", json={"identifier": world.people[name].email, "password": PASSWORD})
    assert answer.status_code == 200
    return answer.get_json()


def me(app: Any, token: str, host: str = "127.0.0.1") -> Any:
    return Program(app.test_client(), host, token).get(f"{AUTH}/me")


def test_token_has_the_fields_of_the_contract(api: Any, world: World) -> None:
    found = tokens(api, world, "alice")
    assert set(found) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (found["token_type"], found["expires_in"]) == ("Bearer", 900)


@pytest.mark.parametrize(("name", "kind"), [("alice", "customer"), ("sam", "staff")])
def test_me_tells_who_the_token_stands_for(api: Any, world: World, name: str, kind: str) -> None:
    found = api(name).get(f"{AUTH}/me").get_json()
    assert (found["id"], found["email"], found["kind"]) == (
        str(world.people[name].user_id),
        world.people[name].email,
        kind,
    )
    assert found["tenant"] == {"id": str(world.demo), "name": "Kestrel IT"}
    assert [company["name"] for company in found["companies"]] == (["Acme"] if name == "alice" else [])


@pytest.mark.parametrize("identifier", ["alice@acme.example", "nobody@acme.example", "nia@nova.example"])
def test_every_wrong_sign_in_gets_the_same_answer(api: Any, identifier: str) -> None:
    answer = api(None).post(f"{AUTH}/token", json={"identifier": identifier, "password": "wrong"})
    assert problem(answer, 401, "wrong_credentials")["errors"] == []
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_identifier_is_taken_as_people_write_it(api: Any) -> None:
    body = {"identifier": "  Alice@ACME.example ", "password": PASSWORD}
    assert api(None).post(f"{AUTH}/token", json=body).status_code == 200


def test_token_of_one_tenant_is_worthless_at_another(app: Any, api: Any, world: World) -> None:
    token = tokens(api, world, "sam")["access_token"]
    problem(me(app, token, "nova.localhost"), 401, "token_invalid")
    problem(Program(app.test_client(), "nova.localhost", token).get("/api/v1/staff/tickets"), 401)


def test_refresh_token_of_one_tenant_is_worthless_at_another(app: Any, api: Any, world: World) -> None:
    refresh = tokens(api, world, "sam")["refresh_token"]
    answer = program(app, world, None, "nova.localhost").post(f"{AUTH}/refresh", json={"refresh_token": refresh})
    problem(answer, 401, "token_invalid")
    assert api(None).post(f"{AUTH}/refresh", json={"refresh_token": refresh}).status_code == 200


@pytest.mark.parametrize("token", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "é", " "])
def test_made_up_token_is_refused(app: Any, token: str) -> None:
    problem(me(app, token), 401)


def test_access_token_ends_after_fifteen_minutes(
    app: Any, api: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = tokens(api, world, "alice")
    for minutes, status in ((14, 200), (16, 401)):
        later = datetime.now(UTC) + timedelta(minutes=minutes)
        monkeypatch.setattr("portal.blueprints.http.utcnow", lambda later=later: later)
        assert me(app, found["access_token"]).status_code == status
    problem(me(app, found["access_token"]), 401, "token_invalid")
    fresh = api(None).post(f"{AUTH}/refresh", json={"refresh_token": found["refresh_token"]}).get_json()
    assert me(app, fresh["access_token"]).status_code == 200


def test_refresh_token_ends_after_thirty_days(api: Any, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tokens(api, world, "alice")
    later = datetime.now(UTC) + timedelta(days=31)
    monkeypatch.setattr("portal.blueprints.http.utcnow", lambda: later)
    answer = api(None).post(f"{AUTH}/refresh", json={"refresh_token": found["refresh_token"]})
    problem(answer, 401, "token_invalid")


def test_using_a_refresh_token_twice_ends_the_whole_chain(app: Any, api: Any, world: World) -> None:
    first = tokens(api, world, "alice")
    second = api(None).post(f"{AUTH}/refresh", json={"refresh_token": first["refresh_token"]}).get_json()
    again = api(None).post(f"{AUTH}/refresh", json={"refresh_token": first["refresh_token"]})
    problem(again, 401, "token_invalid")
    problem(api(None).post(f"{AUTH}/refresh", json={"refresh_token": second["refresh_token"]}), 401, "token_invalid")
    for found in (first, second):
        problem(me(app, found["access_token"]), 401, "token_invalid")


def test_of_racing_refreshes_one_wins_and_the_chain_ends(app: Any, api: Any, world: World, together: Any) -> None:
    refresh = tokens(api, world, "bob")["refresh_token"]
    answers = together(4, api(None), f"{AUTH}/refresh", {"refresh_token": refresh})
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    winner = next(answer for answer in answers if answer.status_code == 200).get_json()
    problem(me(app, winner["access_token"]), 401, "token_invalid")


def test_revoking_by_refresh_token_ends_access_at_once(app: Any, api: Any, world: World) -> None:
    found = tokens(api, world, "alice")
    answer = api(None).post(f"{AUTH}/revoke", json={"refresh_token": found["refresh_token"]})
    assert (answer.status_code, answer.data) == (204, b"")
    problem(me(app, found["access_token"]), 401, "token_invalid")
    problem(api(None).post(f"{AUTH}/refresh", json={"refresh_token": found["refresh_token"]}), 401)


def test_revoking_by_access_token_ends_it(app: Any, api: Any, world: World) -> None:
    alice = api("alice")
    assert alice.post(f"{AUTH}/revoke").status_code == 204
    problem(alice.get(f"{AUTH}/me"), 401, "token_invalid")


def test_revoking_nothing_needs_somebody(api: Any) -> None:
    problem(api(None).post(f"{AUTH}/revoke"), 401, "authentication_required")
    assert api(None).post(f"{AUTH}/revoke", json={"refresh_token": "unknown"}).status_code == 204


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"identifier": "required", "password": "required"}),
        ({"identifier": 1, "password": None}, {"identifier": "wrong_type", "password": "wrong_type"}),
        ({"identifier": "a", "password": ""}, {"password": "required"}),
        ({"identifier": "a" * 255, "password": "x" * 1025}, {"identifier": "too_long", "password": "too_long"}),
        (
            {"identifier": "a\x00", "password": "\ud800"},
            {"identifier": "characters_forbidden", "password": "characters_forbidden"},
        ),
        ({"identifier": "a", "password": "b", "tenant": "nova"}, {"tenant": "unknown_field"}),
    ],
)
def test_bad_sign_in_says_which_field(api: Any, body: Any, expected: dict[str, str]) -> None:
    assert codes(api(None).post(f"{AUTH}/token", json=body)) == expected


def test_texts_come_in_the_language_asked_for(api: Any) -> None:
    body = {"identifier": "alice@acme.example", "password": "wrong"}
    texts = {
        language: api(None).post(f"{AUTH}/token", json=body, headers={"Accept-Language": language}).get_json()
        for language in ("en", "xx")
    }
    assert texts["en"]["detail"] == texts["xx"]["detail"] == "The address or the password is not right."


def test_token_of_a_program_does_not_open_pages(api: Any) -> None:
    assert api("alice").get("/portal/tickets").status_code in (303, 404)


def test_nobody_reaches_tickets(api: Any) -> None:
    problem(api(None).get(TICKETS), 401, "authentication_required")
