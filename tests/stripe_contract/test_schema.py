"""What is stored has every field that the SDK says is always there; nothing of a card is stored; a crash loses nothing."""

import json
import sqlite3
from pathlib import Path

import requests
import stripe

from stripe_standin.schema import response_fields
from tests.stripe_contract.conftest import RETURN, card_payment
from tests.stripe_contract.standin import Standin

EVERYTHING = {
    "customer", "payment_method", "payment_intent", "setup_intent", "charge", "refund", "dispute", "event",
    "checkout.session", "webhook_endpoint", "radar.early_fraud_warning",
}  # fmt: skip


def one_of_everything(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Acme"}).id
    v1 = client.v1
    v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    for token in (
        "pm_card_visa",
        "pm_card_createDispute",
        "pm_card_createIssuerFraudRecord",
        "pm_card_authenticationRequired",
    ):
        v1.payment_intents.create(card_payment(customer, token))
    paid = v1.payment_intents.create(card_payment(customer, "pm_card_visa"))
    v1.refunds.create({"payment_intent": paid.id})
    v1.setup_intents.create(
        {"customer": customer, "payment_method": "pm_card_visa", "confirm": True, "return_url": RETURN}
    )
    price = {"currency": "eur", "unit_amount": 1000, "product_data": {"name": "Invoice"}}
    v1.checkout.sessions.create(
        {"success_url": RETURN, "customer": customer, "line_items": [{"price_data": price, "quantity": 1}]}  # type: ignore[typeddict-item]
    )


def test_no_stored_object_lacks_a_field_that_is_always_there(tmp_path: Path) -> None:
    standin = Standin(tmp_path)
    one_of_everything(standin.client())
    standin.kill()
    seen = set()
    with sqlite3.connect(tmp_path / "stripe.db") as database:
        for (body,) in database.execute("SELECT body FROM objects"):
            found = json.loads(body)
            seen.add(found["object"])
            fields = response_fields(found["object"])
            lacking = [name for name, always in fields.items() if always and found.get(name) is None]
            assert lacking == [], (found["object"], lacking)
            assert found.keys() <= fields.keys(), found["object"]
    assert seen == EVERYTHING


def test_a_killed_stand_in_remembers_everything(tmp_path: Path) -> None:
    standin = Standin(tmp_path)
    client = standin.client()
    customer, key = client.v1.customers.create({"name": "Acme"}), {"idempotency_key": "pi:1:create:1"}
    made = [client.v1.payment_intents.create(card_payment(customer.id, "pm_card_visa")).id for _ in range(20)]
    last = client.v1.payment_intents.create(card_payment(customer.id, "pm_card_visa"), key)  # type: ignore[arg-type]
    standin.kill()
    standin.start()
    client = standin.client()
    found = client.v1.payment_intents.list({"customer": customer.id, "limit": 100})
    assert [intent.id for intent in found] == [last.id, *made[::-1]]
    again = client.v1.payment_intents.create(card_payment(customer.id, "pm_card_visa"), key)  # type: ignore[arg-type]
    assert again.id == last.id
    standin.kill()


def test_other_numbers_are_refused_and_never_written_down(standin: Standin, client: stripe.StripeClient) -> None:
    price = {"currency": "eur", "unit_amount": 1000, "product_data": {"name": "Invoice"}}
    session = client.v1.checkout.sessions.create(
        {"success_url": RETURN, "line_items": [{"price_data": price, "quantity": 1}]}  # type: ignore[typeddict-item]
    )
    # Not a published one, but of a valid form.
    number = "4929" + "131415161712"
    typed = {"number": number, "exp": "12/34", "cvc": "987"}
    answer = requests.post(str(session.url), data=typed, timeout=20)
    assert (answer.status_code, "not one of the published" in answer.text) == (402, True)
    assert client.v1.checkout.sessions.retrieve(session.id).payment_intent is None
    paid = requests.post(
        str(session.url), data=typed | {"number": "4242 4242 4242 4242"}, timeout=20, allow_redirects=False
    )
    assert paid.status_code == 303
    for written in (standin.state_file(), standin.log().encode(), answer.content):
        assert number.encode() not in written
        assert b"4242424242424242" not in written


def test_it_answers_on_the_loopback_interface_by_its_own_name_only(standin: Standin) -> None:
    assert requests.get(f"{standin.url}/healthz", timeout=20).status_code == 200
    assert requests.get(f"{standin.url}/healthz", headers={"Host": "evil.example:80"}, timeout=20).status_code == 404
    assert requests.get(f"{standin.url}/v1/customers", timeout=20).status_code == 401


def test_it_stops_at_once_when_it_is_told_to(tmp_path: Path) -> None:
    standin = Standin(tmp_path)
    client = standin.client()
    client.v1.customers.create({"name": "Acme"})
    standin.process.terminate()
    assert standin.process.wait(20) == 0


def test_reset_empties_it(tmp_path: Path) -> None:
    standin = Standin(tmp_path)
    customer = standin.client().v1.customers.create({"name": "Acme"})
    standin.control("clock", advance=100)
    assert standin.control("reset") == {"reset": True}
    assert standin.client().v1.customers.list().data == []
    assert standin.control("deliveries")["offset"] == 0
    assert customer.id not in str(standin.client().v1.events.list().to_dict())
    standin.kill()
