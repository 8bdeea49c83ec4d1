"""Limits count failures; successes are hardly limited, and no header moves them (SEC-03)."""

from typing import Any

import pytest

from tests.blueprints.conftest import TICKETS, problem
from tests.browsing import Program
from tests.world import PASSWORD, World

TOKEN = "/api/v1/auth/token"


def guess(api: Any, world: World, who: str = "alice", password: str = "wrong", **options: Any) -> Any:
    return api(None).post(TOKEN, json={"identifier": world.people[who].email, "password": password}, **options)


def test_guessing_ends_after_ten_failures_for_that_person_only(api: Any, world: World) -> None:
    for number in range(10):
        forged = {"X-Forwarded-For": f"10.0.0.{number}", "X-Real-IP": f"10.0.0.{number}"}
        problem(guess(api, world, headers=forged), 401)
    refused = guess(api, world, headers={"X-Forwarded-For": "10.9.9.9"})
    problem(refused, 429, "rate_limited")
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    problem(guess(api, world, password=PASSWORD), 429)
    assert guess(api, world, "bob", PASSWORD).status_code == 200


def test_successful_sign_ins_are_not_counted(api: Any, world: World) -> None:
    for _ in range(25):
        assert guess(api, world, password=PASSWORD).status_code == 200


def test_failures_of_an_origin_meet_429_and_active_people_go_on(app: Any, api: Any) -> None:
    bob = api("bob")
    stranger = Program(app.test_client(), "127.0.0.1", "made-up")
    for _ in range(150):
        assert stranger.get(TICKETS).status_code == 401
    refused = stranger.get(TICKETS, headers={"X-Forwarded-For": "10.1.2.3"})
    problem(refused, 429, "rate_limited")
    assert int(refused.headers["Retry-After"]) >= 1
    assert bob.get(TICKETS).status_code == 200
    problem(api(None).post(TOKEN, json={"identifier": "x@example.org", "password": "x"}), 429)


def test_person_who_only_fails_is_stopped_altogether(api: Any) -> None:
    bob, alice = api("bob"), api("alice")
    for _ in range(150):
        assert bob.get(f"{TICKETS}/nothing").status_code == 404 or pytest.fail("limited too early")
    problem(bob.get(TICKETS), 429, "rate_limited")
    assert alice.get(TICKETS).status_code == 200


def test_active_person_gets_six_hundred_calls_a_minute(api: Any) -> None:
    bob = api("bob")
    assert {bob.get("/api/v1/auth/me").status_code for _ in range(600)} == {200}


def test_twenty_at_once(api: Any, together: Any) -> None:
    body = {"subject": "x", "description": "y", "category": "drill"}
    assert {answer.status_code for answer in together(20, api("bob"), TICKETS, body)} == {201}
