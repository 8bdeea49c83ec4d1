"""Keys: one work per key, whatever is lost on the way."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.stripe_contract.conftest import card_payment
from tests.stripe_contract.standin import Standin, wait_for

Client = stripe.StripeClient
Customer = stripe.Customer


def new_key() -> dict[str, Any]:
    return {"idempotency_key": f"pi:{uuid.uuid4()}:create:1"}


def replayed(found: Any) -> bool:
    return found.last_response.headers.get("Idempotent-Replayed") == "true"


def together(count: int, work: Callable[[], Any]) -> list[Any]:
    """What so many threads got, exceptions included, all at once."""
    barrier = threading.Barrier(count)

    def one(_: int) -> Any:
        barrier.wait(30)
        try:
            return work()
        except stripe.StripeError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def intents_of(client: Client, customer: Customer) -> list[str]:
    return [intent.id for intent in client.v1.payment_intents.list({"customer": customer.id, "limit": 100})]


def test_the_same_key_gets_the_first_answer_again(client: Client, customer: Customer) -> None:
    key, params = new_key(), card_payment(customer.id, "pm_card_visa")
    first, second = (client.v1.payment_intents.create(params, key) for _ in range(2))
    assert (first.id, replayed(first), replayed(second)) == (second.id, False, True)
    assert intents_of(client, customer) == [first.id]


def test_the_same_key_for_something_else_is_refused(client: Client, customer: Customer) -> None:
    key = new_key()
    client.v1.payment_intents.create(card_payment(customer.id, "pm_card_visa"), key)
    with pytest.raises(stripe.IdempotencyError) as refused:
        client.v1.payment_intents.create(card_payment(customer.id, "pm_card_visa", amount=2000), key)
    assert refused.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"name": "x"}, key)


def test_a_key_replays_a_decline_and_not_a_wrong_parameter(client: Client, customer: Customer) -> None:
    key = new_key()
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create(card_payment(customer.id, "pm_card_visa", colour="red"), key)
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            client.v1.payment_intents.create(card_payment(customer.id, "pm_card_visa_chargeDeclined"), key)
    assert refused.value.headers.get("Idempotent-Replayed") == "true"
    assert len(intents_of(client, customer)) == 1


def test_without_a_key_of_ones_own_every_call_charges(client: Client, customer: Customer) -> None:
    for _ in range(2):
        client.v1.payment_intents.create(card_payment(customer.id, "pm_card_visa"))
    assert len(intents_of(client, customer)) == 2


def test_fifty_threads_with_one_key_make_one_intent(standin: Standin, client: Client, customer: Customer) -> None:
    key, params = new_key(), card_payment(customer.id, "pm_card_visa")
    patient = standin.client(max_network_retries=6)
    got = together(50, lambda: patient.v1.payment_intents.create(params, key))
    assert {found.id for found in got} == set(intents_of(client, customer))
    assert len(intents_of(client, customer)) == 1
    assert sum(not replayed(found) for found in got) == 1


def test_a_key_at_work_is_a_conflict(standin: Standin, customer: Customer) -> None:
    key, params = new_key(), card_payment(customer.id, "pm_card_visa")
    impatient = standin.client(max_network_retries=0)
    standin.control("hold", on=True)
    try:
        first = ThreadPoolExecutor(1).submit(impatient.v1.payment_intents.create, params, key)
        wait_for(standin.held)
        with pytest.raises(stripe.APIError) as refused:
            impatient.v1.payment_intents.create(params, key)
    finally:
        standin.control("hold", on=False)
    assert (refused.value.http_status, refused.value.error.code) == (409, "idempotency_key_in_use")
    assert first.result(30).status == "succeeded"


def test_ten_refunds_at_once_give_back_what_is_there_and_no_more(client: Client, customer: Customer) -> None:
    intent = client.v1.payment_intents.create(card_payment(customer.id, "pm_card_visa", amount=1000))
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 300})
    got = together(10, lambda: client.v1.refunds.create({"payment_intent": intent.id, "amount": 400}))
    assert sum(isinstance(found, stripe.Refund) for found in got) == 1
    assert all(isinstance(found, stripe.Refund | stripe.InvalidRequestError) for found in got)
    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert (charge.amount_refunded, charge.refunded) == (700, False)


@pytest.mark.parametrize("lost", [2, 3])
def test_lost_answers_charge_once(standin: Standin, client: Client, customer: Customer, lost: int) -> None:
    key, params = new_key(), card_payment(customer.id, "pm_card_visa")
    standin.control("lose-reply", count=lost, path="/v1/payment_intents")
    if lost > 2:
        with pytest.raises(stripe.APIConnectionError):
            client.v1.payment_intents.create(params, key)
    intent = client.v1.payment_intents.create(params, key)
    assert replayed(intent)
    assert intents_of(client, customer) == [intent.id]


def test_a_failing_server_is_asked_again(standin: Standin, client: Client, customer: Customer) -> None:
    standin.control("fail-next", status=500, count=2)
    intent = client.v1.payment_intents.create(card_payment(customer.id, "pm_card_visa"), new_key())
    assert intent.status == "succeeded"
    assert len(intents_of(client, customer)) == 1


def test_keys_are_forgotten_after_a_day(standin: Standin, client: Client, customer: Customer) -> None:
    key, params = new_key(), card_payment(customer.id, "pm_card_visa")
    client.v1.payment_intents.create(params, key)
    standin.control("clock", advance=24 * 3600 + 1)
    assert not replayed(client.v1.payment_intents.create(params, key))
    assert len(intents_of(client, customer)) == 2
