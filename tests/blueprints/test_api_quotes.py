"""Quotes through the API: the contract's fields, who may, once, and in parallel."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from pypdf import PdfReader

from tests.blueprints.conftest import codes, problem

DESK, MINE = "/api/v1/staff/quotes", "/api/v1/portal/quotes"
FIELDS = {
    "id", "number", "version", "status", "currency", "lines", "subtotal", "discount_total", "tax_total", "total",
    "deposit", "valid_until", "terms", "content_sha256", "next_step", "invoice_id",
}  # fmt: skip
LINE_FIELDS = {
    "id", "description", "quantity", "unit_price", "discount", "tax_rate", "optional", "selected", "total",
}  # fmt: skip


def eur(amount):
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture
def quote(api, world):
    """Draft a quote for Acme as bill and (unless said) send it; its JSON."""

    def make(*, send=True, company="acme", **fields):
        body = {
            "customer_id": str(world.companies[company]),
            "currency": "EUR",
            "title": "Network refresh",
            "terms": "Payable within 30 days.",
            "valid_until": (datetime.now(UTC) + timedelta(days=9)).date().isoformat(),
            "lines": [
                {"description": "Firewall", "quantity": "2", "unit_price": eur(289_000), "tax_rate": "20"},
                {"description": "Work", "quantity": "7.5", "unit_price": eur(10_500), "discount": eur(750),
                 "tax_rate": "20"},
                {"description": "Spare", "unit_price": eur(118_000), "tax_rate": "20", "optional": True,
                 "selected": False},
            ],
            **fields,
        }  # fmt: skip
        made = api("bill").post(DESK, json=body)
        assert made.status_code == 201, made.get_data(as_text=True)
        if not send:
            return made.get_json()
        sent = api("bill").post(f"{DESK}/{made.get_json()['id']}/send")
        assert sent.status_code == 200, sent.get_data(as_text=True)
        return sent.get_json()

    return make


def acceptance(found, **fields):
    return {"signer_name": "Alice Moreau", "content_sha256": found["content_sha256"], "consent": True, **fields}


def test_a_quote_has_the_fields_of_the_contract(api, quote):
    made = quote(deposit_percent="30")
    found = api("alice").get(f"{MINE}/{made['id']}").get_json()
    assert set(found) >= FIELDS
    assert set(found["lines"][0]) >= LINE_FIELDS
    assert found["lines"][1]["quantity"] == "7.5"
    assert found["lines"][1]["total"] == eur(78_000)
    assert (found["subtotal"], found["discount_total"]) == (eur(656_750), eur(750))
    assert (found["tax_total"], found["total"], found["deposit"]) == (eur(131_200), eur(787_200), eur(236_160))
    assert found["next_step"]["kind"] == "offer_expires"
    assert found["status"] == "sent"
    listed = api("alice").get(MINE).get_json()["items"]
    assert made["id"] in [item["id"] for item in listed]
    assert api("bill").get(f"{DESK}/{made['id']}").get_json()["viewed_at"] is not None


def test_lines_are_written_as_they_are_read(api, quote):
    made = quote(send=False)
    lines = [{**line} for line in made["lines"]]
    lines[0]["quantity"] = "3"
    changed = api("bill").patch(f"{DESK}/{made['id']}", json={"lines": lines, "seen": made["edits"]})
    assert changed.status_code == 200, changed.get_data(as_text=True)
    found = changed.get_json()
    assert [line["id"] for line in found["lines"]] == [line["id"] for line in made["lines"]]
    assert found["subtotal"] == eur(945_750)
    problem(api("bill").patch(f"{DESK}/{made['id']}", json={"title": "x", "seen": made["edits"]}), 409)


def test_accepting_and_what_follows(api, quote):
    made = quote()
    chosen = [line["id"] for line in made["lines"]]
    answer = api("alice").post(
        f"{MINE}/{made['id']}/accept", json=acceptance(made, selected_line_ids=chosen, purchase_order="PO 1")
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found = answer.get_json()
    assert (found["status"], found["total"], found["next_step"]) == ("accepted", eur(928_800), None)
    problem(api("alice").post(f"{MINE}/{made['id']}/accept", json=acceptance(made)), 409, "quote_accepted")
    problem(api("bill").post(f"{DESK}/{made['id']}/revise"), 409, "quote_not_replaceable")
    assert api("bill").get(f"{DESK}/{made['id']}").get_json()["signer_name"] == "Alice Moreau"


def test_what_is_refused(api, quote):
    made = quote()
    path = f"{MINE}/{made['id']}"
    assert codes(api("alice").post(f"{path}/accept", json=acceptance(made, consent=False))) == {
        "consent": "consent_required"
    }
    problem(api("alice").post(f"{path}/accept", json=acceptance(made, content_sha256="0" * 64)), 409, "content_changed")
    required = made["lines"][0]["id"]
    answer = api("alice").post(f"{path}/accept", json=acceptance(made, selected_line_ids=[required]))
    assert codes(answer) == {"selected_line_ids": "required_lines_missing"}
    assert codes(api("alice").post(f"{path}/decline", json={"reason": " "})) == {"reason": "required"}
    for who in ("charlie", "nia"):
        problem(api(who).get(path), 404)
        problem(api(who).post(f"{path}/accept", json=acceptance(made)), 404)
        problem(api(who).get(f"{path}/pdf"), 404)
    # Before the body is read.
    problem(api("bob").post(f"{path}/accept", json={}), 403)
    problem(api("sam").post(f"{DESK}/{made['id']}/send"), 403)
    problem(api("bill").patch(f"{DESK}/{made['id']}", json={"title": "Other"}), 409, "quote_frozen")


def test_drafts_are_nobodys_but_the_teams(api, quote):
    made = quote(send=False)
    assert made["number"] == ""
    problem(api("alice").get(f"{MINE}/{made['id']}"), 404)
    assert api("bill").request("DELETE", f"{DESK}/{made['id']}").status_code == 204
    problem(api("bill").get(f"{DESK}/{made['id']}"), 404)


def test_a_revision(api, quote):
    made = quote()
    asked = api("alice").post(f"{MINE}/{made['id']}/request-revision", json={"comment": "Cheaper"}).get_json()
    assert (asked["status"], asked["decision_note"]) == ("revision_requested", "Cheaper")
    second = api("bill").post(f"{DESK}/{made['id']}/revise", json={"title": "Cheaper"})
    assert second.status_code == 201
    found = second.get_json()
    assert (found["version"], found["previous_id"], found["status"]) == (2, made["id"], "draft")
    sent = api("bill").post(f"{DESK}/{found['id']}/send").get_json()
    assert sent["number"] == made["number"]
    assert api("alice").get(f"{MINE}/{made['id']}").get_json()["status"] == "superseded"


def test_thirty_accept_and_one_does(api, quote, together):
    made = quote()
    answers = together(30, api("alice"), f"{MINE}/{made['id']}/accept", acceptance(made))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 29


def test_the_document_has_the_figures_of_the_page(api, quote):
    made = quote(deposit_percent="30")
    answer = api("alice").get(f"{MINE}/{made['id']}/pdf")
    assert answer.mimetype == "application/pdf"
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages).replace("\xa0", " ")
    for figure in ("€7,872.00", "€1,312.00", "€6,567.50", "-€7.50", "€2,361.60", "€1,180.00", "7.5"):
        assert figure in text.replace("−", "-"), figure
    assert made["number"] in text
    assert made["content_sha256"] in text.replace("\n", "")


def test_a_wish_is_followed_until_the_quote_arrives(api, quote):
    wish = {"subject": "Wi-Fi in hall 3", "requirements": "40 x 60 m, dusty.", "budget": eur(900_000)}
    made = api("bob").post(f"{MINE}/requests", json=wish)
    assert made.status_code == 201, made.get_data(as_text=True)
    asked = made.get_json()
    assert asked["number"].startswith("QR-")
    problem(api("charlie").get(f"{MINE}/requests/{asked['id']}"), 404)
    assert asked["id"] in [item["id"] for item in api("sam").get(f"{DESK}/requests").get_json()["items"]]
    answer = quote(request_id=asked["id"])
    state = api("bob").get(f"{MINE}/requests/{asked['id']}").get_json()
    assert (state["status"], state["quote_id"]) == ("answered", answer["id"])
    problem(api("bill").post(f"{DESK}/requests/{asked['id']}/refuse", json={"reason": "No"}), 409, "request_answered")
    other = api("alice").post(f"{MINE}/requests", json=wish).get_json()
    problem(api("sam").post(f"{DESK}/requests/{other['id']}/refuse", json={"reason": "No"}), 403)
    refused = api("bill").post(f"{DESK}/requests/{other['id']}/refuse", json={"reason": "Not our trade."}).get_json()
    assert refused["status"] == "refused"


def test_amounts_are_in_the_quotes_currency(api, world):
    line = {"description": "x", "unit_price": {"amount": 1, "currency": "USD"}}
    body = {"customer_id": str(world.companies["acme"]), "currency": "EUR", "lines": [line]}
    assert codes(api("bill").post(DESK, json=body)) == {"lines.0.unit_price.currency": "currency_differs"}
