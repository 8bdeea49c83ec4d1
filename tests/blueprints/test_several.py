"""The list as a whole, on pages without scripts and through the API."""

import csv
import io
from typing import Any
from uuid import uuid4

import pytest
from pypdf import PdfReader

from tests.blueprints.conftest import TICKETS, codes, problem
from tests.browsing import sign_in
from tests.world import World


@pytest.fixture
def bob(app: Any, world: World) -> Any:
    return sign_in(app, world, "bob")


def test_bulk_reports_each_ticket_and_nothing_of_foreign_ones(api: Any, ticket: Any) -> None:
    mine, foreign = ticket("bob"), ticket("charlie")
    body = {"ids": [mine["id"], foreign["id"]], "action": "close"}
    results = api("bob").post(f"{TICKETS}/bulk", json=body).get_json()["results"]
    assert [(one["id"], one["number"], one["ok"], one["code"]) for one in results] == [
        (mine["id"], mine["number"], True, "closed"),
        (foreign["id"], None, False, "ticket_not_found"),
    ]
    again = api("bob").post(f"{TICKETS}/bulk", json=body).get_json()["results"]
    assert [one["code"] for one in again] == ["already_closed", "ticket_not_found"]
    assert api("charlie").get(f"{TICKETS}/{foreign['id']}").get_json()["status"] == "open"


def test_bulk_says_what_is_wrong_with_it(api: Any) -> None:
    send = api("bob").post
    assert codes(send(f"{TICKETS}/bulk", json={"ids": [], "action": "close"})).keys() == {"ids"}
    one = [str(uuid4())]
    assert codes(send(f"{TICKETS}/bulk", json={"ids": one, "action": "delete"})) == {"action": "unknown_choice"}
    assert codes(send(f"{TICKETS}/bulk", json={"ids": one, "action": "cancel"})) == {"reason": "required"}
    problem(api("sam").post(f"{TICKETS}/bulk", json={"ids": one, "action": "close"}), 403, "not_allowed")


def test_bulk_at_once_ends_each_ticket_once(api: Any, ticket: Any, together: Any) -> None:
    made = [ticket("bob")["id"] for _ in range(3)]
    orders = [made, made[::-1]] * 6
    bodies = [{"ids": ids, "action": "close"} for ids in orders]
    answers = together(12, api("bob"), f"{TICKETS}/bulk", bodies)
    assert {answer.status_code for answer in answers} == {200}
    ended = [one["id"] for answer in answers for one in answer.get_json()["results"] if one["ok"]]
    assert sorted(ended) == sorted(made)


def test_bulk_with_a_key_is_done_once_and_told_twice(api: Any, ticket: Any) -> None:
    made, key = ticket("bob"), {"Idempotency-Key": str(uuid4())}
    body = {"ids": [made["id"]], "action": "cancel", "reason": "Solved."}
    first = api("bob").post(f"{TICKETS}/bulk", json=body, headers=key)
    second = api("bob").post(f"{TICKETS}/bulk", json=body, headers=key)
    assert first.get_json() == second.get_json()
    assert second.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("who", ["bob", "alice"])
def test_csv_through_the_api(api: Any, ticket: Any, who: str) -> None:
    mark = f"q{uuid4().hex[:10]}"
    for owner in ("bob", "alice", "charlie"):
        ticket(owner, subject=f"@{mark} of {owner}")
    answer = api(who).get(f"{TICKETS}/export", query_string={"format": "csv", "q": mark})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    own = ["bob"] if who == "bob" else ["alice", "bob"]
    assert sorted(row["Subject"] for row in rows) == [f"'@{mark} of {name}" for name in own]


def test_pdf_holds_what_was_chosen(api: Any, ticket: Any) -> None:
    chosen, other, foreign = ticket(subject="Chosen one"), ticket(subject="Left out"), ticket("charlie")
    query = {"format": "pdf", "ids": f"{chosen['id']},{foreign['id']}"}
    answer = api("bob").get(f"{TICKETS}/export", query_string=query)
    assert answer.headers["Content-Type"] == "application/pdf"
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.get_data())).pages)
    assert chosen["number"] in text
    assert "Chosen one" in text
    assert other["number"] not in text
    assert foreign["number"] not in text
    assert codes(api("bob").get(f"{TICKETS}/export?format=doc")) == {"format": "unknown_choice"}


def test_views_through_the_api_are_their_owners(api: Any) -> None:
    path, name = f"{TICKETS}/views", f"View {uuid4().hex[:8]}"
    body = {"name": name, "filters": {"priority": "urgent", "view": "all"}}
    made = api("bob").post(path, json=body)
    assert made.status_code == 201, made.get_data(as_text=True)
    view = made.get_json()
    assert view["filters"] == body["filters"]
    assert codes(api("bob").post(path, json=body)) == {"name": "name_taken"}
    for outsider in ("alice", "charlie", "nia"):
        problem(api(outsider).get(f"{path}/{view['id']}"), 404, "view_not_found")
        problem(api(outsider).patch(f"{path}/{view['id']}", json={"name": "Mine"}), 404, "view_not_found")
        problem(api(outsider).request("DELETE", f"{path}/{view['id']}"), 404, "view_not_found")
        assert view["id"] not in [one["id"] for one in api(outsider).get(path).get_json()["items"]]
    renamed = api("bob").patch(f"{path}/{view['id']}", json={"name": f"{name} 2"}).get_json()
    assert renamed["name"] == f"{name} 2"
    assert api("bob").request("DELETE", f"{path}/{view['id']}").status_code == 204
    problem(api("bob").request("DELETE", f"{path}/{view['id']}"), 404, "view_not_found")


def test_several_are_closed_from_the_page_without_scripts(bob: Any, ticket: Any) -> None:
    first, second, foreign = ticket(), ticket(), ticket("charlie")
    page = bob.get("/portal/tickets/select").get_data(as_text=True)
    assert f'value="{first["id"]}"' in page
    assert foreign["id"] not in page
    ids = [first["id"], second["id"], foreign["id"]]
    result = bob.post("/portal/tickets/bulk", {"ids": ids, "action": "close"}).get_data(as_text=True)
    assert "2 of 3 tickets done" in result
    assert "Ticket not found." in result
    assert foreign["number"] not in result
    assert bob.post("/portal/tickets/bulk", {"action": "close"}).headers["Location"] == "/portal/tickets/select"


def test_cancelling_several_asks_for_the_reason_and_keeps_what_was_chosen(bob: Any, ticket: Any) -> None:
    made = ticket()
    asked = bob.post("/portal/tickets/bulk", {"ids": [made["id"]], "action": "cancel"})
    assert (asked.status_code, made["id"] in asked.get_data(as_text=True)) == (200, True)
    refused = bob.post("/portal/tickets/bulk", {"ids": [made["id"]], "action": "cancel", "reason": " "})
    assert refused.status_code == 422
    assert "This field is needed." in refused.get_data(as_text=True)
    done = bob.post("/portal/tickets/bulk", {"ids": [made["id"]], "action": "cancel", "reason": "No more"})
    assert "1 of 1 tickets done" in done.get_data(as_text=True)


def test_the_list_leads_to_its_files_with_its_filters(bob: Any, ticket: Any) -> None:
    mark = f"m{uuid4().hex[:10]}"
    made = ticket(subject=mark, priority="high")
    ticket(subject=mark, priority="low")
    listed = bob.get(f"/portal/tickets?q={mark}&priority=high").get_data(as_text=True)
    assert f"/portal/tickets/more?q={mark}&amp;priority=high" in listed
    more = bob.get(f"/portal/tickets/more?q={mark}&priority=high").get_data(as_text=True)
    path = f"/portal/tickets/export?format=csv&q={mark}&priority=high"
    assert path.replace("&", "&amp;") in more
    rows = list(csv.DictReader(io.StringIO(bob.get(path).get_data(as_text=True))))
    assert [row["Number"] for row in rows] == [made["number"]]
    pdf = bob.get(path.replace("csv", "pdf"))
    assert made["number"] in PdfReader(io.BytesIO(pdf.get_data())).pages[0].extract_text()


def test_a_view_is_saved_from_the_page_renamed_and_deleted(bob: Any) -> None:
    name = f"View {uuid4().hex[:8]}"
    saved = bob.post("/portal/tickets/views", {"name": name, "priority": "urgent", "view": "all"})
    assert (saved.status_code, saved.headers["Location"]) == (303, "/portal/tickets?view=all&priority=urgent")
    again = bob.post("/portal/tickets/views", {"name": name, "priority": "urgent"})
    assert again.status_code == 422
    assert "has this name already" in again.get_data(as_text=True)
    drawer = bob.get("/portal/tickets/more", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in drawer
    assert 'href="/portal/tickets?view=all&amp;priority=urgent"' in drawer
    view = next(part for part in drawer.split("<li>") if name in part)
    rename = view.split('action="')[1].split('"')[0]
    assert bob.post(rename, {"name": f"{name} 2"}).status_code == 303
    assert f"{name} 2" in bob.get("/portal/tickets/more").get_data(as_text=True)
    assert bob.post(rename.replace("rename", "delete")).status_code == 303
    assert name not in bob.get("/portal/tickets/more").get_data(as_text=True).split("Saved views")[-1]
