"""Merge, split, links, follow-ups, trash and side conversations through the API, and who gets nothing of them."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from portal.extensions import limiter
from tests.blueprints.conftest import DESK, TICKETS, codes, problem
from tests.keeping import TEXT

LINKED, TRASHED, WALKED, BESIDE = "canary-linked", "canary-trashed", "canarywalked", "canary-beside"
STAFF = "/api/v1/staff"


@pytest.fixture
def long_closed(root: Any) -> Any:
    """Have a ticket closed forty days ago."""

    def age(ticket_id: str) -> None:
        at = datetime.now(UTC) - timedelta(days=40)
        with root.begin() as connection:
            sql = "UPDATE portal_tickets SET status = 'closed', closed_at = :at, resolved_at = :at WHERE id = :id"
            connection.execute(text(sql), {"at": at, "id": UUID(ticket_id)})

    return age


def test_merging_leads_customers_to_the_other_ticket(api: Any, ticket: Any) -> None:
    one, two = ticket(subject="Twice"), ticket()
    answer = api("sam").post(f"{DESK}/{one['id']}/merge", json={"into_id": two["id"]})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert (answer.get_json()["status"], answer.get_json()["merged_into_id"]) == ("closed", two["id"])
    seen = api("bob").get(f"{TICKETS}/{two['id']}").get_json()
    assert [entry["message"] for entry in seen["messages"]] == ["Since Monday."]
    assert any(one["number"] in line["text"] for line in seen["timeline"] if line["kind"] == "merged_here")
    assert api("bob").get(f"{TICKETS}/{one['id']}").get_json()["merged_into_id"] == two["id"]
    problem(api("bob").post(f"{TICKETS}/{one['id']}/reopen"), 409, "ticket_merged")


def test_merging_refuses(api: Any, ticket: Any) -> None:
    one, two, foreign = ticket(), ticket(), ticket("charlie")
    path = f"{DESK}/{one['id']}/merge"
    sam = api("sam")
    assert codes(sam.post(path, json={"into_id": one["id"]})) == {"into_id": "merge_into_itself"}
    assert codes(sam.post(path, json={"into_id": foreign["id"]})) == {"into_id": "merge_other_company"}
    problem(sam.post(path, json={"into_id": str(uuid4())}), 404, "ticket_not_found")
    assert codes(sam.post(path, json={"into_id": "x"})) == {"into_id": "not_an_id"}
    problem(api("bill").post(path, json={"into_id": two["id"]}), 403)
    problem(api("bob").post(path, json={"into_id": two["id"]}), 403)
    problem(api("noor").post(path, json={"into_id": two["id"]}), 404)
    assert sam.post(path, json={"into_id": two["id"]}).status_code == 200
    problem(sam.post(path, json={"into_id": two["id"]}), 409, "already_merged")
    problem(sam.post(f"{DESK}/{two['id']}/merge", json={"into_id": one["id"]}), 409, "merge_target_merged")


def test_one_of_many_merges_wins(api: Any, ticket: Any, together: Any) -> None:
    one, two = ticket(), ticket()
    answers = together(6, api("sam"), f"{DESK}/{one['id']}/merge", {"into_id": two["id"]})
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert len(api("bob").get(f"{TICKETS}/{two['id']}").get_json()["messages"]) == 1


def test_splitting(api: Any, ticket: Any) -> None:
    made, sam = ticket(), api("sam")
    path = f"{DESK}/{made['id']}/split"
    said = api("bob").post(f"{TICKETS}/{made['id']}/reply", json={"message": "And the printer?"}).get_json()
    new = sam.post(path, json={"message_ids": [said["id"]], "subject": "Printer"})
    assert new.status_code == 201, new.get_data(as_text=True)
    seen = api("bob").get(f"{TICKETS}/{new.get_json()['id']}").get_json()
    assert (seen["subject"], seen["description"]) == ("Printer", "And the printer?")
    assert "split_from" in [line["kind"] for line in seen["timeline"]]
    assert codes(sam.post(path, json={"message_ids": [str(uuid4())], "subject": "x"})) == {
        "message_ids": "unknown_message"
    }
    problem(api("bill").post(path, json={"message_ids": [said["id"]], "subject": "x"}), 403)
    problem(api("noor").post(path, json={"message_ids": [said["id"]], "subject": "x"}), 404)


def test_links(api: Any, ticket: Any) -> None:
    one, two, sam = ticket(), ticket("alice", subject=LINKED), api("sam")
    path = f"{DESK}/{one['id']}/links"
    made = sam.post(path, json={"number": two["number"].lower(), "relation": "problem"})
    assert made.status_code == 201, made.get_data(as_text=True)
    (link,) = made.get_json()["items"]
    assert (link["relation"], link["number"]) == ("problem", two["number"])
    assert sam.get(f"{DESK}/{two['id']}/links").get_json()["items"][0]["relation"] == "incident"
    assert LINKED not in api("bob").get(f"{TICKETS}/{one['id']}/links").get_data(as_text=True)
    assert api("alice").get(f"{TICKETS}/{one['id']}/links").get_json()["items"][0]["number"] == two["number"]
    problem(api("charlie").get(f"{TICKETS}/{one['id']}/links"), 404)
    problem(sam.post(path, json={"number": two["number"], "relation": "problem"}), 409, "already_linked")
    assert codes(sam.post(path, json={"number": "TCK-0"})) == {"number": "unknown_ticket"}
    solved = sam.post(f"{DESK}/{two['id']}/incidents/solve", json={"message": "It is back."})
    assert solved.get_json()["items"] == [{"id": one["id"], "number": one["number"], "ok": True, "code": None}]
    assert api("bob").get(f"{TICKETS}/{one['id']}").get_json()["status"] == "resolved"
    problem(sam.post(f"{DESK}/{two['id']}/incidents/solve", json={"message": "x"}), 409, "no_open_incidents")
    assert sam.request("DELETE", f"{path}/{link['id']}").status_code == 204
    problem(sam.request("DELETE", f"{path}/{link['id']}"), 404)


def test_following_up(api: Any, ticket: Any, long_closed: Any) -> None:
    first, bob = ticket(subject="VPN drops"), api("bob")
    problem(bob.post(f"{TICKETS}/{first['id']}/follow-up", json={"description": "x"}), 409, "follow_up_too_early")
    long_closed(first["id"])
    problem(bob.post(f"{TICKETS}/{first['id']}/reopen"), 409, "reopen_too_late")
    made = bob.post(f"{TICKETS}/{first['id']}/follow-up", json={"description": "It is back."})
    assert (made.status_code, made.get_json()["subject"]) == (201, "VPN drops")
    by_staff = api("sam").post(f"{DESK}/{first['id']}/follow-up", json={"description": "Again.", "subject": "New"})
    assert (by_staff.status_code, by_staff.get_json()["requester"]["name"]) == (201, "Bob Keller")
    relations = {one["relation"] for one in bob.get(f"{TICKETS}/{first['id']}/links").get_json()["items"]}
    assert relations == {"followed_up"}
    problem(api("charlie").post(f"{TICKETS}/{first['id']}/follow-up", json={"description": "x"}), 404)


def test_the_trash(api: Any, ticket: Any) -> None:
    made, sam, bob = ticket(subject=TRASHED), api("sam"), api("bob")
    path = f"{DESK}/{made['id']}"
    assert codes(sam.post(f"{path}/trash", json={"reason": ""})) == {"reason": "required"}
    put = sam.post(f"{path}/trash", json={"reason": "Spam"})
    assert (put.status_code, put.get_json()["reason"]) == (200, "Spam")
    problem(sam.post(f"{path}/trash", json={"reason": "Spam"}), 409, "already_trashed")
    problem(sam.get(path), 404)
    problem(bob.get(f"{TICKETS}/{made['id']}"), 404)
    assert TRASHED in sam.get(f"{STAFF}/trash").get_data(as_text=True)
    for who in ("bill", "bob"):
        problem(api(who).get(f"{STAFF}/trash"), 403)
        problem(api(who).post(f"{path}/restore"), 403)
    problem(api("noor").post(f"{path}/restore"), 404)
    assert TRASHED not in api("noor").get(f"{STAFF}/trash").get_data(as_text=True)
    assert sam.post(f"{path}/restore").status_code == 200
    problem(sam.post(f"{path}/restore"), 409, "not_trashed")
    assert bob.get(f"{TICKETS}/{made['id']}").get_json()["subject"] == TRASHED


def test_every_page_and_operation_agrees_about_the_trash(
    app: Any, api: Any, world: Any, ticket: Any, root: Any
) -> None:
    """Every address that names a ticket or a thing of one says 404, and no list of the product shows it."""
    from tests.browsing import sign_in

    made, sam = ticket(subject=WALKED, description=WALKED), api("sam")
    said = api("bob").post(f"{TICKETS}/{made['id']}/reply", json={"message": WALKED}).get_json()["id"]
    side = sam.post(
        f"{DESK}/{made['id']}/side-conversations",
        json={"recipient": "line@isp.example", "subject": WALKED, "message": WALKED},
    ).get_json()["id"]
    put = sam.post(f"{DESK}/{made['id']}/trash", json={"reason": "Spam"})
    assert put.status_code == 200
    # The log of what was sent and the trail of what was done are records, not lists of tickets.
    beside = ("trash", "relations_api.trash_list", "mail.", "audit", "static", "gallery")
    ids = {"ticket_id": made["id"], "message_id": said, "conversation_id": side}
    shown, answered = [], []
    with root.begin() as connection:
        connection.execute(text("DELETE FROM notifications WHERE record_id = :id"), {"id": UUID(made["id"])})
    people = {who: (sign_in(app, world, who), api(who)) for who in ("sam", "ada", "bob", "alice")}
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint.startswith(beside):
            continue
        if not rule.arguments <= set(ids):
            continue
        # The walk has more requests than anybody may make in a minute.
        limiter.reset()
        _, path = rule.build({name: ids[name] for name in rule.arguments})  # type: ignore[misc]
        for who, (browser, program) in people.items():
            for query in ("", f"?q={WALKED}&view=all"):
                answer = program.get(path + query) if path.startswith("/api/") else browser.get(path + query)
                if rule.arguments and answer.status_code not in (403, 404, 303, 422):
                    answered.append((who, path, answer.status_code))
                # A search repeats its words.
                if not query and WALKED in answer.get_data(as_text=True):
                    shown.append((who, path))
                if query and answer.status_code == 200 and made["id"] in answer.get_data(as_text=True):
                    shown.append((who, path + query))
    assert answered == []
    assert shown == []
    # The walk would notice: the same lists show it once it is back.
    assert sam.post(f"{DESK}/{made['id']}/restore").status_code == 200
    for who, path in (("sam", f"{DESK}?q={WALKED}"), ("bob", f"{TICKETS}?q={WALKED}")):
        assert made["id"] in api(who).get(path).get_data(as_text=True)


def test_side_conversations_are_the_teams(api: Any, ticket: Any) -> None:
    made, sam = ticket(), api("sam")
    path = f"{DESK}/{made['id']}/side-conversations"
    body = {"recipient": "Line@ISP.example", "subject": f"Line {BESIDE}", "message": f"Please look, {BESIDE}."}
    begun = sam.post(path, json=body)
    assert begun.status_code == 201, begun.get_data(as_text=True)
    side = f"{STAFF}/side-conversations/{begun.get_json()['id']}"
    assert begun.get_json()["recipient"] == "line@isp.example"
    assert sam.post(f"{side}/messages", json={"message": BESIDE}).status_code == 201
    found = api("bill").get(path).get_json()["items"]
    assert [len(one["messages"]) for one in found] == [2]
    problem(api("bill").post(f"{side}/messages", json={"message": "x"}), 403)
    problem(api("noor").post(f"{side}/messages", json={"message": "x"}), 404)
    for who in ("bob", "alice"):
        problem(api(who).get(path), 403)
        for address in (f"{TICKETS}/{made['id']}", f"{TICKETS}?q={BESIDE}", f"{TICKETS}/{made['id']}/links"):
            assert BESIDE not in api(who).get(address).get_data(as_text=True)
    assert sam.post(f"{side}/close").status_code == 200
    problem(sam.post(f"{side}/close"), 409, "side_closed")
    problem(sam.post(f"{side}/messages", json={"message": "x"}), 409, "side_closed")
    assert codes(sam.post(path, json={"recipient": "nobody", "subject": "s", "message": "m"})) == {
        "recipient": "email_invalid"
    }


def test_relations_take_a_key(api: Any, ticket: Any) -> None:
    one, two, sam = ticket(), ticket(), api("sam")
    headers = {"Idempotency-Key": "merge-1"}
    answers = [sam.post(f"{DESK}/{one['id']}/merge", json={"into_id": two["id"]}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]


def test_files_of_side_conversations_are_the_teams(api: Any, ticket: Any) -> None:
    made, sam = ticket(), api("sam")

    def kept() -> str:
        sent = sam.post(f"{STAFF}/attachments", data={"file": (io.BytesIO(TEXT), f"{BESIDE}-file.log")})
        return str(sent.get_json()["id"])

    path, first, second = f"{DESK}/{made['id']}/side-conversations", kept(), kept()
    body = {"recipient": "line@isp.example", "subject": "Line", "message": "See.", "attachment_ids": [first]}
    begun = sam.post(path, json=body)
    assert begun.status_code == 201, begun.get_data(as_text=True)
    (mail,) = begun.get_json()["messages"]
    assert [(file["id"], file["size"], file["state"]) for file in mail["attachments"]] == [(first, len(TEXT), "clean")]
    side = f"{STAFF}/side-conversations/{begun.get_json()['id']}"
    more = sam.post(f"{side}/messages", json={"message": "More.", "attachment_ids": [second]})
    assert [file["id"] for file in more.get_json()["attachments"]] == [second]
    again = sam.post(f"{side}/messages", json={"message": "x", "attachment_ids": [first]})
    assert codes(again) == {"attachment_ids": "file_unknown"}
    assert sam.get(f"{STAFF}/attachments/{first}/link").status_code == 200
    problem(api("noor").get(f"{STAFF}/attachments/{first}/link"), 404)
    for who in ("bob", "alice"):
        assert BESIDE not in api(who).get(f"{TICKETS}/{made['id']}").get_data(as_text=True)
        for address in (f"/api/v1/portal/attachments/{first}", f"/api/v1/portal/attachments/{first}/link"):
            problem(api(who).get(address), 404)
