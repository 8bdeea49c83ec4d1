"""The team's API: queue, answers, notes, assignment, changes; and no note ever reaches a customer (TKT-11)."""

from typing import Any
from uuid import uuid4

import pytest

from tests.blueprints.conftest import DESK, TICKETS, codes, problem
from tests.world import World

CANARY = "canary-7f3a"


def test_note_and_labels_reach_staff_and_no_customer(api: Any, ticket: Any) -> None:
    made = ticket()
    sam, path = api("sam"), f"{DESK}/{made['id']}"
    note = sam.post(f"{path}/notes", json={"message": f"Internal {CANARY}"})
    assert (note.status_code, note.get_json()["is_internal"]) == (201, True)
    assert sam.patch(path, json={"tags": [CANARY]}).get_json()["tags"] == [CANARY]
    assert CANARY in sam.get(path).get_data(as_text=True)
    for who in ("bob", "alice"):
        for address in (TICKETS, f"{TICKETS}?q={CANARY}", f"{TICKETS}/{made['id']}"):
            answer = api(who).get(address)
            assert answer.status_code == 200
            assert CANARY not in answer.get_data(as_text=True)
    seen = api("bob").get(f"{TICKETS}/{made['id']}").get_json()
    assert seen["messages"] == []
    assert [line["kind"] for line in seen["timeline"]] == ["created"]


def test_steps_for_staff_stay_with_staff(api: Any, ticket: Any) -> None:
    made = ticket(category="general")
    staff = api("sam").get(f"{DESK}/{made['id']}").get_json()
    assert staff["next_step"]["kind"] == "sla_first_response_warning"
    assert any(step["staff_only"] for step in staff["next_steps"])
    seen = api("bob").get(f"{TICKETS}/{made['id']}")
    assert seen.get_json()["next_step"]["kind"] == "sla_first_response"
    assert "warning" not in seen.get_data(as_text=True)


def test_answer_keeps_the_promise_and_takes_the_ticket(api: Any, ticket: Any, world: World) -> None:
    made = ticket()
    answer = api("sam").post(f"{DESK}/{made['id']}/reply", json={"message": "On it."})
    assert (answer.status_code, answer.get_json()["sender_type"]) == (201, "agent")
    seen = api("bob").get(f"{TICKETS}/{made['id']}").get_json()
    assert (seen["status"], seen["assignee"]["id"]) == ("in_progress", str(world.people["sam"].user_id))
    assert seen["sla"]["first_response_at"] is not None
    assert seen["sla"]["pending"] == "resolution"
    assert seen["next_step"]["kind"] == "sla_resolution"


def test_answer_with_a_status_pauses_the_clock(api: Any, ticket: Any) -> None:
    made = ticket()
    body = {"message": "Which router?", "status": "waiting_customer"}
    assert api("sam").post(f"{DESK}/{made['id']}/reply", json=body).status_code == 201
    seen = api("bob").get(f"{TICKETS}/{made['id']}").get_json()
    assert (seen["status"], seen["sla"]["state"]) == ("waiting_customer", "paused")
    assert (seen["sla"]["paused_reason"], seen["next_step"]) == ("waiting_customer", None)


def test_assign_and_put_back(api: Any, ticket: Any, world: World) -> None:
    made, jonas = ticket(), str(world.people["jonas"].user_id)
    path = f"{DESK}/{made['id']}/assign"
    assert api("mia").post(path, json={"assignee_id": jonas}).get_json()["assignee"] == {
        "id": jonas,
        "name": "Jonas Thiel",
    }
    assert api("mia").post(path, json={"assignee_id": None}).get_json()["assignee"] is None


@pytest.mark.parametrize("who", ["bob", "noor", "bill", None])
def test_nobody_else_can_be_given_a_ticket(api: Any, ticket: Any, world: World, who: str | None) -> None:
    path = f"{DESK}/{ticket()['id']}/assign"
    body = {"assignee_id": str(world.people[who].user_id if who else uuid4())}
    assert codes(api("sam").post(path, json=body)) == {"assignee_id": "unknown_assignee"}


def test_change_several_fields_at_once(api: Any, ticket: Any) -> None:
    made = ticket()
    body = {
        "priority": "urgent",
        "category": "billing",
        "subject": "Wrong invoice",
        "tags": ["b", "a"],
        "status": "resolved",
    }
    changed = api("sam").patch(f"{DESK}/{made['id']}", json=body).get_json()
    assert {name: changed[name] for name in ("priority", "category", "subject", "status")} == {
        name: body[name] for name in ("priority", "category", "subject", "status")
    }
    assert changed["tags"] == ["a", "b"]
    problem(api("sam").patch(f"{DESK}/{made['id']}", json={"status": "waiting_customer"}), 409, "move_not_allowed")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"body": "nothing_to_change"}),
        ({"status": None}, {"status": "unknown_choice"}),
        ({"priority": "top"}, {"priority": "unknown_choice"}),
        ({"category": "nothing"}, {"category": "unknown_category"}),
        ({"subject": "  "}, {"subject": "required"}),
        ({"subject": "x" * 256}, {"subject": "too_long"}),
        ({"tags": ["x"] * 21}, {"tags": "too_many"}),
        ({"tags": ["x" * 41]}, {"tags.0": "too_long"}),
        ({"tags": "x"}, {"tags": "wrong_type"}),
        (
            {"escalation_level": 3, "tenant_id": "x"},
            {"escalation_level": "unknown_field", "tenant_id": "unknown_field"},
        ),
    ],
)
def test_bad_change_says_which_field_and_changes_nothing(
    api: Any, ticket: Any, body: Any, expected: dict[str, str]
) -> None:
    made = ticket()
    assert codes(api("sam").patch(f"{DESK}/{made['id']}", json=body)) == expected
    assert api("sam").get(f"{DESK}/{made['id']}").get_json()["updated_at"] == made["updated_at"]


@pytest.mark.parametrize("who", ["bill", "dora"])
def test_roles_that_only_read_cannot_answer(api: Any, ticket: Any, who: str) -> None:
    path = f"{DESK}/{ticket()['id']}"
    assert api(who).get(path).status_code == 200
    problem(api(who).post(f"{path}/reply", json={"message": "x"}), 403, "not_allowed")
    problem(api(who).patch(path, json={"priority": "low"}), 403, "not_allowed")


def test_staff_of_another_tenant_find_nothing(api: Any, ticket: Any) -> None:
    path = f"{DESK}/{ticket()['id']}"
    problem(api("noor").get(path), 404, "ticket_not_found")
    problem(api("noor").post(f"{path}/notes", json={"message": "x"}), 404)
    problem(api("noor").patch(path, json={"priority": "low"}), 404)
    problem(api("noor").post(f"{path}/assign", json={"assignee_id": None}), 404)


def test_queue_views_filters_and_order(api: Any, ticket: Any, world: World) -> None:
    made, other = ticket(priority="urgent", subject="Warehouse scanners"), ticket(category="general")
    sam = api("sam")
    sam.post(f"{DESK}/{made['id']}/assign", json={"assignee_id": str(world.people["sam"].user_id)})

    def has(**query: Any) -> tuple[bool, bool]:
        answer = sam.get(DESK, query_string={"limit": 100, "sort": "-created", **query})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        ids = [item["id"] for item in answer.get_json()["items"]]
        return made["id"] in ids, other["id"] in ids

    assert has() == has(view="open") == has(company=str(world.companies["acme"])) == (True, True)
    assert has(view="mine") == has(assignee="me") == has(priority="urgent") == has(q="scanners") == (True, False)
    assert has(assignee=str(world.people["sam"].user_id)) == (True, False)
    assert has(view="unassigned") == has(assignee="none") == has(category="general") == (False, True)
    assert has(view="with_customer") == has(status="resolved") == (False, False)
    ordered = [item["sla"]["due_at"] for item in sam.get(DESK, query_string={"view": "due_soon"}).get_json()["items"]]
    assert ordered == sorted(ordered)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"view": "nothing"}, {"view": "unknown_choice"}),
        ({"assignee": "sam"}, {"assignee": "not_an_id"}),
        ({"company": "acme"}, {"company": "not_an_id"}),
        ({"sort": "subject"}, {"sort": "unknown_choice"}),
        ({"tenant": "nova"}, {"tenant": "unknown_field"}),
    ],
)
def test_bad_queue_query_says_which_parameter(api: Any, query: Any, expected: dict[str, str]) -> None:
    assert codes(api("sam").get(DESK, query_string=query)) == expected
