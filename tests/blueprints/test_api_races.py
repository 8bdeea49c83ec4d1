"""One-shot actions and idempotency keys, really in parallel."""

from typing import Any

import pytest

from portal.blueprints.api.idempotency import REPLAYED
from tests.blueprints.conftest import DESK, TICKETS, problem

ACTIONS = {"close": {}, "cancel": {"reason": "Done."}, "reopen": {}, "rate": {"rating": 5}}


@pytest.mark.parametrize("action", ACTIONS)
def test_one_of_many_wins(api: Any, ticket: Any, together: Any, action: str) -> None:
    path = f"{TICKETS}/{ticket()['id']}"
    bob = api("bob")
    if action in ("reopen", "rate"):
        bob.post(f"{path}/close")
    answers = together(6, bob, f"{path}/{action}", ACTIONS[action])
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    kinds = [line["kind"] for line in bob.get(path).get_json()["timeline"]]
    assert kinds.count("rated" if action == "rate" else "status_changed") == (2 if action == "reopen" else 1)


def test_same_key_and_body_answers_the_same_and_changes_once(api: Any, ticket: Any) -> None:
    path, bob = f"{TICKETS}/{ticket()['id']}", api("bob")
    headers = {"Idempotency-Key": "reply-1"}
    first = bob.post(f"{path}/reply", json={"message": "Hello."}, headers=headers)
    again = bob.post(
        f"{path}/reply", data=b'{ "message" : "Hello." }', content_type="application/json", headers=headers
    )
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_data() == again.get_data()
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert len(bob.get(path).get_json()["messages"]) == 1


def test_one_shot_with_a_key_is_repeatable(api: Any, ticket: Any) -> None:
    path, bob = f"{TICKETS}/{ticket()['id']}", api("bob")
    answers = [bob.post(f"{path}/close", headers={"Idempotency-Key": "close-1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    problem(bob.post(f"{path}/close"), 409, "already_closed")


def test_key_for_another_body_path_or_person(api: Any, ticket: Any) -> None:
    path, bob = f"{TICKETS}/{ticket()['id']}", api("bob")
    headers = {"Idempotency-Key": "shared"}
    assert bob.post(f"{path}/reply", json={"message": "One."}, headers=headers).status_code == 201
    other = bob.post(f"{path}/reply", json={"message": "Two."}, headers=headers)
    assert problem(other, 422, "idempotency_mismatch")["errors"][0]["field"] == "Idempotency-Key"
    problem(bob.post(f"{path}/close", headers=headers), 422, "idempotency_mismatch")
    alice = api("alice").post(f"{path}/reply", json={"message": "Two."}, headers=headers)
    assert alice.status_code == 201
    assert REPLAYED not in alice.headers


def test_parallel_requests_with_one_key_change_once(api: Any, ticket: Any, together: Any) -> None:
    path, bob = f"{TICKETS}/{ticket()['id']}", api("bob")
    headers = {"Idempotency-Key": "parallel-1"}
    answers = together(6, bob, f"{path}/reply", {"message": "Once."}, headers=headers)
    for answer in answers:
        if answer.status_code != 201:
            problem(answer, 409, "idempotency_in_progress")
    assert len({answer.get_data() for answer in answers if answer.status_code == 201}) == 1
    assert len(bob.get(path).get_json()["messages"]) == 1


def test_new_tickets_with_one_key_are_one(api: Any, together: Any) -> None:
    bob = api("bob")
    body = {"subject": "Once only", "description": "x", "category": "drill"}
    answers = together(4, bob, TICKETS, body, headers={"Idempotency-Key": "create-1"})
    assert len({answer.get_json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}


def test_crash_leaves_neither_change_nor_key(api: Any, ticket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path, bob = f"{TICKETS}/{ticket()['id']}", api("bob")
    headers = {"Idempotency-Key": "crash-1"}

    def break_down(*_: Any, **__: Any) -> None:
        raise RuntimeError("the machine stops here")

    for place in ("portal.blueprints.api.idempotency.store_answer", "portal.blueprints.http.commit"):
        with monkeypatch.context() as broken:
            broken.setattr(place, break_down)
            problem(bob.post(f"{path}/reply", json={"message": "Hello."}, headers=headers), 500, "internal_error")
        assert bob.get(path).get_json()["messages"] == []
    again = bob.post(f"{path}/reply", json={"message": "Hello."}, headers=headers)
    assert (again.status_code, REPLAYED in again.headers) == (201, False)


def test_refused_request_stores_no_answer(api: Any, ticket: Any) -> None:
    path, bob = f"{TICKETS}/{ticket()['id']}", api("bob")
    headers = {"Idempotency-Key": "refused-1"}
    problem(bob.post(f"{path}/reply", json={"message": ""}, headers=headers), 422)
    assert bob.post(f"{path}/reply", json={"message": "Now."}, headers=headers).status_code == 201


@pytest.mark.parametrize(("key", "code"), [("x" * 256, "too_long"), ("a b", "characters_forbidden"), ("", "required")])
def test_bad_key_is_refused(api: Any, ticket: Any, key: str, code: str) -> None:
    answer = api("bob").post(f"{TICKETS}/{ticket()['id']}/close", headers={"Idempotency-Key": key})
    assert problem(answer, 422)["errors"][0]["code"] == code


def test_keys_work_at_the_desk(api: Any, ticket: Any) -> None:
    path, sam = f"{DESK}/{ticket()['id']}", api("sam")
    for _ in range(2):
        answer = sam.post(f"{path}/notes", json={"message": "Once."}, headers={"Idempotency-Key": "note-1"})
        assert answer.status_code == 201
    assert len(sam.get(path).get_json()["messages"]) == 1
