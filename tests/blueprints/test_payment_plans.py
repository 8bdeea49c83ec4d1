"""Payment plans: the API of both sides, the pages, and who is kept out."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.browsing import Browser, csrf_token, sign_in
from tests.world import World

OWN, STAFF = "/api/v1/portal", "/api/v1/staff"


def money(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def day(days: int = 20) -> str:
    return (date.today() + timedelta(days=days)).isoformat()


@pytest.fixture
def invoice(api: Any, world: World) -> dict[str, Any]:
    """100.00 to Acme, without tax."""
    lines = [{"description": "Visit", "quantity": "1", "unit_price": money(10_000), "tax_rate": "0"}]
    body = {"customer_id": str(world.companies["acme"]), "currency": "EUR", "due_on": day(), "lines": lines}
    made: dict[str, Any] = api("bill").post(f"{STAFF}/invoices", json=body).get_json()
    return made


@pytest.fixture
def browser(app: Any, world: World) -> Any:
    return lambda name: sign_in(app, world, name)


def ask(api: Any, invoice: dict[str, Any], who: str = "alice", **more: Any) -> Any:
    body = {"count": 3, "interval": "monthly", "first_on": day(10), "reason": "A slow quarter"} | more
    return api(who).post(f"{OWN}/invoices/{invoice['id']}/payment-plans", json=body)


def send(browser: Browser, path: str, data: dict[str, Any], page: str | None = None) -> Any:
    form = {"csrf_token": csrf_token(browser.get(page or path)), **data}
    return browser.client.post(path, base_url=f"http://{browser.host}", data=form)


def test_by_the_contract(api: Any, invoice: dict[str, Any]) -> None:
    answer = ask(api, invoice)
    assert answer.status_code == 201, answer.get_json()
    made = answer.get_json()
    assert (made["status"], made["wanted_count"], made["instalments"]) == ("open", 3, [])
    assert ask(api, invoice).get_json()["code"] == "plan_stands"
    listed = api("bill").get(f"{STAFF}/payment-plans?status=open&limit=100").get_json()["items"]
    assert made["id"] in {one["id"] for one in listed}
    parts = [{"due_on": day(5), "amount": money(4_000)}, {"due_on": day(15), "amount": money(5_999)}]
    path = f"{STAFF}/payment-plans/{made['id']}"
    assert api("bill").post(f"{path}/grant", json={"instalments": parts}).status_code == 422
    parts[1]["amount"] = {"amount": 6_000, "currency": "USD"}
    assert api("bill").post(f"{path}/grant", json={"instalments": parts}).status_code == 422
    parts[1]["amount"] = money(6_000)
    granted = api("bill").post(f"{path}/grant", json={"instalments": parts, "answer": "Gladly"}).get_json()
    assert [one["amount"] for one in granted["instalments"]] == [money(4_000), money(6_000)]
    own = f"{OWN}/payment-plans/{made['id']}"
    signed = {"signer_name": "Alice Martin", "content_sha256": granted["content_sha256"], "consent": True}
    assert api("alice").post(f"{own}/accept", json=signed | {"content_sha256": "0" * 64}).status_code == 409
    accepted = api("alice").post(f"{own}/accept", json=signed)
    assert accepted.status_code == 200, accepted.get_json()
    assert (accepted.get_json()["status"], accepted.get_json()["signer_name"]) == ("in_force", "Alice Martin")
    assert "signer_address" not in accepted.get_json()
    assert api("bill").get(path).get_json()["signer_address"]
    for refused in (
        api("alice").post(f"{own}/withdraw", json={}),
        api("bill").post(f"{path}/refuse", json={"answer": "x"}),
    ):
        assert (refused.status_code, refused.get_json()["code"]) == (409, "plan_decided")
    of_invoice = api("alice").get(f"{OWN}/invoices/{invoice['id']}/payment-plans").get_json()["items"]
    assert [one["id"] for one in of_invoice] == [made["id"]]


def test_a_key_asks_once(api: Any, invoice: dict[str, Any]) -> None:
    path, headers = f"{OWN}/invoices/{invoice['id']}/payment-plans", {"Idempotency-Key": uuid4().hex}
    body = {"count": 2, "interval": "weekly", "first_on": day(3), "reason": "Budget"}
    answers = [api("alice").post(path, json=body, headers=headers) for _ in range(2)]
    assert answers[0].get_json() == answers[1].get_json()
    assert len(api("alice").get(path).get_json()["items"]) == 1


def test_strangers_find_nothing(api: Any, invoice: dict[str, Any]) -> None:
    made = ask(api, invoice).get_json()["id"]
    signed = {"signer_name": "C", "content_sha256": "0" * 64, "consent": True}
    charlie = api("charlie")
    assert ask(api, invoice, "charlie").status_code == 404
    assert charlie.get(f"{OWN}/invoices/{invoice['id']}/payment-plans").status_code == 404
    assert charlie.get(f"{OWN}/payment-plans/{made}").status_code == 404
    assert charlie.post(f"{OWN}/payment-plans/{made}/accept", json=signed).status_code == 404
    assert charlie.post(f"{OWN}/payment-plans/{made}/withdraw", json={}).status_code == 404
    assert api("alice").get(f"{STAFF}/payment-plans").status_code == 403
    for action, body in (("grant", {}), ("refuse", {"answer": "No"})):
        assert api("sam").post(f"{STAFF}/payment-plans/{made}/{action}", json=body).status_code == 403


def test_the_pages_of_both_sides(browser: Any, invoice: dict[str, Any]) -> None:
    alice, bill, page = browser("alice"), browser("bill"), f"/portal/invoices/{invoice['id']}"
    assert "Ask for a payment plan" in alice.get(f"{page}/payment-plan").get_data(as_text=True)
    form = f"{page}/payment-plan/new"
    typed = {"count": "3", "interval": "weekly", "first_on": day(10), "reason": "A slow quarter"}
    for wrong in ({"count": "x"}, {"count": "²"}, {"interval": "daily"}, {"first_on": ""}, {"first_on": "soon"}):
        assert send(alice, form, typed | wrong).status_code == 422, wrong
    answer = send(alice, form, typed)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    plan = answer.headers["Location"]
    plan_id = plan.rsplit("/", 1)[1]
    assert "Waits for an answer" in alice.get(plan).get_data(as_text=True)
    assert plan_id in bill.get("/admin/disputes/?list=plans").get_data(as_text=True)
    staff = f"/admin/payment-plans/{plan_id}"
    assert "33.34" in bill.get(staff).get_data(as_text=True)
    parts = {"day-1": day(8), "amount-1": "40,00", "day-2": day(30), "amount-2": "60.00"}
    for wrong in ({"amount-2": "59"}, {"amount-2": "x"}, {"day-2": ""}, {"day-1": day(31)}):
        assert send(bill, f"{staff}/answer", {"grant": "1"} | parts | wrong, staff).status_code == 422, wrong
    assert send(bill, f"{staff}/answer", {"grant": "0", "answer": ""}, staff).status_code == 422
    assert send(bill, f"{staff}/answer", {"grant": "1", "answer": "Gladly"} | parts, staff).status_code == 303
    shown = alice.get(plan).get_data(as_text=True)
    assert "Accept the payment plan" in shown
    sha = shown.split('name="content_sha256" value="')[1].split('"')[0]
    signed = {"content_sha256": sha, "signer_name": "Alice Martin", "consent": "1"}
    for wrong in ({"signer_name": ""}, {"consent": ""}, {"method": "x"}):
        assert send(alice, f"{plan}/accept", signed | wrong, plan).status_code == 422, wrong
    assert send(alice, f"{plan}/accept", signed, plan).status_code == 303
    after = alice.get(plan).get_data(as_text=True)
    for words in ("In force", "€40.00", "€60.00", "Alice Martin", "Pay the instalment", "Gladly"):
        assert words in after, words
    assert "In instalments" in alice.get(page).get_data(as_text=True)
    assert "Alice Martin" in bill.get(staff).get_data(as_text=True)
    assert browser("charlie").get(plan).status_code == 404


def test_withdrawing_and_a_plan_that_is_refused(browser: Any, api: Any, invoice: dict[str, Any]) -> None:
    alice, bill = browser("alice"), browser("bill")
    plan_id = ask(api, invoice).get_json()["id"]
    plan = f"/portal/payment-plans/{plan_id}"
    assert send(alice, f"{plan}/withdraw", {}, plan).status_code == 303
    assert "Withdrawn" in alice.get(plan).get_data(as_text=True)
    again = ask(api, invoice).get_json()["id"]
    staff = f"/admin/payment-plans/{again}"
    assert send(bill, f"{staff}/answer", {"grant": "0", "answer": "Not this time"}, staff).status_code == 303
    assert "Not this time" in alice.get(f"/portal/payment-plans/{again}").get_data(as_text=True)
    assert bill.get("/admin/payment-plans/").status_code == 303
