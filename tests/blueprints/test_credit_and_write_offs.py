"""Credit used and write-offs taken back, by page and API; what customers read of both."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from portal.models.session import TenantSessions
from portal.services.payments.credit import credit_balance
from portal.services.payments.transfers import Transfer, book_transfer
from tests.browsing import sign_in
from tests.tills import BASE_URL
from tests.world import World

OWN, STAFF = "/api/v1/portal", "/api/v1/staff"


def money(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture
def issue(api: Any, world: World) -> Any:
    """An invoice to Globex over an amount, without tax."""

    def make(amount: int) -> str:
        lines = [{"description": "Visit", "quantity": "1", "unit_price": money(amount), "tax_rate": "0"}]
        due = (date.today() + timedelta(days=20)).isoformat()
        body = {"customer_id": str(world.companies["globex"]), "currency": "EUR", "due_on": due, "lines": lines}
        return str(api("bill").post(f"{STAFF}/invoices", json=body).get_json()["id"])

    return make


@pytest.fixture
def real(app: Any) -> TenantSessions:
    return TenantSessions(app.extensions["portal_engine"])


@pytest.fixture
def credit(real: TenantSessions, world: World, now: Any) -> int:
    """Globex has at least 12.00 to its credit; gives how much."""
    with real.begin(world.demo) as session:
        transfer = Transfer(world.companies["globex"], "EUR", 1200, {})
        book_transfer(session, transfer, base_url=BASE_URL, actor=world.people["bill"].actor, now=now)
        return credit_balance(session, world.companies["globex"], "EUR")


@pytest.fixture
def browser(app: Any, world: World) -> Any:
    return lambda name: sign_in(app, world, name)


def test_credit_by_api(api: Any, issue: Any, credit: int) -> None:
    invoice = issue(credit + 500)
    offer = api("charlie").get(f"{OWN}/invoices/{invoice}/available-credit").get_json()
    assert offer == {"credit": money(credit), "usable": money(credit)}
    path, headers = f"{OWN}/invoices/{invoice}/use-credit", {"Idempotency-Key": uuid4().hex}
    answers = [api("charlie").post(path, json={"amount": money(700)}, headers=headers) for _ in range(2)]
    assert answers[0].status_code == 201, answers[0].get_json()
    assert answers[0].get_json() == answers[1].get_json()
    made = answers[0].get_json()
    assert (made["kind"], made["status"], made["amount"]) == ("credit", "succeeded", money(700))
    rest = api("bill").post(f"{STAFF}/invoices/{invoice}/use-credit", json={})
    assert rest.get_json()["amount"] == money(credit - 700)
    again = api("bill").post(f"{STAFF}/invoices/{invoice}/use-credit", json={})
    assert (again.status_code, again.get_json()["code"]) == (409, "no_credit")
    other = api("charlie").post(path, json={"amount": {"amount": 5, "currency": "USD"}})
    assert other.status_code == 422
    assert made["id"] in {one["id"] for one in api("charlie").get(f"{OWN}/payments").get_json()["items"]}


def test_outsiders_use_no_credit(api: Any, issue: Any, credit: int) -> None:
    invoice = issue(5000)
    assert api("alice").get(f"{OWN}/invoices/{invoice}/available-credit").status_code == 404
    assert api("alice").post(f"{OWN}/invoices/{invoice}/use-credit", json={}).status_code == 404
    assert api("bob").post(f"{OWN}/invoices/{invoice}/use-credit", json={}).status_code == 403
    assert api("sam").get(f"{STAFF}/invoices/{invoice}/available-credit").status_code == 200
    assert api("sam").post(f"{STAFF}/invoices/{invoice}/use-credit", json={}).status_code == 403
    assert api("dora").get(f"{STAFF}/invoices/{invoice}/available-credit").status_code == 403


def test_the_customer_s_button(browser: Any, issue: Any, credit: int) -> None:
    invoice, charlie = issue(credit), browser("charlie")
    page = f"/portal/invoices/{invoice}"
    text = charlie.get(f"{page}/pay").get_data(as_text=True)
    assert "Use credit of" in text
    key = str(uuid4())
    for _ in range(2):
        answer = charlie.post(f"{page}/credit", {"request_key": key})
        assert answer.status_code == 303, answer.get_data(as_text=True)
    shown = charlie.get(page).get_data(as_text=True)
    assert "Credit used" in shown
    assert "Use credit of" not in charlie.get(f"{page}/pay").get_data(as_text=True)
    payment = charlie.get(f"/portal/payments/{key}")
    assert payment.status_code == 200
    assert charlie.get(f"/portal/payments/{key}/receipt").data.startswith(b"%PDF")
    refused = charlie.post(f"{page}/credit", {"request_key": str(uuid4())})
    assert refused.status_code == 409
    assert "Payment already processed." in refused.get_data(as_text=True)


def test_the_team_s_button(browser: Any, issue: Any, credit: int) -> None:
    invoice, bill = issue(credit + 100), browser("bill")
    page = f"/admin/invoices/{invoice}"
    assert "Use credit of" in bill.get(page).get_data(as_text=True)
    assert "Use credit of" not in browser("sam").get(page).get_data(as_text=True)
    assert browser("sam").post(f"{page}/use-credit", {}).status_code == 403
    assert bill.post(f"{page}/use-credit", {"request_key": str(uuid4())}).status_code == 303
    refused = bill.post(f"{page}/use-credit", {"request_key": str(uuid4())})
    assert refused.status_code == 409
    assert "There is no credit" in refused.get_data(as_text=True)


def test_a_write_off_is_called_one(api: Any, browser: Any, issue: Any) -> None:
    invoice = issue(5000)
    body = {"reason": "Goodwill", "amount": money(800)}
    assert api("bill").post(f"{STAFF}/invoices/{invoice}/write-offs", json=body).status_code == 201
    text = browser("charlie").get(f"/portal/invoices/{invoice}").get_data(as_text=True)
    assert "Waived" in text
    assert "Credited" not in text
    assert "Written off" not in text
    seen = api("charlie").get(f"{OWN}/invoices/{invoice}").get_json()
    assert (seen["credited"], seen["written_off"], seen["outstanding"]) == (money(800), money(800), money(4200))


def test_a_write_off_is_taken_back_by_api(api: Any, issue: Any) -> None:
    invoice = issue(5000)
    made = api("bill").post(f"{STAFF}/invoices/{invoice}/write-offs", json={"reason": "Insolvent"}).get_json()
    path = f"{STAFF}/write-offs/{made['id']}/reverse"
    for who in ("sam", "bob"):
        assert api(who).post(path, json={"reason": "x"}).status_code == 403
    assert api("noor").post(path, json={"reason": "x"}).status_code == 404
    answer = api("bill").post(path, json={"reason": "They pay after all"})
    assert answer.status_code == 201, answer.get_json()
    assert (answer.get_json()["reverses_id"], answer.get_json()["status"]) == (made["id"], "done")
    again = api("bill").post(path, json={"reason": "x"})
    assert (again.status_code, again.get_json()["code"]) == (409, "write_off_not_reversible")
    seen = api("charlie").get(f"{OWN}/invoices/{invoice}").get_json()
    assert (seen["written_off"], seen["outstanding"]) == (money(0), money(5000))


def test_a_write_off_is_taken_back_by_page(api: Any, browser: Any, issue: Any) -> None:
    invoice = issue(5000)
    made = api("bill").post(f"{STAFF}/invoices/{invoice}/write-offs", json={"reason": "Insolvent"}).get_json()
    bill, page = browser("bill"), f"/admin/billing/write-offs/of/{invoice}"
    assert "Take back" in bill.get(page).get_data(as_text=True)
    assert "Take back" not in browser("sam").get(page).get_data(as_text=True)
    path = f"/admin/billing/write-offs/{made['id']}/reverse"
    assert browser("sam").post(path, {"reversal_reason": "x"}).status_code == 403
    empty = bill.post(path, {"reversal_reason": ""})
    assert empty.status_code == 422
    assert "<details open" in empty.get_data(as_text=True)
    assert bill.post(path, {"reversal_reason": "They pay after all"}).status_code == 303
    text = bill.get(page).get_data(as_text=True)
    assert "Taken back" in text
    assert bill.post(path, {"reversal_reason": "x"}).status_code == 409
