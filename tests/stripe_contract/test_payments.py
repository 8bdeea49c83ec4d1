"""Payments by the SDK: what the portal relies on, and what other stand-ins get wrong."""

import pytest
import stripe

from tests.stripe_contract.conftest import RETURN, card_payment

Client = stripe.StripeClient
Customer = stripe.Customer


def pay(client: Client, customer: Customer, method: str = "pm_card_visa", **more: object) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(card_payment(customer.id, method, **more))


def save(client: Client, customer: Customer, method: str) -> stripe.PaymentMethod:
    return client.v1.payment_methods.attach(method, {"customer": customer.id})


def declined(client: Client, customer: Customer, method: str, **more: object) -> stripe.CardError:
    with pytest.raises(stripe.CardError) as refused:
        pay(client, customer, method, **more)
    return refused.value


def test_a_card_pays_and_the_charge_tells_of_it(client: Client, customer: Customer) -> None:
    intent = pay(client, customer, expand=["latest_charge"], metadata={"payment_id": "p1"})
    assert (intent.status, intent.amount, intent.amount_received) == ("succeeded", 1000, 1000)
    assert intent.metadata["payment_id"] == "p1"
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.paid, charge.amount_refunded, charge.disputed) == (True, 0, False)
    assert charge.payment_method_details.card.last4 == "4242"
    assert charge.receipt_url
    again = client.v1.payment_intents.retrieve(intent.id)
    assert again.latest_charge == charge.id


@pytest.mark.parametrize(
    ("token", "code", "reason", "advice"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline", "try_again_later"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", "try_again_later"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", "do_not_try_again"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error", None),
    ],
)
def test_a_declined_card_never_pays(
    client: Client, customer: Customer, token: str, code: str, reason: str, advice: str | None
) -> None:
    error = declined(client, customer, token)
    assert (error.http_status, error.code, error.error.type) == (402, code, "card_error")
    assert error.error.decline_code == reason
    assert advice in (None, error.error.advice_code)
    intent = client.v1.payment_intents.retrieve(error.error.payment_intent["id"], {"expand": ["latest_charge"]})
    assert (intent.status, intent.amount_received, intent.payment_method) == ("requires_payment_method", 0, None)
    assert intent.last_payment_error.code == code
    assert (intent.latest_charge.status, intent.latest_charge.paid) == ("failed", False)


def test_another_card_pays_the_same_intent_after_a_decline(client: Client, customer: Customer) -> None:
    failed = declined(client, customer, "pm_card_visa_chargeDeclined").error.payment_intent
    paid = client.v1.payment_intents.confirm(failed["id"], {"payment_method": "pm_card_visa", "return_url": RETURN})
    assert (paid.id, paid.status, paid.last_payment_error) == (failed["id"], "succeeded", None)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.confirm(paid.id, {"payment_method": "pm_card_visa", "return_url": RETURN})
    assert refused.value.code == "payment_intent_unexpected_state"


def test_without_the_person_a_bank_that_asks_declines(client: Client, customer: Customer) -> None:
    card = save(client, customer, "pm_card_authenticationRequired")
    error = declined(client, customer, card.id, off_session=True)
    assert (error.code, error.error.decline_code) == ("authentication_required", "authentication_required")
    intent = client.v1.payment_intents.confirm(
        error.error.payment_intent["id"], {"payment_method": card.id, "return_url": RETURN}
    )
    assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")
    assert intent.next_action.redirect_to_url.return_url == RETURN


def test_a_card_that_was_saved_for_it_pays_without_the_person(client: Client, customer: Customer) -> None:
    card = save(client, customer, "pm_card_authenticationRequiredSetupForOffSession")
    assert pay(client, customer, card.id, off_session=True).status == "succeeded"
    assert pay(client, customer, card.id).status == "requires_action"


def test_without_a_return_url_dynamic_methods_are_refused(client: Client, customer: Customer) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(
            {"amount": 1000, "currency": "eur", "customer": customer.id, "payment_method": "pm_card_visa", "confirm": True}
        )
    assert "return_url" in str(refused.value)


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"amount": 1000}, "parameter_missing", "currency"),
        ({"amount": "ten", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": 1000, "currency": "eur", "colour": "red"}, "parameter_unknown", "colour"),
        ({"amount": 1000, "currency": "zzz"}, None, "currency"),
        ({"amount": 10, "currency": "eur"}, "amount_too_small", "amount"),
        ({"amount": 1000, "currency": "eur", "setup_future_usage": "always"}, None, "setup_future_usage"),
        (
            {"amount": 1000, "currency": "eur", "payment_method_types": ["card"]},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
    ],
)
def test_wrong_parameters_are_refused_by_name(client: Client, params: object, code: str | None, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(params)  # type: ignore[arg-type]
    assert refused.value.http_status == 400
    assert code in (None, refused.value.code)
    assert refused.value.param == param


def test_card_numbers_are_refused_by_the_api(client: Client) -> None:
    with pytest.raises(stripe.StripeError) as refused:
        client.v1.payment_methods.create(
            {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}}
        )
    assert "generally unsafe" in str(refused.value)


def test_cards_are_their_owners_and_detaching_is_final(client: Client, customer: Customer) -> None:
    other = client.v1.customers.create({"name": "Globex"})
    card = save(client, customer, "pm_card_visa")
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, other, card.id)
    assert [found.id for found in client.v1.payment_methods.list({"customer": customer.id, "type": "card"})] == [card.id]
    assert client.v1.payment_methods.detach(card.id).customer is None
    assert client.v1.customers.payment_methods.list(customer.id).data == []
    for attempt in (lambda: pay(client, customer, card.id, off_session=True), lambda: save(client, customer, card.id)):
        with pytest.raises(stripe.InvalidRequestError):
            attempt()


def test_a_card_that_was_not_saved_pays_once(client: Client, customer: Customer) -> None:
    kept = pay(client, customer, setup_future_usage="off_session").payment_method
    assert pay(client, customer, str(kept), off_session=True).status == "succeeded"
    once = pay(client, customer).payment_method
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, customer, str(once))


def test_attaching_a_bad_card_is_declined_and_the_late_one_fails_later(client: Client, customer: Customer) -> None:
    with pytest.raises(stripe.CardError) as refused:
        save(client, customer, "pm_card_visa_chargeDeclinedInsufficientFunds")
    assert refused.value.error.decline_code == "insufficient_funds"
    card = save(client, customer, "pm_card_chargeCustomerFail")
    assert declined(client, customer, card.id, off_session=True).code == "card_declined"


def test_a_set_up_saves_for_later_and_asks_where_the_bank_wants_to(client: Client, customer: Customer) -> None:
    made = client.v1.setup_intents.create(
        {"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True, "return_url": RETURN}
    )
    assert made.status == "succeeded"
    assert client.v1.payment_methods.retrieve(str(made.payment_method)).customer == customer.id
    asked = client.v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_authenticationRequiredOnSetup",
            "confirm": True,
            "return_url": RETURN,
        }
    )
    assert (asked.status, asked.next_action.type) == ("requires_action", "redirect_to_url")


def test_an_unpaid_intent_can_be_changed_and_cancelled_a_paid_one_not(client: Client, customer: Customer) -> None:
    intent = client.v1.payment_intents.create({"amount": 1000, "currency": "eur", "metadata": {"a": "1", "b": "2"}})
    changed = client.v1.payment_intents.update(intent.id, {"amount": 2000, "metadata": {"a": "", "c": "3"}})
    assert (changed.amount, changed.metadata.to_dict()) == (2000, {"b": "2", "c": "3"})
    assert client.v1.payment_intents.cancel(intent.id).status == "canceled"
    for cancel in (intent.id, pay(client, customer).id):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.cancel(cancel)
        assert refused.value.code == "payment_intent_unexpected_state"


def test_lists_are_newest_first_and_page_both_ways(client: Client, customer: Customer) -> None:
    made = [pay(client, customer).id for _ in range(3)]
    params = {"customer": customer.id, "limit": 2}
    first = client.v1.payment_intents.list(params)  # type: ignore[arg-type]
    assert ([intent.id for intent in first], first.has_more) == (made[:0:-1], True)
    assert [intent.id for intent in first.auto_paging_iter()] == made[::-1]
    rest = client.v1.payment_intents.list({"customer": customer.id, "ending_before": made[0]})
    assert [intent.id for intent in rest] == made[:0:-1]
    later = {"customer": customer.id, "created": {"gte": first.data[0].created + 3600}}
    assert client.v1.payment_intents.list(later).data == []  # type: ignore[arg-type]


def test_what_is_not_there_is_404_and_a_wrong_key_401(client: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.retrieve("pi_nothing")
    assert (refused.value.http_status, refused.value.code, refused.value.request_id is None) == (
        404, "resource_missing", False,
    )  # fmt: skip
    base = client._requestor._options.base_addresses
    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient("sk_live_wrong", base_addresses=base).v1.customers.list()


def test_events_tell_what_happened_newest_first(client: Client, customer: Customer) -> None:
    intent = pay(client, customer)
    found = client.v1.events.list(
        {"types": ["payment_intent.succeeded", "payment_intent.created"], "created": {"gte": intent.created}, "limit": 100}
    )
    about = [event for event in found.auto_paging_iter() if event.data.object["id"] == intent.id]
    assert [event.type for event in about] == ["payment_intent.succeeded", "payment_intent.created"]
    assert about[0].api_version == stripe.api_version
    assert client.v1.events.retrieve(about[0].id).data.object["status"] == "succeeded"
