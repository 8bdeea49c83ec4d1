"""The product's own gateway over the same suite: objects of ours, refusals of ours."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from portal.config import Settings
from portal.integrations.payments import (
    SUBSCRIBED_EVENTS,
    AuthenticationNeeded,
    EventRefused,
    GatewayMethod,
    GatewayRefused,
    GatewayUnavailable,
    PaymentDeclined,
)
from portal.integrations.stripe_gateway import StripeGateway
from portal.lib.money import Money
from tests.stripe_contract.conftest import RETURN
from tests.stripe_contract.standin import KEY, SECRET, Receiver, Standin, wait_for

TEN = Money(1000, "EUR")
Save = Callable[[str], GatewayMethod]


@pytest.fixture
def settings(standin: Standin) -> Settings:
    return Settings(
        environment="test", secret_key="x" * 40, database_url="", owner_database_url="", relay_database_url="",
        data_dir=Path(), base_url="http://127.0.0.1", stripe_secret_key=KEY, stripe_api_base=standin.url,
        stripe_webhook_secrets=("whsec_new", SECRET),
    )  # fmt: skip


@pytest.fixture
def gateway(settings: Settings) -> StripeGateway:
    return StripeGateway(settings)


@pytest.fixture
def customer_id(gateway: StripeGateway) -> str:
    return gateway.ensure_customer(key=new_key(), name="Acme", email=None, metadata={"company": "1"})


@pytest.fixture
def save(standin: Standin, gateway: StripeGateway, customer_id: str) -> Save:
    """Save a published token's card for the customer."""

    def attach(token: str) -> GatewayMethod:
        found = standin.client().v1.payment_methods.attach(token, {"customer": customer_id})
        return gateway.retrieve_method(found.id)

    return attach


def new_key() -> str:
    return f"pi:{uuid.uuid4()}:create:1"


def charge(gateway: StripeGateway, customer_id: str, method: GatewayMethod, **more: Any) -> Any:
    params: dict[str, Any] = {"key": new_key(), "off_session": True, "amount": TEN} | more
    return gateway.charge_saved(
        customer_id=customer_id, method=method, description="Invoice 7", metadata={"payment_id": "p"},
        return_url=RETURN, **params,
    )  # fmt: skip


def open_page(gateway: StripeGateway, customer_id: str, **more: Any) -> Any:
    return gateway.create_payment_checkout(
        key=new_key(), customer_id=customer_id, amount=TEN, description="Invoice 7", success_url=RETURN,
        cancel_url=RETURN, expires_at=datetime.now(UTC) + timedelta(minutes=31), metadata={"payment_id": "p"}, **more,
    )  # fmt: skip


def test_a_hosted_payment_is_read_back_whole(gateway: StripeGateway, customer_id: str) -> None:
    page = open_page(gateway, customer_id, save_method=True, locale="ar")
    assert (page.status, page.payment_status, page.intent_id) == ("open", "unpaid", None)
    requests.post(
        page.url, data={"number": "4242424242424242", "exp": "12/34", "cvc": "123"}, timeout=20, allow_redirects=False
    )
    done = gateway.retrieve_session(page.id)
    intent = gateway.retrieve_intent(done.intent_id or "")
    assert (done.status, done.payment_status, done.metadata) == ("complete", "paid", {"payment_id": "p"})
    assert (intent.status, intent.amount_received, intent.currency) == ("succeeded", 1000, "EUR")
    assert (intent.customer_id, intent.metadata) == (customer_id, {"payment_id": "p"})
    assert intent.method
    assert (intent.method.kind, intent.method.brand, intent.method.last4) == ("card", "visa", "4242")
    assert gateway.retrieve_method(intent.method_id or "").customer_id == customer_id
    assert [found.id for found in gateway.list_intents(customer_id=customer_id)] == [intent.id]


def test_a_hosted_page_saves_a_method(gateway: StripeGateway, customer_id: str) -> None:
    page = gateway.create_setup_checkout(
        key=new_key(),
        customer_id=customer_id,
        currency="EUR",
        success_url=RETURN,
        cancel_url=RETURN,
        metadata={"m": "1"},
    )
    requests.post(
        str(page.url),
        data={"number": "4242424242424242", "exp": "12/34", "cvc": "123"},
        timeout=20,
        allow_redirects=False,
    )
    setup = gateway.retrieve_setup(page.setup_intent_id or "")
    assert (setup.status, setup.customer_id, setup.metadata) == ("succeeded", customer_id, {"m": "1"})
    method = gateway.retrieve_method(setup.method_id or "")
    assert (method.customer_id, method.exp_month, method.exp_year) == (customer_id, 12, 2034)
    assert gateway.detach_method(method.id, key=new_key()).customer_id is None


def test_a_page_expires_once(gateway: StripeGateway, customer_id: str) -> None:
    page = open_page(gateway, customer_id)
    assert gateway.expire_checkout(page.id, key=new_key()).status == "expired"
    with pytest.raises(GatewayRefused):
        gateway.expire_checkout(page.id, key=new_key())


def test_a_saved_card_pays_and_gives_back(gateway: StripeGateway, customer_id: str, save: Save) -> None:
    intent = charge(gateway, customer_id, save("pm_card_visa"))
    assert (intent.status, intent.amount_refunded, intent.redirect_url) == ("succeeded", 0, None)
    refund = gateway.create_refund(key=new_key(), intent_id=intent.id, amount=400, reason="wrong", metadata={"r": "1"})
    assert gateway.retrieve_refund(refund.id) == refund
    assert (refund.status, refund.amount, refund.intent_id) == ("succeeded", 400, intent.id)
    assert gateway.retrieve_intent(intent.id).amount_refunded == 400
    with pytest.raises(GatewayRefused):
        gateway.create_refund(key=new_key(), intent_id=intent.id, amount=601, reason=None, metadata={})
    assert [found.id for found in gateway.list_refunds(intent_id=intent.id)] == [refund.id]


def test_a_decline_carries_its_codes_and_its_intent(gateway: StripeGateway, customer_id: str, save: Save) -> None:
    bad, good = save("pm_card_chargeCustomerFail"), save("pm_card_visa")
    with pytest.raises(PaymentDeclined) as declined:
        charge(gateway, customer_id, bad)
    assert (declined.value.code, declined.value.decline_code) == ("card_declined", "generic_decline")
    intent_id = declined.value.intent_id or ""
    failure = gateway.retrieve_intent(intent_id).failure
    assert failure
    assert failure.advice_code == declined.value.advice_code == "try_again_later"
    paid = gateway.confirm_again(intent_id, key=new_key(), method_id=good.id, return_url=RETURN, off_session=True)
    assert (paid.id, paid.status) == (intent_id, "succeeded")
    with pytest.raises(GatewayRefused) as refused:
        gateway.cancel_intent(intent_id, key=new_key())
    assert refused.value.code == "payment_intent_unexpected_state"


def test_the_same_intent_is_confirmed_again_with_the_person_there(
    gateway: StripeGateway, customer_id: str, save: Save
) -> None:
    card = save("pm_card_authenticationRequired")
    with pytest.raises(AuthenticationNeeded) as needed:
        charge(gateway, customer_id, card)
    intent_id = needed.value.intent_id or ""
    asked = gateway.confirm_again(intent_id, key=new_key(), method_id=card.id, return_url=RETURN)
    assert asked.status == "requires_action"
    requests.post(str(asked.redirect_url), data={"decision": "approve"}, timeout=20, allow_redirects=False)
    assert gateway.retrieve_intent(intent_id).status == "succeeded"


def test_lost_answers_are_unavailable_and_the_same_key_finds_the_work(
    standin: Standin, gateway: StripeGateway, customer_id: str, save: Save
) -> None:
    card, key = save("pm_card_visa"), new_key()
    standin.control("lose-reply", count=3, path="/v1/payment_intents")
    with pytest.raises(GatewayUnavailable):
        charge(gateway, customer_id, card, key=key)
    intent = charge(gateway, customer_id, card, key=key)
    assert [found.id for found in gateway.list_intents(customer_id=customer_id)] == [intent.id]
    with pytest.raises(GatewayRefused) as refused:
        charge(gateway, customer_id, card, key=key, amount=Money(2000, "EUR"))
    assert refused.value.code == "idempotency_error"


def test_a_dispute_is_read_with_its_last_day(
    standin: Standin, gateway: StripeGateway, customer_id: str, save: Save
) -> None:
    intent = charge(gateway, customer_id, save("pm_card_visa"))
    opened = standin.control("disputes", payment_intent=intent.id)
    dispute = gateway.retrieve_dispute(opened["id"])
    assert (dispute.status, dispute.amount, dispute.intent_id) == ("needs_response", 1000, intent.id)
    assert dispute.due_by
    assert dispute.due_by > dispute.created
    assert gateway.retrieve_intent(intent.id).disputed
    standin.control(f"disputes/{opened['id']}", outcome="lost")
    assert [(one.id, one.status) for one in gateway.list_disputes(intent_id=intent.id)] == [(opened["id"], "lost")]


def test_only_signed_events_of_our_mode_are_believed(
    settings: Settings, receiver: Receiver, gateway: StripeGateway, customer_id: str, save: Save
) -> None:
    intent = charge(gateway, customer_id, save("pm_card_visa"))

    def delivered() -> list[tuple[bytes, str]]:
        return [got for got in list(receiver.got) if intent.id.encode() in got[0] and b'"charge.succeeded"' in got[0]]

    payload, signature = wait_for(delivered)[0]
    event = gateway.construct_event(payload, signature)
    assert (event.kind, event.object_id, event.intent_id) == ("charge.succeeded", intent.charge_id, intent.id)
    live = StripeGateway(replace(settings, stripe_secret_key="sk_live_x", stripe_api_base=None))
    stranger = StripeGateway(replace(settings, stripe_webhook_secrets=("whsec_other",)))
    for believer, body, header in (
        (gateway, payload + b" ", signature), (gateway, payload, None), (stranger, payload, signature),
        (live, payload, signature),
    ):  # fmt: skip
        with pytest.raises(EventRefused):
            believer.construct_event(body, header)


def test_events_are_listed_by_the_kinds_we_know(gateway: StripeGateway, customer_id: str, save: Save) -> None:
    intent = charge(gateway, customer_id, save("pm_card_visa"))
    seen = list(gateway.list_events(since=intent.created))
    assert intent.id in [event.object_id for event in seen if event.kind == "payment_intent.succeeded"]
    assert {event.kind for event in seen} <= set(SUBSCRIBED_EVENTS)
