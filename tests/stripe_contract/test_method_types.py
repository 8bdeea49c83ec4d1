"""Types of payment methods: what a page may be narrowed to, what each does, and that ours are the SDK's own."""

import re
from typing import Any

import pytest
import requests
import stripe

from portal.lib.pay_methods import WAYS
from stripe_standin.errors import ParameterError
from stripe_standin.schema import check_params
from tests.stripe_contract.conftest import RETURN, card_payment
from tests.stripe_contract.standin import Standin
from tests.stripe_contract.test_checkout import submit, type_card

Client = stripe.StripeClient
Customer = stripe.Customer
DAYS = 86_400
OURS = sorted({one.name for way in WAYS.values() for one in way.types})


def open_page(
    client: Client, customer: Customer, currency: str, *types: str, amount: int = 60_000, **more: Any
) -> stripe.checkout.Session:
    price = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Invoice 7"}}
    params: Any = {
        "ui_mode": "hosted_page", "mode": "payment", "customer": customer.id, "success_url": RETURN,
        "line_items": [{"price_data": price, "quantity": 1}], "allowed_payment_method_types": list(types),
    }  # fmt: skip
    return client.v1.checkout.sessions.create(params | more)


def shown(session: stripe.checkout.Session) -> list[str]:
    page = requests.get(str(session.url), timeout=20).text
    return re.findall(r'name="type" value="(\w+)"', page)


def intent_of(client: Client, session: stripe.checkout.Session) -> stripe.PaymentIntent:
    found = client.v1.checkout.sessions.retrieve(session.id)
    return client.v1.payment_intents.retrieve(str(found.payment_intent), {"expand": ["latest_charge"]})


@pytest.mark.parametrize("name", OURS)
def test_each_type_of_ours_is_one_of_the_sdks(name: str) -> None:
    given = {"success_url": RETURN, "allowed_payment_method_types": [name]}
    assert check_params("checkout/session_create", given)["allowed_payment_method_types"] == [name]


@pytest.mark.parametrize("name", ["netbanking", "net_banking", "apple_pay", "google_pay", "emi"])
def test_the_sdk_has_no_such_types(name: str) -> None:
    with pytest.raises(ParameterError):
        check_params("checkout/session_create", {"success_url": RETURN, "allowed_payment_method_types": [name]})


def test_types_that_there_are_not_are_refused(standin: Standin, client: Client, customer: Customer) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_page(client, customer, "inr", "netbanking")
    assert refused.value.param == "allowed_payment_method_types[0]"
    with pytest.raises(stripe.InvalidRequestError) as old:
        open_page(client, customer, "inr", "card", payment_method_types=["card"])
    assert old.value.code == "payment_method_types_no_longer_supported"
    with pytest.raises(stripe.InvalidRequestError):
        open_page(client, customer, "eur", "upi")


def test_a_page_shows_what_is_allowed_and_fits(standin: Standin, client: Client, customer: Customer) -> None:
    mixed = open_page(client, customer, "eur", "card", "upi", "ideal", "sepa_debit", "klarna")
    assert mixed.payment_method_types == ["card", "ideal", "sepa_debit", "klarna"]
    assert mixed.allowed_payment_method_types == ["card", "upi", "ideal", "sepa_debit", "klarna"]
    assert shown(mixed) == mixed.payment_method_types
    kept = {"payment_intent_data": {"setup_future_usage": "off_session"}}
    assert shown(open_page(client, customer, "eur", "card", "ideal", "sepa_debit", **kept)) == ["card", "sepa_debit"]
    with pytest.raises(stripe.InvalidRequestError):
        open_page(client, customer, "eur", "ideal", **kept)
    only = open_page(client, customer, "eur", "ideal")
    assert "This page does not take card" in type_card(only.url, "4242424242424242").text
    assert client.v1.checkout.sessions.retrieve(only.id).payment_intent is None


@pytest.mark.parametrize(
    ("name", "currency"),
    [
        ("upi", "inr"), ("ideal", "eur"), ("bancontact", "eur"), ("eps", "eur"), ("p24", "pln"), ("fpx", "myr"),
        ("pay_by_bank", "gbp"), ("link", "usd"), ("amazon_pay", "usd"), ("klarna", "sek"), ("affirm", "usd"),
    ],
)  # fmt: skip
def test_it_is_paid_or_not_on_the_providers_page_at_once(
    standin: Standin, client: Client, customer: Customer, name: str, currency: str
) -> None:
    session = open_page(client, customer, currency, name)
    elsewhere = submit(session.url, type=name)
    assert elsewhere.status_code == 303
    asked = requests.get(elsewhere.headers["Location"], timeout=20).text
    assert ("a test payment" in asked, "3-D Secure" in asked) == (True, False)
    back = submit(elsewhere.headers["Location"], decision="fail")
    assert (back.status_code, "did not complete this payment" in back.text) == (200, True)
    failed = intent_of(client, session)
    assert (failed.status, failed.amount_received) == ("requires_payment_method", 0)
    assert failed.last_payment_error
    assert failed.last_payment_error.code == "payment_intent_payment_attempt_failed"
    again = submit(session.url, type=name).headers["Location"]
    for _ in range(2):
        assert submit(again, decision="approve").status_code == 303
    paid: Any = intent_of(client, session)
    assert (paid.status, paid.latest_charge.payment_method_details.type) == ("succeeded", name)
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert len(client.v1.charges.list({"customer": customer.id}).data) == 1


@pytest.mark.parametrize(
    ("name", "currency", "field", "good", "bad"),
    [
        ("sepa_debit", "eur", "iban", "DE89370400440532013000", "DE62370400440532013001"),
        ("us_bank_account", "usd", "account", "000123456789", "000222222227"),
        ("bacs_debit", "gbp", "account", "00012345", "33333335"),
    ],
)
def test_debits_are_processing_until_the_clock_decides(
    standin: Standin, client: Client, customer: Customer, name: str, currency: str, field: str, good: str, bad: str
) -> None:
    for number, status in ((good, "succeeded"), (bad, "requires_payment_method")):
        session = open_page(client, customer, currency, name)
        assert submit(session.url, **{"type": name, field: "4242424242424242"}).status_code == 402
        assert submit(session.url, **{"type": name, field: number}).status_code == 303
        assert intent_of(client, session).status == "processing"
        standin.control("clock", advance=3 * DAYS + 1)
        decided: Any = intent_of(client, session)
        assert (decided.status, decided.latest_charge.payment_method_details.type) == (status, name)


def test_cards_have_instalments_in_mexico(standin: Standin, client: Client, customer: Customer) -> None:
    options = {"payment_method_options": {"card": {"installments": {"enabled": True}}}}
    assert "Instalments" not in requests.get(str(open_page(client, customer, "eur", "card", **options).url)).text
    session = open_page(client, customer, "mxn", "card", **options)
    assert "6 months" in requests.get(str(session.url), timeout=20).text
    submit(session.url, number="4242424242424242", exp="12/34", cvc="123", plan="6")
    paid: Any = intent_of(client, session)
    plan = paid.latest_charge.payment_method_details.card.installments.plan
    assert (paid.status, plan.count, plan.interval) == ("succeeded", 6, "month")


def test_a_setup_keeps_what_can_be_charged_again(standin: Standin, client: Client, customer: Customer) -> None:
    asked: Any = {
        "ui_mode": "hosted_page", "mode": "setup", "currency": "gbp", "customer": customer.id, "success_url": RETURN,
        "allowed_payment_method_types": ["card", "bacs_debit", "upi", "pay_by_bank"],
    }  # fmt: skip
    session = client.v1.checkout.sessions.create(asked)
    assert shown(session) == ["card", "bacs_debit"]
    assert submit(session.url, type="bacs_debit", account="00012345").status_code == 303
    setup = client.v1.setup_intents.retrieve(str(session.setup_intent))
    pounds = {"currency": "gbp", "allowed_payment_method_types": ["bacs_debit"], "off_session": True}
    paid = client.v1.payment_intents.create(card_payment(customer.id, str(setup.payment_method), **pounds))
    assert paid.status == "processing"
