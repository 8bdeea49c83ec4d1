"""Receivables, transfers and write-offs in the API of the team."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from portal.models.session import TenantSessions
from tests.blueprints.conftest import codes, problem
from tests.statements import camt, entry
from tests.tills import USUAL, Till, open_till

API = "/api/v1/staff"


@pytest.fixture
def till(engine: Any, world: Any) -> Iterator[Till]:
    found = open_till(TenantSessions(engine), world, datetime.now(UTC))
    yield found
    found.settings(**USUAL)


def read(api: Any, *entries: str, who: str = "bill", **options: Any) -> Any:
    data = {"file": (io.BytesIO(camt(*entries)), "s.xml")}
    return api(who).post(f"{API}/bank-statements", data=data, **options)


def test_a_statement_by_program_and_its_match(api: Any, till: Till) -> None:
    invoice, bill = till.invoice(2500), api("bill")
    number = till.get_invoice(invoice).number
    answer = read(api, entry("30.00", text=f"for {number}"))
    assert answer.status_code == 201
    made = answer.get_json()
    assert (made["added"], made["known"], made["format"]) == (1, 0, "camt")
    [row] = bill.get(f"{API}/bank-transactions?statement_id={made['id']}&status=unmatched").get_json()["items"]
    path = f"{API}/bank-transactions/{row['id']}"
    found = bill.get(path).get_json()
    assert found["suggestions"][0]["invoice_id"] == str(invoice)
    assert found["suggestions"][0]["amount"] == {"amount": 2500, "currency": "EUR"}
    dollars = {"invoices": [{"invoice_id": str(invoice), "amount": {"amount": 1, "currency": "USD"}}]}
    assert codes(bill.post(f"{path}/match", json=dollars)) == {"invoices.0.amount": "currency_mismatch"}
    twice = {"invoices": [{"invoice_id": str(invoice)}] * 2}
    assert codes(bill.post(f"{path}/match", json=twice)) == {"invoices.1.invoice_id": "given_twice"}
    headers = {"Idempotency-Key": uuid4().hex}
    body = {"invoices": [{"invoice_id": str(invoice)}]}
    first, again = (bill.post(f"{path}/match", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, first.get_data()) == (200, again.get_data())
    matched = first.get_json()
    assert (matched["status"], matched["matches"][0]["credit"]["amount"]) == ("matched", 500)
    problem(bill.post(f"{path}/match", json=body), 409, "transfer_decided")
    undone = bill.post(f"{path}/undo", json={"reason": "Wrong"}).get_json()
    assert (undone["status"], undone["matches"][0]["undone_reason"]) == ("unmatched", "Wrong")
    assert bill.post(f"{path}/set-aside", json={"reason": "Interest"}).get_json()["status"] == "set_aside"
    assert bill.post(f"{path}/take-back").get_json()["status"] == "unmatched"


def test_many_matches_at_once_give_one(api: Any, till: Till, together: Any) -> None:
    made = read(api, entry("50.00")).get_json()
    bill = api("bill")
    [row] = bill.get(f"{API}/bank-transactions?statement_id={made['id']}").get_json()["items"]
    body = {"invoices": [{"invoice_id": str(till.invoice(5000))}]}
    answers = together(6, bill, f"{API}/bank-transactions/{row['id']}/match", body)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5


def test_the_board_by_program(api: Any, till: Till, world: Any) -> None:
    till.invoice(1234)
    acme = str(world.companies["acme"])
    found = api("sam").get(f"{API}/receivables?customer_id={acme}&currency=EUR").get_json()
    [total] = found["totals"]
    assert total["not_due"]["amount"] >= 1234
    assert [row["customer_id"] for row in found["customers"]] == [acme]


def test_write_offs_by_program(api: Any, till: Till) -> None:
    till.settings(four_eyes_over=1000)
    path = f"{API}/invoices/{till.invoice(5000)}/write-offs"
    made = api("bill").post(path, json={"reason": "Insolvent"}).get_json()
    assert made["status"] == "requested"
    decide = f"{API}/write-offs/{made['id']}/decide"
    problem(api("bill").post(decide, json={"approve": True}), 409, "write_off_own")
    assert api("ada").post(decide, json={"approve": True}).get_json()["status"] == "done"
    assert [row["id"] for row in api("sam").get(path).get_json()["items"]] == [made["id"]]


def test_outsiders(api: Any, till: Till) -> None:
    made = read(api, entry("9.99")).get_json()
    [row] = api("bill").get(f"{API}/bank-transactions?statement_id={made['id']}").get_json()["items"]
    path, invoice = f"{API}/bank-transactions/{row['id']}", till.invoice()
    body = {"invoices": [{"invoice_id": str(invoice)}]}
    for who in ("sam", "alice"):
        problem(api(who).post(f"{path}/match", json=body), 403)
        problem(read(api, entry(), who=who), 403)
        problem(api(who).post(f"{API}/invoices/{invoice}/write-offs", json={"reason": "x"}), 403)
    for who in ("dora", "alice"):
        problem(api(who).get(f"{API}/receivables"), 403)
        problem(api(who).get(path), 403)
    problem(api("noor").get(path), 404)
    problem(api("noor").post(f"{path}/match", json=body), 404)
    problem(api("noor").get(f"{API}/invoices/{invoice}/write-offs"), 404)
    other = api("noor").get(f"{API}/bank-transactions?statement_id={made['id']}").get_json()
    assert other["items"] == []
