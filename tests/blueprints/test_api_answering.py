"""The team's API for answering: macros, own statuses, time, followers, satisfaction; and what stays from others."""

from typing import Any
from uuid import uuid4

import pytest

from tests.blueprints.conftest import DESK, TICKETS, problem
from tests.browsing import Program
from tests.together import at_once
from tests.world import World

MACROS, STATUSES = "/api/v1/staff/macros", "/api/v1/staff/ticket-statuses"


@pytest.fixture
def macro(api: Any) -> Any:
    def make(who: str = "mia", **fields: Any) -> dict[str, Any]:
        body = {"name": f"Macro {uuid4()}", "texts": {"en": "Hello {{customer.first_name}}"}} | fields
        answer = api(who).post(MACROS, json=body)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return answer.get_json()

    return make


@pytest.fixture
def own(api: Any) -> dict[str, Any]:
    body = {
        "category": "waiting_customer",
        "staff_names": {"en": f"Vendor {str(uuid4())[:8]}"},
        "customer_names": {"en": "We wait for parts"},
    }
    answer = api("mia").post(STATUSES, json=body)
    if answer.status_code == 422:
        return api("mia").get(STATUSES).get_json()["items"][0]
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.get_json()


def test_a_macro_is_previewed_and_then_used_as_a_whole(api: Any, ticket: Any, macro: Any) -> None:
    row, made = macro(actions={"status": "resolved", "add_tags": ["vpn"], "assignee": "me"}), ticket()
    sam, path = api("sam"), f"{DESK}/{made['id']}/macro"
    shown = sam.post(path, json={"macro_id": row["id"], "preview": True}).get_json()
    assert (shown["applied"], shown["text"], shown["ticket"]) == (False, "Hello Bob", None)
    assert sam.get(f"{DESK}/{made['id']}").get_json()["messages"] == []
    done = sam.post(path, json={"macro_id": row["id"]}).get_json()
    assert (done["applied"], done["message"]["message"]) == (True, "Hello Bob")
    assert (done["ticket"]["status"], done["ticket"]["tags"]) == ("resolved", ["vpn"])
    assert sam.get(f"{MACROS}/{row['id']}").get_json()["used"] == 1
    seen = api("bob").get(f"{TICKETS}/{made['id']}").get_json()
    assert "macro_applied" not in [line["kind"] for line in seen["timeline"]]


def test_an_edited_text_is_what_is_sent(api: Any, ticket: Any, macro: Any) -> None:
    row, made = macro(), ticket()
    body = {"macro_id": row["id"], "message": "Mine instead"}
    done = api("sam").post(f"{DESK}/{made['id']}/macro", json=body).get_json()
    assert done["message"]["message"] == "Mine instead"


def test_a_used_key_uses_the_macro_once(api: Any, ticket: Any, macro: Any) -> None:
    row, made, sam = macro(), ticket(), api("sam")
    headers = {"Idempotency-Key": f"macro-{made['id']}"}
    for _ in range(2):
        answer = sam.post(f"{DESK}/{made['id']}/macro", json={"macro_id": row["id"]}, headers=headers)
        assert answer.status_code == 200
    assert len(sam.get(f"{DESK}/{made['id']}").get_json()["messages"]) == 1


def test_a_closed_ticket_refuses_the_macro_and_keeps_its_fields(api: Any, ticket: Any, macro: Any) -> None:
    row, made = macro(actions={"priority": "urgent"}), ticket()
    api("bob").post(f"{TICKETS}/{made['id']}/close")
    sam = api("sam")
    problem(sam.post(f"{DESK}/{made['id']}/macro", json={"macro_id": row["id"]}), 409, "ticket_closed")
    assert sam.get(f"{DESK}/{made['id']}").get_json()["priority"] == "normal"


def test_macros_are_checked_changed_and_copied(api: Any, macro: Any) -> None:
    mia = api("mia")
    bad = {"name": "x", "texts": {"en": "Hi {{ticket.secret}}"}}
    told = problem(mia.post(MACROS, json=bad), 422, "invalid")["errors"][0]
    assert (told["field"], told["code"]) == ("text_en", "placeholder_unknown")
    assert "line 1, column 4" in told["message"]
    row = macro()
    changed = mia.patch(f"{MACROS}/{row['id']}", json={"active": False}).get_json()
    assert (changed["active"], changed["version"], changed["texts"]) == (False, 2, row["texts"])
    problem(mia.patch(f"{MACROS}/{row['id']}", json={}), 422, "invalid")
    copy = mia.post(f"{MACROS}/{row['id']}/duplicate").get_json()
    assert copy["name"] == f"{row['name']} (2)"
    assert row["id"] in {item["id"] for item in mia.get(f"{MACROS}?q={row['name']}").get_json()["items"]}


def test_macros_have_owners_and_tenants(api: Any, macro: Any, ticket: Any) -> None:
    own, shared, made = macro("sam", shared=False), macro(), ticket()
    problem(api("jonas").get(f"{MACROS}/{own['id']}"), 404, "macro_not_found")
    problem(api("sam").patch(f"{MACROS}/{shared['id']}", json={"active": False}), 403, "not_allowed")
    problem(api("noor").get(f"{MACROS}/{shared['id']}"), 404, "macro_not_found")
    problem(api("noor").post(f"{DESK}/{made['id']}/macro", json={"macro_id": shared["id"]}), 404, "macro_not_found")
    assert api("bob").get(MACROS).status_code == 403
    assert api("bob").post(f"{DESK}/{made['id']}/macro", json={"macro_id": shared["id"]}).status_code == 403


def test_an_own_status_has_a_label_for_each_and_one_category(api: Any, ticket: Any, own: dict[str, Any]) -> None:
    made, sam = ticket(), api("sam")
    found = sam.patch(f"{DESK}/{made['id']}", json={"custom_status": own["key"]}).get_json()
    assert (found["status"], found["custom_status"]) == ("waiting_customer", own["key"])
    assert (found["status_label"], found["sla"]["state"]) == (own["staff_names"]["en"], "paused")
    seen = api("bob").get(f"{TICKETS}/{made['id']}")
    assert seen.get_json()["status_label"] == own["customer_names"]["en"]
    assert "custom_status" not in seen.get_json()
    assert own["staff_names"]["en"] not in seen.get_data(as_text=True)
    assert own["customer_names"]["en"] in seen.get_json()["timeline"][-1]["text"]
    back = sam.patch(f"{DESK}/{made['id']}", json={"status": "waiting_customer"}).get_json()
    assert (back["custom_status"], back["status_label"]) == (None, "With customer")
    body = {"status": "open", "custom_status": own["key"]}
    assert problem(sam.patch(f"{DESK}/{made['id']}", json=body), 422)["errors"][0]["code"] == "status_elsewhere"
    problem(api("sam").patch(f"{STATUSES}/{own['id']}", json={"active": False}), 403, "not_allowed")
    problem(api("noor").patch(f"{STATUSES}/{own['id']}", json={"active": False}), 404, "custom_status_not_found")


def test_what_was_said_meanwhile_is_a_conflict_where_one_asks(api: Any, ticket: Any) -> None:
    made, sam, jonas = ticket(), api("sam"), api("jonas")
    seen = sam.post(f"{DESK}/{made['id']}/reply", json={"message": "One"}).get_json()["id"]
    jonas.post(f"{DESK}/{made['id']}/reply", json={"message": "Two"})
    crossed = sam.post(f"{DESK}/{made['id']}/reply", json={"message": "Three", "seen": seen})
    assert "Jonas Thiel" in problem(crossed, 409, "answered_meanwhile")["detail"]
    assert sam.post(f"{DESK}/{made['id']}/reply", json={"message": "Three"}).status_code == 201


def test_time_is_written_down_listed_and_taken_back(api: Any, ticket: Any) -> None:
    made, sam = ticket(), api("sam")
    path = f"{DESK}/{made['id']}/time"
    entry = sam.post(path, json={"minutes": 30, "note": "Logs"})
    assert (entry.status_code, entry.get_json()["person"]["name"]) == (201, "Sam Okafor")
    for body in ({"minutes": 0}, {"minutes": 1.5}, {"minutes": 5, "spent_at": "2999-01-01T00:00:00Z"}):
        assert sam.post(path, json=body).status_code == 422
    assert api("mia").get(path).get_json()["total_minutes"] == 30
    assert sam.get(f"{DESK}/{made['id']}").get_json()["minutes_spent"] == 30
    one = f"{path}/{entry.get_json()['id']}"
    assert api("mia").request("DELETE", one).status_code == 404
    assert sam.request("DELETE", one).status_code == 204
    assert sam.request("DELETE", one).status_code == 404
    assert "minutes_spent" not in api("bob").get(f"{TICKETS}/{made['id']}").get_json()
    assert api("bob").get(path).status_code == 403
    assert api("noor").get(path).status_code == 404


def test_minutes_add_up_and_are_taken_back_once_however_many_try(
    api: Any, ticket: Any, together: Any, app: Any
) -> None:
    made, sam = ticket(), api("sam")
    path = f"{DESK}/{made['id']}/time"
    added = together(30, sam, path, {"minutes": 2})
    assert {answer.status_code for answer in added} == {201}
    assert sam.get(f"{DESK}/{made['id']}").get_json()["minutes_spent"] == 60
    one = f"{path}/{added[0].get_json()['id']}"
    programs = [Program(app.test_client(), sam.host, sam.token) for _ in range(30)]
    statuses = sorted(at_once(30, lambda index: programs[index].request("DELETE", one).status_code))
    assert statuses == [204] + [404] * 29
    assert sam.get(path).get_json()["total_minutes"] == 58
    assert sam.get(f"{DESK}/{made['id']}").get_json()["minutes_spent"] == 58


def test_followers_and_mentions(api: Any, ticket: Any, world: World) -> None:
    made, sam = ticket(), api("sam")
    base = f"{DESK}/{made['id']}"
    assert [one["name"] for one in sam.post(f"{base}/follow", json={}).get_json()["items"]] == ["Sam Okafor"]
    sam.post(f"{base}/notes", json={"message": "@Mia Lindqvist please"})
    names = [one["name"] for one in sam.get(f"{base}/followers").get_json()["items"]]
    assert names == ["Mia Lindqvist", "Sam Okafor"]
    assert sam.post(f"{base}/follow", json={"follow": False}).get_json()["items"][0]["name"] == "Mia Lindqvist"
    assert api("bob").get(f"{base}/followers").status_code == 403
    assert "Mia" not in api("bob").get(f"{TICKETS}/{made['id']}").get_data(as_text=True)


def test_satisfaction_counts_and_is_the_team_s(api: Any, ticket: Any) -> None:
    made, sam = ticket("charlie", category="feature_request"), api("sam")
    path = "/api/v1/staff/satisfaction?weeks=4&category=feature_request"
    before = sam.get(path).get_json()["whole"]["count"]
    sam.post(f"{DESK}/{made['id']}/reply", json={"message": "Done", "status": "resolved"})
    api("charlie").post(f"{TICKETS}/{made['id']}/rate", json={"rating": 4})
    found = sam.get(path).get_json()
    assert found["whole"]["count"] == before + 1
    assert [group["key"] for group in found["categories"]] == ["feature_request"]
    assert sam.get("/api/v1/staff/satisfaction?weeks=5").status_code == 422
    assert api("charlie").get(path).status_code == 403
