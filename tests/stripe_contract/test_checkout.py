"""Hosted pages: a payment, a saved method, the bank's question; each step is a plain form."""

import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import stripe

from tests.stripe_contract.conftest import RETURN, card_payment
from tests.stripe_contract.standin import Standin

Client = stripe.StripeClient
Customer = stripe.Customer
DONE = "https://portal.example/done?session={CHECKOUT_SESSION_ID}"


def open_page(client: Client, customer: Customer, **more: Any) -> stripe.checkout.Session:
    price = {"currency": "eur", "unit_amount": 1000, "product_data": {"name": "Invoice 7"}}
    params: Any = {
        "ui_mode": "hosted_page", "mode": "payment", "customer": customer.id, "success_url": DONE, "cancel_url": RETURN,
        "line_items": [{"price_data": price, "quantity": 1}], "payment_intent_data": {"metadata": {"payment_id": "p7"}},
    }  # fmt: skip
    return client.v1.checkout.sessions.create(params | more)


def open_setup(client: Client, customer: Customer) -> stripe.checkout.Session:
    return client.v1.checkout.sessions.create(
        {"ui_mode": "hosted_page", "mode": "setup", "currency": "eur", "customer": customer.id, "success_url": DONE}
    )


def submit(url: str | None, **fields: str) -> requests.Response:
    return requests.post(str(url), data=fields, timeout=20, allow_redirects=False)


def type_card(url: str | None, number: str, exp: str = "12/34", cvc: str = "123") -> requests.Response:
    return submit(url, number=number, exp=exp, cvc=cvc)


def test_a_page_is_open_until_it_expires(client: Client, customer: Customer) -> None:
    session = open_page(client, customer, expires_at=int(time.time()) + 1860, metadata={"payment_id": "p7"})
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.amount_total, session.currency, session.metadata["payment_id"]) == (1000, "eur", "p7")
    assert session.url
    expired = client.v1.checkout.sessions.expire(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(session.id)


@pytest.mark.parametrize("seconds", [600, 100_000])
def test_it_lasts_from_half_an_hour_to_a_day(client: Client, customer: Customer, seconds: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_page(client, customer, expires_at=int(time.time()) + seconds)
    assert refused.value.param == "expires_at"


def test_a_card_pays_and_leads_back(standin: Standin, client: Client, customer: Customer) -> None:
    session = open_page(client, customer)
    page = requests.get(str(session.url), timeout=20).text
    assert "Invoice 7" in page
    assert "EUR 10.00" in page
    assert set(re.findall(r'name="(\w+)"', page)) >= {"number", "exp", "cvc"}
    answer = type_card(session.url, "4242 4242 4242 4242")
    assert (answer.status_code, answer.headers["Location"]) == (
        303, f"https://portal.example/done?session={session.id}",
    )  # fmt: skip
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert (paid.payment_intent.status, paid.payment_intent.metadata["payment_id"]) == ("succeeded", "p7")
    assert client.v1.payment_methods.list({"customer": customer.id}).data == []
    again = type_card(session.url, "4242424242424242")
    assert again.status_code == 303
    assert len(client.v1.payment_intents.list({"customer": customer.id}).data) == 1


def test_declines_keep_the_page_and_the_intent(standin: Standin, client: Client, customer: Customer) -> None:
    session = open_page(client, customer)
    for number, words in (("4000000000000002", "was declined"), ("4000000000009995", "insufficient funds")):
        refused = type_card(session.url, number)
        assert (refused.status_code, words in refused.text, 'role="alert"' in refused.text) == (200, True, True)
    intents = client.v1.payment_intents.list({"customer": customer.id}).data
    assert [intent.status for intent in intents] == ["requires_payment_method"]
    assert type_card(session.url, "5555555555554444").status_code == 303
    assert client.v1.payment_intents.retrieve(intents[0].id).status == "succeeded"


@pytest.mark.parametrize(("exp", "cvc"), [("13/34", "123"), ("12/20", "123"), ("12/34", "1")])
def test_a_card_without_sense_is_told_so(
    standin: Standin, client: Client, customer: Customer, exp: str, cvc: str
) -> None:
    session = open_page(client, customer)
    assert type_card(session.url, "4242424242424242", exp, cvc).status_code == 402
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_the_bank_asks_and_the_answer_counts_once(standin: Standin, client: Client, customer: Customer) -> None:
    session = open_page(client, customer)
    bank = type_card(session.url, "4000002500003155").headers["Location"]
    page = requests.get(bank, timeout=20).text
    assert ">Approve<" in page
    assert ">Fail<" in page
    assert "unable to authenticate" in submit(bank, decision="fail").text
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    bank = type_card(session.url, "4000002500003155").headers["Location"]
    for _ in range(2):
        assert submit(bank, decision="approve").headers["Location"].endswith(session.id)
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    charges = client.v1.charges.list({"customer": customer.id}).data
    assert [charge.status for charge in charges] == ["succeeded"]


@pytest.mark.parametrize(("decision", "status"), [("approve", "succeeded"), ("fail", "requires_payment_method")])
def test_a_saved_card_is_authenticated_by_redirect(
    standin: Standin, client: Client, customer: Customer, decision: str, status: str
) -> None:
    intent = client.v1.payment_intents.create(card_payment(customer.id, "pm_card_authenticationRequired"))
    back = submit(intent.next_action.redirect_to_url.url, decision=decision).headers["Location"]
    assert back.startswith(RETURN)
    assert parse_qs(urlsplit(back).query)["payment_intent"] == [intent.id]
    assert client.v1.payment_intents.retrieve(intent.id).status == status
    assert requests.get(f"{standin.url}/3ds/{intent.id}/guessed", timeout=20).status_code == 404


def test_a_page_saves_a_card_for_later(standin: Standin, client: Client, customer: Customer) -> None:
    session = open_setup(client, customer)
    assert session.setup_intent
    assert type_card(session.url, "4000000000000002").status_code == 200
    bank = type_card(session.url, "4000002500003155").headers["Location"]
    assert submit(bank, decision="approve").status_code == 303
    setup = client.v1.setup_intents.retrieve(str(session.setup_intent))
    card = client.v1.payment_methods.retrieve(str(setup.payment_method))
    assert (setup.status, card.customer, card.card.last4) == ("succeeded", customer.id, "3155")
    paid = client.v1.payment_intents.create(card_payment(customer.id, card.id, off_session=True))
    assert paid.status == "succeeded"


def test_paying_can_save_the_card_too(standin: Standin, client: Client, customer: Customer) -> None:
    session = open_page(client, customer, payment_intent_data={"setup_future_usage": "off_session"})
    type_card(session.url, "4242424242424242")
    assert len(client.v1.payment_methods.list({"customer": customer.id, "type": "card"}).data) == 1


def test_a_debit_completes_the_page_and_pays_days_later(standin: Standin, client: Client, customer: Customer) -> None:
    session = open_page(client, customer)
    assert submit(session.url, iban="DE89 3704 0044 0532 0130 00").status_code == 303
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (done.status, done.payment_status, done.payment_intent.status) == ("complete", "unpaid", "processing")
    standin.control(f"debits/{done.payment_intent.id}", outcome="succeeded")
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_time_closes_a_page_and_what_it_had_begun(standin: Standin, client: Client, customer: Customer) -> None:
    session = open_page(client, customer, expires_at=int(time.time()) + 1860)
    type_card(session.url, "4000000000000002")
    standin.control("clock", advance=1861)
    found = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (found.status, found.payment_intent.status) == ("expired", "canceled")
    page = f"{standin.url}/c/pay/{session.id}"
    assert requests.get(page, timeout=20).status_code == 410
    assert type_card(page, "4242424242424242").status_code == 410
    # A moved clock does not keep new pages from opening.
    assert open_page(client, customer, expires_at=int(time.time()) + 1860).status == "open"
