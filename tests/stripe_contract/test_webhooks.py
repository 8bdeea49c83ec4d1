"""Deliveries: signed when they leave, tried again, and disturbed where a test asks for it."""

from collections.abc import Callable, Iterator

import pytest
import stripe

from tests.stripe_contract.conftest import card_payment
from tests.stripe_contract.standin import SECRET, Receiver, Standin, wait_for

Client = stripe.StripeClient
Customer = stripe.Customer
Pay = Callable[[], str]


@pytest.fixture(autouse=True)
def _quiet(standin: Standin) -> Iterator[None]:
    """Nothing of another test is on its way, and nothing stays disturbed."""
    yield
    standin.control("deliveries", drop=0, duplicate=0, delay=0, reverse=False)


@pytest.fixture
def pay(standin: Standin, client: Client, customer: Customer) -> Pay:
    """Pay once all that was on its way has arrived; the intent's id."""

    def paid() -> str:
        return client.v1.payment_intents.create(card_payment(customer.id, "pm_card_visa")).id

    wait_for(lambda: not standin.control("deliveries")["deliveries"].get("waiting"), 60)
    return paid


def kinds(receiver: Receiver, client: Client, intent_id: str) -> list[str]:
    return [event.type.removeprefix("payment_intent.") for event in receiver.events(client, intent_id)]


def test_they_are_signed_and_of_the_version_of_the_sdk(receiver: Receiver, client: Client, pay: Pay) -> None:
    intent_id = pay()
    wait_for(lambda: kinds(receiver, client, intent_id) == ["created", "succeeded"])
    event = receiver.events(client, intent_id)[1]
    assert (event.livemode, event.api_version) == (False, stripe.api_version)
    payload, signature = receiver.got[-1]
    with pytest.raises(stripe.SignatureVerificationError):
        client.construct_event(payload + b" ", signature, SECRET)


def test_a_moved_clock_does_not_age_a_signature(standin: Standin, receiver: Receiver, client: Client, pay: Pay) -> None:
    standin.control("clock", advance=7200)
    intent_id = pay()
    wait_for(lambda: "succeeded" in kinds(receiver, client, intent_id))


def test_an_endpoint_that_fails_is_asked_again(receiver: Receiver, client: Client, pay: Pay) -> None:
    before = len(receiver.got)
    receiver.answers[:] = [500]
    intent_id = pay()
    wait_for(lambda: kinds(receiver, client, intent_id).count("created") == 2)
    first = receiver.got[before][0]
    same = [signature for body, signature in receiver.got[before:] if body == first]
    assert len(set(same)) == 2, "each try is signed anew"


def test_dropped_ones_are_gone_and_the_list_still_has_them(
    standin: Standin, receiver: Receiver, client: Client, pay: Pay
) -> None:
    standin.control("deliveries", drop=100)
    intent_id = pay()
    wait_for(lambda: not standin.control("deliveries")["deliveries"].get("waiting"))
    standin.control("deliveries", drop=0)
    other = pay()
    wait_for(lambda: "succeeded" in kinds(receiver, client, other))
    assert kinds(receiver, client, intent_id) == []
    listed = client.v1.events.list({"type": "payment_intent.succeeded", "limit": 5})
    assert intent_id in [event.data.object["id"] for event in listed]


def test_duplicates_are_the_same_event(standin: Standin, receiver: Receiver, client: Client, pay: Pay) -> None:
    standin.control("deliveries", duplicate=100)
    intent_id = pay()
    wait_for(lambda: kinds(receiver, client, intent_id).count("succeeded") == 2)
    assert len({event.id for event in receiver.events(client, intent_id)}) == 2


def test_reversed_ones_arrive_newest_first(standin: Standin, receiver: Receiver, client: Client, pay: Pay) -> None:
    standin.control("deliveries", reverse=True)
    intent_id = pay()
    wait_for(lambda: len(kinds(receiver, client, intent_id)) == 2)
    assert kinds(receiver, client, intent_id) == ["succeeded", "created"]


def test_delayed_ones_wait_for_the_clock(standin: Standin, receiver: Receiver, client: Client, pay: Pay) -> None:
    standin.control("deliveries", delay=3600)
    intent_id = pay()
    standin.control("deliveries", delay=0)
    other = pay()
    wait_for(lambda: "succeeded" in kinds(receiver, client, other))
    assert kinds(receiver, client, intent_id) == []
    standin.control("clock", advance=3601)
    wait_for(lambda: kinds(receiver, client, intent_id) == ["created", "succeeded"])


def test_endpoints_get_what_they_asked_for_under_their_own_secret(
    receiver: Receiver, client: Client, standin: Standin, pay: Pay
) -> None:
    other = Receiver()
    endpoint = client.v1.webhook_endpoints.create(
        {"url": other.url, "enabled_events": ["payment_intent.succeeded"], "api_version": stripe.api_version}  # type: ignore[typeddict-item]
    )
    intent_id = pay()
    wait_for(lambda: other.got)
    event = client.construct_event(*other.got[0], endpoint.secret)
    assert (event.type, event.data.object["id"]) == ("payment_intent.succeeded", intent_id)
    assert client.v1.webhook_endpoints.delete(endpoint.id).deleted
    other.close()
