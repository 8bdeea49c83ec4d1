"""Refunds, disputes and debits: money that goes back, or comes late."""

import pytest
import stripe

from tests.stripe_contract.conftest import RETURN, card_payment
from tests.stripe_contract.standin import Standin

Client = stripe.StripeClient
Customer = stripe.Customer
DAYS = 86_400


def pay(client: Client, customer: Customer, method: str = "pm_card_visa") -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(card_payment(customer.id, method))


def debit(client: Client, customer: Customer, iban: str) -> stripe.PaymentIntent:
    account = client.v1.payment_methods.create(
        {
            "type": "sepa_debit",
            "sepa_debit": {"iban": iban},
            "billing_details": {"name": "Acme", "email": "a@acme.example"},
        }
    )
    accepted = {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "test"}}
    return client.v1.payment_intents.create(
        {
            "amount": 1000,
            "currency": "eur",
            "customer": customer.id,
            "payment_method": account.id,
            "allowed_payment_method_types": ["sepa_debit"],
            "mandate_data": {"customer_acceptance": accepted},  # type: ignore[typeddict-item]
            "confirm": True,
            "return_url": RETURN,
        }
    )


def test_refunds_stop_at_what_was_paid(client: Client, customer: Customer) -> None:
    intent = pay(client, customer)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 999_999})
    part = client.v1.refunds.create({"payment_intent": intent.id, "amount": 300, "metadata": {"refund_id": "r1"}})
    assert (part.status, part.amount, part.metadata["refund_id"]) == ("succeeded", 300, "r1")
    rest = client.v1.refunds.create({"payment_intent": intent.id})
    assert rest.amount == 700
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refused.value.code == "charge_already_refunded"
    assert [found.id for found in client.v1.refunds.list({"payment_intent": intent.id})] == [rest.id, part.id]
    assert client.v1.charges.retrieve(str(intent.latest_charge)).refunded


def test_what_was_never_paid_cannot_be_refunded(client: Client, customer: Customer) -> None:
    intent = client.v1.payment_intents.create({"amount": 1000, "currency": "eur", "customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent.id})


def test_a_refund_may_take_its_time_or_fail(standin: Standin, client: Client, customer: Customer) -> None:
    slow = client.v1.refunds.create({"payment_intent": pay(client, customer, "pm_card_pendingRefund").id})
    failing_payment = pay(client, customer, "pm_card_refundFail")
    failing = client.v1.refunds.create({"payment_intent": failing_payment.id})
    assert (slow.status, failing.status) == ("pending", "succeeded")
    standin.control("clock", advance=120)
    assert client.v1.refunds.retrieve(slow.id).status == "succeeded"
    failed = client.v1.refunds.retrieve(failing.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert client.v1.charges.retrieve(str(failing_payment.latest_charge)).amount_refunded == 0


def test_a_disputed_payment_is_not_refunded_and_comes_back_when_won(client: Client, customer: Customer) -> None:
    intent = pay(client, customer, "pm_card_createDispute")
    found = client.v1.disputes.list({"payment_intent": intent.id}).data
    assert [(one.status, one.amount, one.reason) for one in found] == [("needs_response", 1000, "fraudulent")]
    assert found[0].evidence_details.due_by > found[0].created
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refused.value.code == "charge_disputed"
    client.v1.disputes.update(found[0].id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert client.v1.disputes.retrieve(found[0].id).status == "won"


def test_controls_open_and_decide_disputes(standin: Standin, client: Client, customer: Customer) -> None:
    opened = standin.control("disputes", payment_intent=pay(client, customer).id, amount=400, reason="duplicate")
    assert (opened["amount"], opened["reason"]) == (400, "duplicate")
    assert standin.control(f"disputes/{opened['id']}", outcome="lost")["status"] == "lost"
    kinds = [event.type for event in client.v1.events.list({"type": "charge.dispute.*", "limit": 100}) if (
        event.data.object["id"] == opened["id"])]  # fmt: skip
    assert kinds == ["charge.dispute.closed", "charge.dispute.funds_withdrawn", "charge.dispute.created"]


def test_a_debit_is_on_its_way_for_days(standin: Standin, client: Client, customer: Customer) -> None:
    good, bad = debit(client, customer, "DE89370400440532013000"), debit(client, customer, "DE62370400440532013001")
    assert (good.status, bad.status, good.amount_received) == ("processing", "processing", 0)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.cancel(good.id)
    standin.control("clock", advance=3 * DAYS + 60)
    paid = client.v1.payment_intents.retrieve(good.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.amount_received, paid.latest_charge.paid) == ("succeeded", 1000, True)
    failed = client.v1.payment_intents.retrieve(bad.id)
    assert (failed.status, failed.last_payment_error.code) == ("requires_payment_method", "charge_exceeds_source_limit")


@pytest.mark.parametrize(("outcome", "status"), [("succeeded", "succeeded"), ("failed", "requires_payment_method")])
def test_a_control_settles_a_debit(
    standin: Standin, client: Client, customer: Customer, outcome: str, status: str
) -> None:
    intent = debit(client, customer, "DE89370400440532013000")
    standin.control(f"debits/{intent.id}", outcome=outcome)
    assert client.v1.payment_intents.retrieve(intent.id).status == status


def test_a_debit_needs_a_mandate(client: Client, customer: Customer) -> None:
    account = client.v1.payment_methods.create(
        {
            "type": "sepa_debit",
            "sepa_debit": {"iban": "DE89370400440532013000"},
            "billing_details": {"name": "Acme", "email": "ana@acme.example"},
        }
    )
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create(
            card_payment(customer.id, account.id, allowed_payment_method_types=["sepa_debit"])
        )
