"""Invoices through the API: shapes of the contract, rights, refusals, repeats."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.world import World

OWN = "/api/v1/portal/invoices"
STAFF = "/api/v1/staff/invoices"
DUNNING = "/api/v1/staff/billing/dunning"
DUE = (date.today() + timedelta(days=20)).isoformat()


def money(amount: int, currency: str = "EUR") -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


@pytest.fixture
def body(world: World) -> dict[str, Any]:
    """38 times 62.00 less 6.00, at 20 percent."""
    line = {"description": "Workplace", "quantity": "38", "unit_price": money(6_200), "discount": money(600)}
    return {
        "customer_id": str(world.companies["acme"]),
        "currency": "EUR",
        "due_on": DUE,
        "lines": [line | {"tax_rate": "20"}],
    }


def listed(program: Any, path: str) -> list[dict[str, Any]]:
    """All pages of a list; other tests leave invoices behind."""
    page = program.get(path).get_json()
    items = list(page["items"])
    while page["next_cursor"]:
        page = program.get(f"{path}&cursor={page['next_cursor']}").get_json()
        items += page["items"]
    return items


def test_staff_issue_and_the_customer_reads_it(api: Any, body: dict[str, Any]) -> None:
    answer = api("bill").post(STAFF, json=body)
    assert answer.status_code == 201, answer.get_json()
    made = answer.get_json()
    assert made["status"] == "open"
    assert made["due_on"] == DUE
    assert made["subtotal"] == money(235_600)
    assert made["discount_total"] == money(600)
    assert made["tax_total"] == money(47_000)
    assert made["total"] == made["outstanding"] == money(282_000)
    assert made["ledger"][0]["amount"] == money(282_000)
    own = api("bob").get(f"{OWN}/{made['id']}").get_json()
    assert "ledger" not in own
    assert "reserved" not in own
    assert own["lines"][0]["total"] == money(235_000)
    assert own["lines"][0]["quantity"] == "38"
    assert own["next_step"]["kind"].startswith("invoice_")
    assert made["id"] in {item["id"] for item in listed(api("bob"), f"{OWN}?status=open&limit=100")}
    pdf = api("bob").get(f"{OWN}/{made['id']}/pdf")
    assert pdf.mimetype == "application/pdf"
    assert pdf.data.startswith(b"%PDF")
    # Lines are taken as they are read.
    line = {name: own["lines"][0][name] for name in ("description", "quantity", "unit_price", "discount", "tax_rate")}
    again = api("bill").post(STAFF, json=body | {"lines": [line]}).get_json()
    assert again["total"] == made["total"]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"due_on": "2020-01-01"}, "due_on", "due_in_the_past"),
        ({"customer_id": str(uuid4())}, "customer_id", "unknown_customer"),
        ({"currency": "XYZ"}, "lines.0.unit_price", "currency_mismatch"),
        ({"lines": []}, "lines", None),
        ({"total": 5}, "total", "unknown_field"),
    ],
)
def test_what_cannot_be_billed_is_422(api: Any, body: dict[str, Any], change: Any, field: str, code: str) -> None:
    answer = api("bill").post(STAFF, json=body | change)
    assert answer.status_code == 422
    errors = {error["field"]: error["code"] for error in answer.get_json()["errors"]}
    assert field in errors
    assert code in (None, errors[field])


def test_amounts_are_whole_minor_units(api: Any, body: dict[str, Any]) -> None:
    for odd in (1.5, "100", True, 10**16):
        line = body["lines"][0] | {"unit_price": money(odd)}  # type: ignore[arg-type]
        assert api("bill").post(STAFF, json=body | {"lines": [line]}).status_code == 422
    for odd in ("NaN", "1e3", "", True, None, "0"):
        line = body["lines"][0] | {"quantity": odd}
        assert api("bill").post(STAFF, json=body | {"lines": [line]}).status_code == 422


def test_a_key_makes_one_invoice(api: Any, body: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first, second = (api("bill").post(STAFF, json=body, headers=headers) for _ in range(2))
    assert first.get_json() == second.get_json()
    assert second.headers["Idempotent-Replayed"] == "true"


def test_voiding_and_crediting_happen_once_also_at_the_same_moment(api: Any, body: Any, together: Any) -> None:
    bill = api("bill")
    made = bill.post(STAFF, json=body).get_json()
    answers = together(5, bill, f"{STAFF}/{made['id']}/void", {"reason": "Twice"})
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    other = bill.post(STAFF, json=body).get_json()
    answers = together(5, bill, f"{STAFF}/{other['id']}/credit", {"reason": "Agreed"})
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    read = bill.get(f"{STAFF}/{other['id']}").get_json()
    assert read["status"] == "paid"
    assert read["credited"] == read["total"]
    assert sum(row["amount"]["amount"] for row in read["ledger"]) == 0


def test_some_lines_are_credited(api: Any, body: dict[str, Any]) -> None:
    made = api("bill").post(STAFF, json=body).get_json()
    part = {"reason": "One seat", "lines": [{"line_id": made["lines"][0]["id"], "quantity": "19"}]}
    note = api("bill").post(f"{STAFF}/{made['id']}/credit", json=part).get_json()
    assert (note["kind"], note["credits_id"]) == ("credit_note", made["id"])
    assert note["total"] == money(141_000)
    assert api("bob").get(f"{OWN}/{made['id']}").get_json()["outstanding"] == money(141_000)
    assert api("bill").post(f"{STAFF}/{made['id']}/credit", json={"reason": "Rest"}).status_code == 409


def test_who_may_what(api: Any, body: dict[str, Any]) -> None:
    made = api("bill").post(STAFF, json=body).get_json()
    for name, own, staff, write, plan in (
        *(("bob", 200, 403, 403, 403), ("charlie", 404, 403, 403, 403), ("nia", 404, 403, 403, 403)),
        *(("sam", 403, 200, 403, 403), ("mia", 403, 200, 403, 403), ("dora", 403, 403, 403, 403)),
        *(("bill", 403, 200, 201, 200), ("noor", 403, 404, None, 200)),
    ):
        caller = api(name)
        assert caller.get(f"{OWN}/{made['id']}").status_code == own, name
        assert caller.get(f"{STAFF}/{made['id']}").status_code == staff, name
        assert caller.get(DUNNING).status_code == plan, name
        if write is not None:
            assert caller.post(STAFF, json=body).status_code == write, name
        if write == 403:
            assert caller.post(f"{STAFF}/{made['id']}/void", json={"reason": "x"}).status_code == 403


def test_the_plan_of_reminders_is_changed_in_durations(api: Any, body: dict[str, Any]) -> None:
    bill = api("bill")
    before = bill.get(DUNNING).get_json()
    try:
        made = bill.post(STAFF, json=body).get_json()
        changed = bill.patch(DUNNING, json={"reminders": ["-P1D", "PT5S"]}).get_json()
        assert changed == {"retry_after": before["retry_after"], "reminders": ["-P1D", "PT5S"]}
        step = bill.get(f"{STAFF}/{made['id']}").get_json()["next_step"]
        assert step["kind"] == "invoice_reminder"
        for odd in ({"reminders": ["P1M"]}, {"retry_after": ["-P1D"]}, {"reminders": ["PT1S"] * 13}, {}, {"x": 1}):
            assert bill.patch(DUNNING, json=odd).status_code == 422, odd
    finally:
        bill.patch(DUNNING, json=before)
