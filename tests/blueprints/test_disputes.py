"""Disputes and requests of a later due date: API of the contract, pages, and who is kept out."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.browsing import Browser, csrf_token, sign_in
from tests.world import World

OWN, STAFF = "/api/v1/portal", "/api/v1/staff"


def money(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture
def invoice(api: Any, world: World) -> dict[str, Any]:
    """Two lines to Acme, 100.00 and 50.00, without tax."""
    lines = [
        {"description": name, "quantity": "1", "unit_price": money(amount), "tax_rate": "0"}
        for name, amount in (("Visit", 10_000), ("Surcharge", 5_000))
    ]
    due = (date.today() + timedelta(days=20)).isoformat()
    body = {"customer_id": str(world.companies["acme"]), "currency": "EUR", "due_on": due, "lines": lines}
    made: dict[str, Any] = api("bill").post(f"{STAFF}/invoices", json=body).get_json()
    return made


@pytest.fixture
def browser(app: Any, world: World) -> Any:
    return lambda name: sign_in(app, world, name)


def dispute(api: Any, invoice: dict[str, Any], who: str = "bob", **more: Any) -> Any:
    body = {"reason": "Nobody came"} | more
    return api(who).post(f"{OWN}/invoices/{invoice['id']}/disputes", json=body)


def send(browser: Browser, path: str, data: dict[str, Any]) -> Any:
    form = {"csrf_token": csrf_token(browser.get(path)), **data}
    return browser.client.post(path, base_url=f"http://{browser.host}", data=form)


def test_by_the_contract(api: Any, invoice: dict[str, Any]) -> None:
    line = invoice["lines"][1]["id"]
    answer = dispute(api, invoice, line_ids=[line])
    assert answer.status_code == 201, answer.get_json()
    made = answer.get_json()
    assert (made["status"], made["amount"], made["lines"][0]["line_id"]) == ("open", money(5_000), line)
    seen = api("bob").get(f"{OWN}/invoices/{invoice['id']}").get_json()
    assert (seen["status"], seen["disputed"], seen["outstanding"]) == ("disputed", money(5_000), money(15_000))
    assert dispute(api, invoice, line_ids=[line]).get_json()["code"] == "already_disputed"
    listed = api("alice").get(f"{OWN}/invoices/{invoice['id']}/disputes").get_json()["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    resolved = api("bill").post(
        f"{STAFF}/disputes/{made['id']}/resolve",
        json={"outcome": "accepted", "answer": "Right", "amount": money(2_000)},
    )
    assert resolved.status_code == 200, resolved.get_json()
    assert resolved.get_json()["accepted"] == money(2_000)
    own = api("bob").get(f"{OWN}/disputes/{made['id']}").get_json()
    assert (own["status"], own["outcome"], own["answer"]) == ("resolved", "accepted", "Right")
    assert "refund_id" not in own
    assert api("bob").get(f"{OWN}/invoices/{invoice['id']}").get_json()["outstanding"] == money(13_000)
    again = api("bill").post(f"{STAFF}/disputes/{made['id']}/resolve", json={"outcome": "rejected", "answer": "No"})
    assert again.status_code == 409


def test_amounts_per_line_and_of_the_whole(api: Any, invoice: dict[str, Any]) -> None:
    first, second = (line["id"] for line in invoice["lines"])
    lines = [{"line_id": first, "amount": money(1_000)}]
    assert dispute(api, invoice, lines=lines).get_json()["amount"] == money(1_000)
    for body in ({"line_ids": [second, second]}, {"amount": money(0)}, {"amount": {"amount": 5, "currency": "USD"}}):
        assert dispute(api, invoice, **body).status_code == 422, body
    made = dispute(api, invoice, amount=money(2_500)).get_json()
    assert [(one["line_id"], one["amount"]) for one in made["lines"]] == [(second, money(2_500))]
    gone = api("bob").post(f"{OWN}/disputes/{made['id']}/withdraw", json={})
    assert gone.get_json()["status"] == "withdrawn"
    assert api("bob").get(f"{OWN}/invoices/{invoice['id']}").get_json()["disputed"] == money(1_000)


def test_a_key_opens_one(api: Any, invoice: dict[str, Any]) -> None:
    path, headers = f"{OWN}/invoices/{invoice['id']}/disputes", {"Idempotency-Key": uuid4().hex}
    bob = api("bob")
    answers = [bob.post(path, json={"reason": "Twice"}, headers=headers) for _ in range(2)]
    assert answers[0].get_json() == answers[1].get_json(), answers[0].get_json()
    assert len(bob.get(path).get_json()["items"]) == 1


def test_strangers_find_nothing(api: Any, invoice: dict[str, Any]) -> None:
    made = dispute(api, invoice).get_json()
    for path in (f"/invoices/{invoice['id']}/disputes", f"/invoices/{invoice['id']}/extension-requests"):
        assert api("charlie").get(f"{OWN}{path}").status_code == 404
    assert dispute(api, invoice, "charlie").status_code == 404
    assert api("charlie").get(f"{OWN}/disputes/{made['id']}").status_code == 404
    assert api("charlie").post(f"{OWN}/disputes/{made['id']}/withdraw", json={}).status_code == 404
    assert api("bob").get(f"{STAFF}/disputes").status_code == 403
    answer = api("sam").post(f"{STAFF}/disputes/{made['id']}/review", json={})
    assert answer.status_code == 403
    assert api("bill").post(f"{STAFF}/disputes/{made['id']}/review", json={}).get_json()["status"] == "under_review"


def test_a_later_due_date(api: Any, invoice: dict[str, Any]) -> None:
    path = f"{OWN}/invoices/{invoice['id']}/extension-requests"
    later = (date.today() + timedelta(days=40)).isoformat()
    made = api("bob").post(path, json={"due_on": later, "reason": "Budget"})
    assert made.status_code == 201, made.get_json()
    assert api("bob").post(path, json={"due_on": later, "reason": "Budget"}).status_code == 409
    wish = made.get_json()["id"]
    listed = api("bill").get(f"{STAFF}/extension-requests?status=open&limit=100").get_json()["items"]
    assert wish in {one["id"] for one in listed}
    assert api("bill").post(f"{STAFF}/extension-requests/{wish}/grant", json={}).get_json()["granted_on"] == later
    assert api("bob").get(f"{OWN}/invoices/{invoice['id']}").get_json()["due_on"] == later
    refused = api("bill").post(f"{STAFF}/extension-requests/{wish}/refuse", json={"answer": "No"})
    assert refused.status_code == 409


def test_the_pages_of_both_sides(browser: Any, invoice: dict[str, Any]) -> None:
    bob, bill, page = browser("bob"), browser("bill"), f"/portal/invoices/{invoice['id']}"
    form = f"{page}/disputes/new"
    line = invoice["lines"][1]["id"]
    wrong = send(bob, form, {"category": "other", "about": "lines", "reason": "x"})
    assert wrong.status_code == 422
    typed = {"category": "not_delivered", "about": "lines", "line": line, f"amount-{line}": "20,00", "reason": "No one"}
    answer = send(bob, form, typed)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    mine = bob.get(answer.headers["Location"]).get_data(as_text=True)
    assert "€20.00" in mine
    assert "Withdraw the dispute" in mine
    part = bob.get(f"{page}/disputes").get_data(as_text=True)
    assert "€20.00 are in dispute" in part
    dispute_id = answer.headers["Location"].rsplit("/", 1)[1]
    assert "Surcharge" in bill.get(f"/admin/disputes/{dispute_id}").get_data(as_text=True)
    assert dispute_id in bill.get("/admin/disputes/").get_data(as_text=True)
    decided = bill.get(f"/admin/disputes/{dispute_id}")
    token = csrf_token(decided)
    path = f"/admin/disputes/{dispute_id}/resolve"
    for data, status in (({"outcome": "accepted", "answer": ""}, 422), ({"outcome": "accepted", "answer": "Yes"}, 303)):
        sent = bill.client.post(path, base_url=f"http://{bill.host}", data={"csrf_token": token, **data})
        assert sent.status_code == status
    assert "Our answer" in bob.get(f"/portal/disputes/{dispute_id}").get_data(as_text=True)
    assert browser("charlie").get(f"/portal/disputes/{dispute_id}").status_code == 404


def test_asking_for_time_on_the_pages(browser: Any, invoice: dict[str, Any]) -> None:
    bob, bill, form = browser("bob"), browser("bill"), f"/portal/invoices/{invoice['id']}/extension"
    assert send(bob, form, {"due_on": "", "reason": "x"}).status_code == 422
    later = (date.today() + timedelta(days=45)).isoformat()
    assert send(bob, form, {"due_on": later, "reason": "Budget"}).status_code == 303
    shown = bill.get("/admin/disputes/?list=extensions").get_data(as_text=True)
    number = invoice["number"]
    assert number in shown
    path = shown.split(f">{number}<")[0].rsplit('href="', 1)[1].split('"')[0]
    token = csrf_token(bill.get(path))
    data = {"csrf_token": token, "grant": "1", "due_on": later, "answer": "Gladly"}
    assert bill.client.post(f"{path}/answer", base_url=f"http://{bill.host}", data=data).status_code == 303
    assert "Gladly" in bob.get(f"/portal/invoices/{invoice['id']}/disputes").get_data(as_text=True)


def test_the_list_of_banks_cases_opens(browser: Any) -> None:
    assert browser("bill").get("/admin/disputes/?list=chargebacks").status_code == 200
