"""Choosing how to pay: on the page, by the API; what is not offered; the outsider."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.models.session import TenantSessions
from tests.blueprints.conftest import codes, problem
from tests.browsing import sign_in
from tests.tills import USUAL, Till, open_till

API = "/api/v1/portal"


@pytest.fixture
def till(app: Any, engine: Any, world: Any) -> Iterator[Till]:
    """A till whose gateway the application uses, too; every way of paying is offered."""
    found = open_till(TenantSessions(engine), world, datetime.now(UTC))
    before = app.extensions["portal_gateway"]
    app.extensions["portal_gateway"] = found.gateway
    found.settings(payment_methods=["card", "bank_debit", "upi", "net_banking", "wallet", "emi"])
    yield found
    app.extensions["portal_gateway"] = before
    found.settings(**USUAL)


def choices(page: str) -> list[str]:
    return re.findall(r'name="method" value="([a-z_]+)"', page)


def listed(till: Till, api: Any, who: str, invoice: Any) -> Any:
    return api(who).get(f"{API}/invoices/{invoice}/payment-methods")


def test_the_page_offers_what_fits_and_leads_there(till: Till, app: Any, world: Any) -> None:
    alice, rupees = sign_in(app, world, "alice"), till.invoice(5000, currency="INR")
    path = f"/portal/invoices/{rupees}/pay"
    page = alice.get(path).get_data(as_text=True)
    assert choices(page) == ["card", "upi", "wallet"]
    assert "Confirmed in your UPI app" in page
    answer = alice.post(path, {"method": "upi", "how": "all"})
    assert (answer.status_code, till.gateway.pages_asked) == (303, [(("upi",), False)])
    euros = alice.get(f"/portal/invoices/{till.invoice(5000)}/pay").get_data(as_text=True)
    assert choices(euros) == ["card", "bank_debit", "net_banking", "wallet", "emi"]


def test_a_form_with_what_is_not_offered_comes_back(till: Till, app: Any, world: Any) -> None:
    alice, invoice = sign_in(app, world, "alice"), till.invoice(5000)
    path = f"/portal/invoices/{invoice}/pay"
    wrong = alice.post(path, {"method": "upi"})
    assert (wrong.status_code, "does not take this amount or currency" in wrong.get_data(as_text=True)) == (422, True)
    kept = alice.post(path, {"method": "net_banking", "save": "1"})
    assert (kept.status_code, "Only cards and bank debits can be kept" in kept.get_data(as_text=True)) == (422, True)
    assert alice.post(path, {"method": "cheque"}).status_code == 422
    assert till.gateway.pages_asked == []
    till.settings(payment_methods=["upi"])
    page = alice.get(path).get_data(as_text=True)
    assert (choices(page), "Nothing that is offered online" in page) == ([], True)


def test_saved_methods_that_do_not_fit_are_not_offered(till: Till, app: Any, world: Any) -> None:
    account = till.save_card(kind="sepa_debit", brand="", last4="3000", exp_month=None, exp_year=None)
    alice = sign_in(app, world, "alice")
    assert str(account) in alice.get(f"/portal/invoices/{till.invoice()}/pay").get_data(as_text=True)
    dollars = till.invoice(currency="USD")
    for page in ("pay", "schedule"):
        assert str(account) not in alice.get(f"/portal/invoices/{dollars}/{page}").get_data(as_text=True)


def test_several_invoices_by_one_way(till: Till, app: Any, world: Any) -> None:
    first, second = till.invoice(5000), till.invoice(2000)
    alice = sign_in(app, world, "alice")
    assert "net_banking" in choices(alice.get("/portal/payments/new").get_data(as_text=True))
    answer = alice.post("/portal/payments/new", {"method": "bank_debit", "invoice": [str(first), str(second)]})
    assert (answer.status_code, till.gateway.pages_asked) == (303, [(("sepa_debit",), False)])


def test_trying_again_goes_the_same_way(till: Till, app: Any, world: Any) -> None:
    invoice = till.invoice(5000)
    payment = till.pay(invoice, choice="net_banking")
    till.gateway.expire(till.payment(payment).session_id or "")
    till.apply(payment)
    assert sign_in(app, world, "alice").post(f"/portal/payments/{payment}/retry").status_code == 303
    asked = till.gateway.pages_asked
    assert (len(asked), asked[0]) == (2, asked[1])


def test_methods_of_an_invoice_by_the_api(till: Till, api: Any) -> None:
    invoice = till.invoice(5000, currency="INR")
    items = listed(till, api, "alice", invoice).get_json()["items"]
    assert [(one["method"], one["can_be_saved"]) for one in items] == [
        ("card", True),
        ("upi", False),
        ("wallet", False),
    ]
    assert items[1] | {"about": ""} == {"method": "upi", "name": "UPI", "about": "", "can_be_saved": False}
    assert listed(till, api, "bob", invoice).status_code == 200
    for outsider in ("charlie", "nia"):
        problem(listed(till, api, outsider, invoice), 404)
    answer = api("alice").post(f"{API}/invoices/{invoice}/pay", json={"method": "upi"})
    assert (answer.status_code, till.gateway.pages_asked) == (201, [(("upi",), False)])
    assert listed(till, api, "alice", invoice).get_json()["items"] == [], "all of it is in a payment"


def test_the_api_says_which_field_is_wrong(till: Till, api: Any) -> None:
    alice, path = api("alice"), f"{API}/invoices/{till.invoice(5000)}/pay"
    assert codes(alice.post(path, json={"method": "upi"})) == {"method": "method_does_not_fit"}
    till.settings(payment_methods=["card"])
    assert codes(alice.post(path, json={"method": "wallet"})) == {"method": "method_not_enabled"}
    account = till.save_card(kind="sepa_debit", brand="", last4="3000", exp_month=None, exp_year=None)
    body = {"method": "saved", "payment_method_id": str(account)}
    assert codes(alice.post(path, json=body)) == {"payment_method_id": "method_not_enabled"}
    till.settings(payment_methods=["upi"])
    assert codes(alice.post(path, json={"method": "new_card"})) == {"method": "method_none_fits"}
    problem(alice.post(f"{API}/payment-methods"), 409, "method_not_kept")
    for outsider, status in (("bob", 403), ("charlie", 404), ("nia", 404)):
        problem(api(outsider).post(path, json={"method": "card"}), status)


def test_nothing_to_keep_is_not_asked_for(till: Till, app: Any, world: Any) -> None:
    alice = sign_in(app, world, "alice")
    assert "Add a method" in alice.get("/portal/payment-methods").get_data(as_text=True)
    till.settings(payment_methods=["upi", "wallet"])
    assert "Add a method" not in alice.get("/portal/payment-methods").get_data(as_text=True)
    assert alice.post("/portal/payment-methods/new", {"consent": "1"}).status_code == 422
