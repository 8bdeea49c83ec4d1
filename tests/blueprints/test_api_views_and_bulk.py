"""The team's API for views of its own and for changes of many tickets."""

from typing import Any
from uuid import uuid4

import pytest

from tests.blueprints.conftest import DESK, codes, problem
from tests.world import World

VIEWS = "/api/v1/staff/ticket-views"
BULK = f"{DESK}/bulk"
OWN = {"name": "Vexed", "filters": {"tags": ["vexed"], "status": ["open"]}, "columns": ["number", "subject"]}


@pytest.fixture
def made(api: Any) -> Any:
    """Make a view (as sam unless said) and give its JSON."""

    def make(who: str = "sam", **fields: Any) -> dict[str, Any]:
        answer = api(who).post(VIEWS, json=OWN | fields)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return answer.get_json()

    return make


def test_a_view_is_made_read_changed_copied_and_deleted(api: Any, made: Any) -> None:
    sam, view = api("sam"), made()
    path = f"{VIEWS}/{view['id']}"
    assert (view["filters"], view["columns"], view["sort"]) == (OWN["filters"], OWN["columns"], "due")
    changed = sam.request("PUT", path, json={"name": "Calm", "version": 1, "sort": "-created"}).get_json()
    assert (changed["name"], changed["filters"], changed["version"]) == ("Calm", {}, 2)
    problem(sam.request("PUT", path, json={"name": "Late", "version": 1}), 409, "changed_meanwhile")
    versions = sam.get(f"{path}/versions").get_json()["items"]
    assert [entry["data"]["name"] for entry in versions] == ["Calm", "Vexed"]
    back = sam.post(f"{path}/restore", json={"version": 1}).get_json()
    assert (back["name"], back["version"]) == ("Vexed", 3)
    copy = sam.post(f"{path}/duplicate", json={"name": "Copy"})
    assert (copy.status_code, copy.get_json()["filters"]) == (201, OWN["filters"])
    assert sam.post(f"{path}/move", json={"direction": "down"}).status_code == 200
    names = [item["name"] for item in sam.get(VIEWS).get_json()["items"] if not item["shared"]]
    assert names.index("Copy") < names.index("Vexed")
    assert sam.request("DELETE", path).status_code == 204
    problem(sam.get(path), 404, "view_not_found")


def test_the_queue_takes_a_view(api: Any, ticket: Any, made: Any) -> None:
    sam, mine, other = api("sam"), ticket(), ticket()
    sam.patch(f"{DESK}/{mine['id']}", json={"tags": ["vexed"]})
    view = made()
    found = [item["id"] for item in sam.get(f"{DESK}?view={view['id']}").get_json()["items"]]
    assert mine["id"] in found
    assert other["id"] not in found
    counted = {item["id"]: item["count"] for item in sam.get(VIEWS).get_json()["items"]}
    assert counted[view["id"]] == len(found)
    problem(sam.get(f"{DESK}?view={uuid4()}"), 422, "invalid")
    assert "view" in codes(sam.get(f"{DESK}?view=nonsense"))


def test_views_of_others_are_not_there(api: Any, made: Any) -> None:
    view, shared = made(), made("mia", shared=True)
    for who in ("mia", "ada", "noor"):
        stranger, path = api(who), f"{VIEWS}/{view['id']}"
        for answer in (
            stranger.get(path),
            stranger.request("PUT", path, json=OWN),
            stranger.request("DELETE", path),
            stranger.get(f"{path}/versions"),
            stranger.post(BULK, json={"view": view["id"], "action": "close"}),
        ):
            problem(answer, 404, "view_not_found")
        problem(stranger.get(f"{DESK}?view={view['id']}"), 422, "invalid")
    problem(api("noor").get(f"{VIEWS}/{shared['id']}"), 404)
    assert api("sam").get(f"{VIEWS}/{shared['id']}").status_code == 200
    problem(api("sam").request("DELETE", f"{VIEWS}/{shared['id']}"), 403)
    problem(api("sam").post(VIEWS, json=OWN | {"shared": True}), 403)
    problem(api("bob").get(VIEWS), 403)
    problem(api(None).get(VIEWS), 401)


def test_bad_views_are_refused_by_field(api: Any) -> None:
    body = OWN | {"columns": ["number"], "filters": {"category": ["nope"], "assignee": ["x"]}}
    assert set(codes(api("sam").post(VIEWS, json=body))) >= {"columns", "category", "assignee"}
    assert "filters.nonsense" in codes(api("sam").post(VIEWS, json=OWN | {"filters": {"nonsense": 1}}))


def test_many_tickets_change_and_come_back(api: Any, ticket: Any, world: World) -> None:
    sam, ids = api("sam"), [ticket()["id"] for _ in range(3)]
    body = {"ids": [*ids, str(uuid4())], "action": "assign", "assignee_id": str(world.people["jonas"].user_id)}
    answer = sam.post(BULK, json=body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    change = answer.get_json()
    assert [(result["ok"], result["code"]) for result in change["results"]] == [
        *[(True, None)] * 3,
        (False, "ticket_not_found"),
    ]
    assert change["undo_until"] is not None
    assert sam.get(f"{DESK}/{ids[0]}").get_json()["assignee"]["name"] == "Jonas Thiel"
    sam.patch(f"{DESK}/{ids[1]}", json={"priority": "high"})
    undone = sam.post(f"{BULK}/{change['id']}/undo").get_json()
    assert [result["undone"] for result in undone["results"]] == [True, False, True, None]
    assert undone["results"][1]["undo_code"] == "ticket_changed_since"
    assert (undone["undo_until"], sam.get(f"{DESK}/{ids[0]}").get_json()["assignee"]) == (None, None)
    problem(sam.post(f"{BULK}/{change['id']}/undo"), 409, "already_undone")
    assert sam.get(f"{BULK}/{change['id']}").get_json() == undone
    for who in ("jonas", "noor"):
        problem(api(who).post(f"{BULK}/{change['id']}/undo"), 404, "bulk_change_not_found")


def test_a_whole_view_is_changed(api: Any, ticket: Any, made: Any) -> None:
    sam, chosen, other = api("sam"), [ticket()["id"] for _ in range(2)], ticket()["id"]
    view = made(filters={"tags": ["sweep"]})
    sam.post(BULK, json={"ids": chosen, "action": "add_tags", "tags": ["sweep"]})
    change = sam.post(BULK, json={"view": view["id"], "action": "close"}).get_json()
    assert {result["id"] for result in change["results"]} == set(chosen)
    states = {id_: sam.get(f"{DESK}/{id_}").get_json()["status"] for id_ in [*chosen, other]}
    assert states == {chosen[0]: "closed", chosen[1]: "closed", other: "open"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "close"}, "body"),
        ({"action": "close", "view": "open", "ids": [str(uuid4())]}, "body"),
        ({"action": "close", "ids": []}, "ids"),
        ({"action": "explode", "ids": [str(uuid4())]}, "action"),
        ({"action": "status", "ids": [str(uuid4())]}, "status"),
        ({"action": "category", "ids": [str(uuid4())], "category": "nope"}, "category"),
        ({"action": "close", "ids": [str(uuid4()) for _ in range(501)]}, "ids"),
    ],
)
def test_what_is_no_change_is_refused(api: Any, body: dict[str, Any], field: str) -> None:
    assert field in codes(api("sam").post(BULK, json=body))


def test_nobody_else_changes_many(api: Any, ticket: Any) -> None:
    body = {"ids": [ticket()["id"]], "action": "close"}
    for who in ("bob", "bill", "dora"):
        problem(api(who).post(BULK, json=body), 403)
    assert api("noor").post(BULK, json=body).get_json()["results"][0]["code"] == "ticket_not_found"


def test_a_key_changes_many_once(api: Any, ticket: Any) -> None:
    sam, body = api("sam"), {"ids": [ticket()["id"]], "action": "close"}
    answers = [sam.post(BULK, json=body, headers={"Idempotency-Key": "bulk-1"}).get_json() for _ in range(2)]
    assert answers[0] == answers[1]


def test_thirty_undos_are_one(api: Any, ticket: Any, together: Any) -> None:
    sam, ids = api("sam"), [ticket()["id"] for _ in range(2)]
    change = sam.post(BULK, json={"ids": ids, "action": "close"}).get_json()
    answers = together(30, sam, f"{BULK}/{change['id']}/undo")
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 29
    kinds = [line["kind"] for line in sam.get(f"{DESK}/{ids[0]}").get_json()["timeline"]]
    assert kinds.count("status_changed") == 2


def test_a_views_condition_is_kept_or_refused_with_its_place(api: Any, made: Any) -> None:
    condition = 'ticket.priority == "high" && ticket.tags.contains("vip")'
    view = made(filters={"condition": condition})
    assert view["filters"] == {"condition": condition}
    listed = api("sam").get(f"{DESK}?view={view['id']}&limit=100").get_json()["items"]
    assert all(item["priority"] == "high" and "vip" in item["tags"] for item in listed)
    answer = api("sam").post(VIEWS, json=OWN | {"filters": {"condition": "ticket.priority ==\n== 1"}})
    assert answer.status_code == 422
    assert "Line 2, column 1" in answer.get_data(as_text=True)


def test_many_go_into_the_trash_and_back(api: Any, ticket: Any) -> None:
    mia, ids = api("mia"), [ticket()["id"], ticket()["id"]]
    done = mia.post(BULK, json={"ids": ids, "action": "trash", "reason": "Spam"})
    assert [one["changed"] for one in done.get_json()["results"]] == [True, True]
    problem(mia.get(f"{DESK}/{ids[0]}"), 404)
    back = mia.post(BULK, json={"ids": ids[:1], "action": "restore"}).get_json()
    assert back["results"][0]["changed"] is True
    assert mia.get(f"{DESK}/{ids[0]}").status_code == 200
    undone = mia.post(f"{BULK}/{done.get_json()['id']}/undo", json={}).get_json()["results"]
    assert [(one["undone"], one["undo_code"]) for one in undone] == [(False, "ticket_changed_since"), (True, None)]
    assert codes(mia.post(BULK, json={"ids": ids, "action": "trash"})) == {"reason": "required"}
    problem(api("bill").post(BULK, json={"ids": ids, "action": "trash", "reason": "Spam"}), 403)
