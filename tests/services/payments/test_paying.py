"""Reserving, paying, booking: whatever is repeated, crossed or lost, an invoice is paid once and to the cent."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from portal.integrations.payments import GatewayFailure, GatewayUnavailable
from portal.models import MailMessage, Notification, OutboxEvent, PaymentAllocation
from portal.services.billing.voiding import void_invoice
from portal.services.payments.applying import GatewayMismatch
from portal.services.payments.calling import KEY_FOR, PAGE_WITHIN, carry_out, ensure_customer
from portal.services.payments.cancelling import cancel_payment, require_cancellable
from portal.services.payments.queries import PaymentFilter, get_payment, page_payments
from tests.together import at_once, codes_of


def test_a_new_card_from_click_to_receipt(till: Any) -> None:
    invoice = till.invoice(12000)
    payment_id = till.pay(invoice)
    started = till.payment(payment_id)
    assert (started.status, started.amount, started.redirect_url is not None) == ("open", 12000, True)
    assert till.get_invoice(invoice).status == "processing"
    till.gateway.pay(started.session_id)
    assert till.apply(payment_id) == "succeeded"
    paid = till.get_invoice(invoice)
    assert (paid.status, paid.paid, paid.reserved, till.owed(invoice)) == ("paid", 12000, 0, 0)
    assert till.entries(payment_id) == [("paid", -12000)]
    assert till.payment(payment_id).method == {"kind": "card", "brand": "visa", "last4": "4242"}
    kinds = [row.kind for row in till.rows(OutboxEvent, OutboxEvent.record_id == payment_id)]
    assert kinds.count("payment.succeeded") == 1
    mails = till.rows(MailMessage, MailMessage.template == "payment_received")
    assert len([mail for mail in mails if started.number in mail.text]) == 1
    bells = till.rows(Notification, Notification.record_id == payment_id)
    assert [bell.kind for bell in bells] == ["payment_received"]


def test_thirty_at_once_reserve_once(till: Any) -> None:
    invoice = till.invoice(5000)
    codes = codes_of(at_once(30, lambda _: till.start(invoice)))
    assert sorted(codes) == ["ok"] + ["payment_already_processed"] * 29
    assert till.get_invoice(invoice).reserved == 5000


def test_parallel_parts_never_exceed_what_is_owed(till: Any) -> None:
    invoice = till.invoice(10000)
    codes = codes_of(at_once(8, lambda _: till.start(invoice, amount=3000)))
    assert codes.count("ok") == 3
    assert till.get_invoice(invoice).reserved == 9000


def test_thirty_bookings_of_one_payment_book_once(till: Any) -> None:
    invoice = till.invoice(7000)
    payment_id = till.pay(invoice)
    till.gateway.pay(till.payment(payment_id).session_id)
    assert set(at_once(30, lambda _: till.apply(payment_id))) == {"succeeded"}
    assert till.entries(payment_id) == [("paid", -7000)]
    assert till.get_invoice(invoice).paid == 7000


def test_a_part_then_the_rest(till: Any) -> None:
    invoice = till.invoice(10000)
    till.paid(invoice, amount=4000)
    assert (till.get_invoice(invoice).status, till.owed(invoice)) == ("open", 6000)
    till.paid(invoice)
    assert (till.get_invoice(invoice).status, till.owed(invoice)) == ("paid", 0)


def test_amounts_that_are_refused(till: Any, refused: Any) -> None:
    invoice = till.invoice(10000)
    for amount in (0, -5, 10001):
        assert refused(lambda amount=amount: till.start(invoice, amount=amount)) == "amount_not_due"
    till.settings(partial_minimum=2000)
    assert refused(lambda: till.start(invoice, amount=1999)) == "partial_too_small"
    till.settings(partial_payments=False)
    assert refused(lambda: till.start(invoice, amount=9999)) == "partial_not_allowed"
    till.start(invoice, amount=10000)


def test_who_may_pay_what(till: Any, refused: Any) -> None:
    invoice, foreign = till.invoice(), till.invoice(company="globex")
    assert refused(lambda: till.start(invoice, who="bob")) == "not_allowed"
    assert refused(lambda: till.start(foreign)) == "invoice_not_found"
    assert refused(lambda: till.start(invoice, foreign)) == "invoice_not_found"
    assert refused(lambda: till.start(uuid4())) == "invoice_not_found"
    assert refused(lambda: till.start(invoice, who="bill")) == "not_allowed"
    theirs = till.save_card("globex")
    assert refused(lambda: till.start(invoice, method_id=theirs)) == "method_unknown"


def test_void_and_paid_invoices_are_not_payable(till: Any, refused: Any) -> None:
    void, paid = till.invoice(), till.invoice()
    with till.begin() as session:
        void_invoice(session, void, reason="wrong", actor=till.actor("bill"), now=till.now)
    assert refused(lambda: till.start(void)) == "invoice_not_payable"
    till.paid(paid)
    assert refused(lambda: till.start(paid)) == "payment_already_processed"


def test_several_invoices_in_one_payment(till: Any) -> None:
    first, second = till.invoice(3000, days=5), till.invoice(4000, days=9)
    payment_id = till.paid(first, second)
    assert till.payment(payment_id).amount == 7000
    assert {till.get_invoice(one).status.value for one in (first, second)} == {"paid"}
    assert till.entries(payment_id) == [("paid", -3000), ("paid", -4000)]


def test_money_that_nobody_owes_any_more_becomes_credit(till: Any) -> None:
    invoice = till.invoice(5000)
    payment_id = till.pay(invoice)
    page = till.payment(payment_id).session_id
    till.gateway.expire(page)
    assert till.apply(payment_id) == "cancelled"
    till.paid(invoice)
    # The page was paid in another tab after all.
    till.gateway.pay(page)
    assert till.apply(payment_id) == "succeeded"
    assert till.entries(payment_id) == [("credit_added", -5000)]
    assert till.get_invoice(invoice).paid == 5000
    bells = [row.kind for row in till.rows(Notification, Notification.record_id == payment_id)]
    assert "payment_excess" in bells


def test_more_than_was_asked_for_is_booked_to_the_cent(till: Any) -> None:
    invoice = till.invoice(5000)
    payment_id = till.pay(invoice)
    till.gateway.pay(till.payment(payment_id).session_id, amount=5600)
    till.apply(payment_id)
    assert till.entries(payment_id) == [("paid", -5000), ("credit_added", -600)]
    assert till.rows(PaymentAllocation, PaymentAllocation.payment_id == payment_id)[0].booked == 5000


def test_an_expired_page_frees_what_was_reserved(till: Any) -> None:
    invoice = till.invoice(5000)
    payment_id = till.pay(invoice)
    till.gateway.expire(till.payment(payment_id).session_id)
    assert till.apply(payment_id) == "cancelled"
    found = till.get_invoice(invoice)
    assert (found.status, found.reserved, till.entries(payment_id)) == ("open", 0, [])


def test_a_declined_card_leaves_the_page_open_for_another_one(till: Any) -> None:
    invoice = till.invoice(5000)
    payment_id = till.pay(invoice)
    page = till.payment(payment_id).session_id
    till.gateway.set_intent(page, "requires_payment_method", GatewayFailure("card_declined", "insufficient_funds"))
    assert till.apply(payment_id) == "open"
    assert till.payment(payment_id).failure_code == "insufficient_funds"
    till.gateway.expire(page)
    assert till.apply(payment_id) == "failed"
    assert (till.get_invoice(invoice).status, till.get_invoice(invoice).failure) == ("failed", "insufficient_funds")


def test_a_debit_on_its_way_reserves_and_may_fail_days_later(till: Any) -> None:
    invoice = till.invoice(5000)
    payment_id = till.pay(invoice)
    page = till.payment(payment_id).session_id
    till.gateway.set_intent(page, "processing")
    assert till.apply(payment_id) == "processing"
    assert (till.get_invoice(invoice).status, till.get_invoice(invoice).paid) == ("processing", 0)
    till.gateway.set_intent(page, "requires_payment_method", GatewayFailure("insufficient_funds"))
    assert till.apply(payment_id) == "failed"
    assert till.get_invoice(invoice).reserved == 0


def test_states_never_move_back(till: Any) -> None:
    payment_id = till.paid(till.invoice())
    intent_id = till.payment(payment_id).intent_id
    till.gateway.intents[intent_id] = replace(till.gateway.intents[intent_id], status="processing")
    assert till.apply(payment_id) == "succeeded"
    assert len(till.entries(payment_id)) == 1


def test_a_saved_method_pays_at_once(till: Any) -> None:
    invoice, method = till.invoice(5000), till.save_card()
    payment_id = till.pay(invoice, method_id=method)
    assert till.payment(payment_id).status == "succeeded"
    assert till.get_invoice(invoice).status == "paid"


def test_a_declined_saved_method_says_why_and_can_be_tried_again(till: Any) -> None:
    invoice, method = till.invoice(5000), till.save_card()
    till.gateway.decline = "insufficient_funds"
    payment_id = till.pay(invoice, method_id=method)
    failed = till.payment(payment_id)
    assert (failed.status, failed.failure_code) == ("failed", "insufficient_funds")
    assert (till.get_invoice(invoice).status, till.owed(invoice)) == ("failed", 5000)
    till.gateway.decline = None
    assert till.payment(till.pay(invoice, method_id=method)).status == "succeeded"


def test_a_lost_answer_is_unknown_and_asked_for_by_the_same_key(till: Any) -> None:
    invoice, method = till.invoice(5000), till.save_card()
    payment_id = till.start(invoice, method_id=method)
    ensure_customer(till.desk, till.payment(payment_id).customer_id)
    till.gateway.lose_answer = True
    with pytest.raises(GatewayUnavailable):
        carry_out(till.desk, payment_id, now=till.now)
    assert till.payment(payment_id).status == "created"
    assert till.get_invoice(invoice).status == "processing"
    till.gateway.lose_answer = False
    carry_out(till.desk, payment_id, now=till.now)
    assert till.payment(payment_id).status == "succeeded"
    assert len(till.gateway.intents) == 1


def test_after_the_keys_are_forgotten_the_payment_is_looked_up(till: Any) -> None:
    invoice, method = till.invoice(5000), till.save_card()
    payment_id = till.start(invoice, method_id=method)
    carry_out(till.desk, till.start(till.invoice(), method_id=method), now=till.now)
    till.gateway.lose_answer = True
    with pytest.raises(GatewayUnavailable):
        carry_out(till.desk, payment_id, now=till.now)
    till.gateway.lose_answer = False
    before = len(till.gateway.calls)
    carry_out(till.desk, payment_id, now=till.now + KEY_FOR * 2)
    assert len(till.gateway.calls) == before
    assert till.payment(payment_id).status == "succeeded"


def test_a_page_that_nobody_ever_saw_is_given_up(till: Any) -> None:
    invoice = till.invoice(5000)
    payment_id = till.start(invoice)
    carry_out(till.desk, payment_id, now=till.now + PAGE_WITHIN * 2)
    assert (till.payment(payment_id).status, till.get_invoice(invoice).reserved) == ("failed", 0)


def test_another_payment_of_the_gateway_is_never_booked(till: Any) -> None:
    one, other = till.pay(till.invoice(5000)), till.pay(till.invoice(5000))
    till.gateway.pay(till.payment(one).session_id)
    intent = till.gateway.pay(till.payment(other).session_id)
    wrong = replace(intent, metadata=dict(intent.metadata) | {"payment_id": str(one)})
    till.gateway.intents[intent.id] = wrong
    with pytest.raises(GatewayMismatch):
        till.apply(other)
    assert till.entries(other) == []


def test_a_card_is_kept_where_its_owner_agreed(till: Any) -> None:
    before = {method.id for method in till.methods()}
    without = till.pay(till.invoice())
    till.gateway.pay(till.payment(without).session_id)
    till.apply(without)
    assert {method.id for method in till.methods()} == before
    with_consent = till.pay(till.invoice(), save=True)
    card = replace(till.gateway.methods["pm_visa"], id=f"pm_{uuid4().hex}", fingerprint=uuid4().hex)
    till.gateway.pay(till.payment(with_consent).session_id, method=card)
    till.apply(with_consent)
    kept = next(method for method in till.methods() if method.id not in before)
    assert (kept.gateway_id, kept.last4, kept.consent_version != "") == (card.id, "4242", True)


def test_cancelling_an_open_page(till: Any, refused: Any) -> None:
    invoice = till.invoice(5000)
    payment_id = till.pay(invoice)
    with till.begin() as session:
        payment = require_cancellable(session, payment_id, actor=till.actor("alice"))
    assert cancel_payment(till.desk, payment, now=till.now) == "cancelled"
    assert till.get_invoice(invoice).reserved == 0
    with till.begin() as session:
        call = lambda: require_cancellable(session, payment_id, actor=till.actor("alice"))  # noqa: E731
        assert refused(call) == "payment_not_cancellable"
        assert refused(lambda: require_cancellable(session, payment_id, actor=till.actor("bob"))) == "not_allowed"


def test_history_is_the_companys_own_and_newest_first(till: Any, refused: Any) -> None:
    invoice = till.invoice(3000)
    first = till.paid(invoice, amount=1000)
    till.now += timedelta(seconds=1)
    second = till.paid(invoice)
    with till.begin() as session:
        wanted = PaymentFilter(invoice_id=invoice)
        page = page_payments(session, wanted=wanted, actor=till.actor("bob"))
        assert [row.payment.id for row in page.items] == [second, first]
        assert page.items[0].invoices[0].service == "Managed workplace"
        one = page_payments(session, wanted=wanted, actor=till.actor("bob"), limit=1)
        rest = page_payments(session, wanted=wanted, actor=till.actor("bob"), limit=1, cursor=one.next_cursor)
        assert [row.payment.id for row in rest.items] == [first]
        assert page_payments(session, wanted=wanted, actor=till.actor("charlie")).items == []
        assert refused(lambda: get_payment(session, first, actor=till.actor("charlie"))) == "payment_not_found"


def test_money_that_is_only_held_has_not_come(till: Any) -> None:
    invoice = till.invoice(5000)
    payment_id = till.pay(invoice)
    intent = till.gateway.pay(till.payment(payment_id).session_id)
    till.gateway.intents[intent.id] = replace(intent, status="requires_capture", amount_received=0)
    till.apply(payment_id)
    assert (till.payment(payment_id).status.value, till.get_invoice(invoice).paid) == ("processing", 0)
    till.gateway.intents[intent.id] = intent
    till.apply(payment_id)
    assert (till.payment(payment_id).status.value, till.get_invoice(invoice).paid) == ("succeeded", 5000)
