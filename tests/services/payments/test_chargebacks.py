"""Chargebacks: marked while the bank decides, booked when lost, given back when won; whatever comes twice or late."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from portal.integrations.payments import GatewayDispute
from portal.models import Chargeback, InvoiceStatus, Notification
from portal.services.payments.applying import Truth, book_truth
from portal.services.payments.inbox import look_into, store_events
from portal.services.payments.refunds import RefundRequest, request_refund
from tests.tills import BASE_URL
from tests.together import at_once


@pytest.fixture
def paid(till: Any) -> tuple[Any, Any]:
    invoice = till.invoice(10_000)
    return invoice, till.paid(invoice)


def object_at_the_bank(till: Any, payment: Any, amount: int = 10_000, status: str = "needs_response") -> Any:
    intent = till.payment(payment).intent_id
    found = GatewayDispute(f"du_{uuid4().hex}", status, amount, "EUR", "fraudulent", till.now, intent)
    till.gateway.disputes[found.id] = found
    till.gateway.intents[intent] = replace(till.gateway.intents[intent], disputed=True)
    return found


def decide(till: Any, found: Any, status: str) -> None:
    till.gateway.disputes[found.id] = replace(found, status=status)


def case_of(till: Any, found: Any) -> Chargeback:
    (case,) = till.rows(Chargeback, Chargeback.gateway_id == found.id)
    return case


def test_while_the_bank_decides_nothing_is_booked_and_nothing_goes_back(till: Any, paid: Any, refused: Any) -> None:
    invoice, payment = paid
    found = object_at_the_bank(till, payment)
    till.apply(payment)
    till.apply(payment)
    assert (till.payment(payment).disputed, till.payment(payment).charged_back) == (10_000, 0)
    assert till.get_invoice(invoice).status is InvoiceStatus.PAID
    assert case_of(till, found).state == "open"

    def refund() -> None:
        with till.begin() as session:
            request_refund(
                session, payment, RefundRequest("No"), base_url=BASE_URL, actor=till.actor("bill"), now=till.now
            )

    assert refused(refund) == "payment_disputed"
    told = {(row.user_id, row.kind) for row in till.rows(Notification, Notification.record_id == payment)}
    people = till.world.people
    assert {(people[name].user_id, "payment_bank_disputed") for name in ("alice", "bill")} <= told
    assert len(till.rows(Notification, Notification.record_id == payment, Notification.kind == "payment_bank_disputed",
                         Notification.user_id == people["alice"].user_id)) == 1  # fmt: skip


def test_lost_it_is_owed_again_once(till: Any, paid: Any) -> None:
    invoice, payment = paid
    found = object_at_the_bank(till, payment, 4_000)
    till.apply(payment)
    decide(till, found, "lost")
    at_once(4, lambda _: till.apply(payment))
    assert (till.payment(payment).disputed, till.payment(payment).charged_back) == (0, 4_000)
    after = till.get_invoice(invoice)
    assert (after.paid, after.status, till.owed(invoice)) == (6_000, InvoiceStatus.OPEN, 4_000)
    assert till.entries(payment) == [("paid", -10_000), ("charged_back", 4_000)]


def test_won_it_stays_paid(till: Any, paid: Any) -> None:
    invoice, payment = paid
    found = object_at_the_bank(till, payment)
    till.apply(payment)
    decide(till, found, "won")
    till.apply(payment)
    assert (till.payment(payment).disputed, till.get_invoice(invoice).paid) == (0, 10_000)
    assert case_of(till, found).state == "won"
    assert till.entries(payment) == [("paid", -10_000)]


def test_won_after_all_it_is_given_back_even_if_it_was_paid_again(till: Any, paid: Any) -> None:
    invoice, payment = paid
    found = object_at_the_bank(till, payment)
    decide(till, found, "lost")
    till.apply(payment)
    assert till.get_invoice(invoice).paid == 0
    till.paid(invoice, amount=7_000)
    decide(till, found, "won")
    till.apply(payment)
    till.apply(payment)
    assert (till.get_invoice(invoice).paid, till.owed(invoice)) == (10_000, 0)
    assert sum(amount for _, amount in till.entries(payment)) == -10_000
    assert till.payment(payment).charged_back == 0


def test_an_older_answer_that_comes_late_changes_nothing(till: Any, paid: Any) -> None:
    invoice, payment = paid
    found = object_at_the_bank(till, payment)
    old = Truth(intent=till.gateway.retrieve_intent(till.payment(payment).intent_id), disputes=(found,))
    decide(till, found, "lost")
    till.apply(payment)
    book_truth(till.desk, payment, old, now=till.now)
    assert case_of(till, found).state == "lost"
    assert (till.payment(payment).disputed, till.owed(invoice)) == (0, 10_000)


def test_an_inquiry_takes_no_money(till: Any, paid: Any) -> None:
    invoice, payment = paid
    found = object_at_the_bank(till, payment, status="warning_needs_response")
    till.apply(payment)
    decide(till, found, "warning_closed")
    till.apply(payment)
    assert (till.payment(payment).disputed, till.owed(invoice)) == (0, 0)


@pytest.mark.parametrize("reverse", [False, True])
def test_webhooks_in_any_order_and_twice_come_to_the_same(till: Any, paid: Any, reverse: bool) -> None:
    invoice, payment = paid
    found = object_at_the_bank(till, payment)
    decide(till, found, "lost")
    kinds = ["created", "funds_withdrawn", "closed"]
    events = [till.gateway.happened(f"charge.dispute.{kind}", found.id) for kind in kinds]
    for event in (events[::-1] if reverse else events) * 2:
        store_events(till.desk.sessions, [event], now=till.now)
        assert look_into(till.office, event.id, now=till.now)
    assert till.entries(payment) == [("paid", -10_000), ("charged_back", 10_000)]
    assert till.owed(invoice) == 10_000
