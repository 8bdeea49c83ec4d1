"""Refunds, and what the gateway tells by webhook, list or night: each booked once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from portal.models import GatewayEvent, LedgerEntry, Notification
from portal.services.payments.inbox import list_waiting, look_into, store_events
from portal.services.payments.methods import list_methods, make_default, remove_method
from portal.services.payments.reconciling import compare_books, fetch_missed
from portal.services.payments.refunds import RefundRequest, decide_refund, request_refund, send_refund
from portal.services.payments.setups import begin_setup, open_setup_page, return_from_setup
from tests.tills import BASE_URL
from tests.together import at_once, codes_of


def ask(till: Any, payment_id: Any, amount: int | None = None, who: str = "bill", **more: Any) -> Any:
    with till.begin() as session:
        request = RefundRequest("Not delivered", amount, **more)
        return request_refund(session, payment_id, request, base_url=BASE_URL, actor=till.actor(who), now=till.now).id


def refund(till: Any, payment_id: Any, amount: int | None = None, **more: Any) -> Any:
    refund_id = ask(till, payment_id, amount, **more)
    send_refund(till.desk, refund_id, now=till.now)
    return refund_id


def test_a_refund_lowers_what_is_paid(till: Any) -> None:
    invoice = till.invoice(10000)
    payment_id = till.paid(invoice)
    refund(till, payment_id, 4000)
    assert (till.get_invoice(invoice).paid, till.owed(invoice), till.payment(payment_id).refunded) == (6000, 4000, 4000)
    assert till.refunds(payment_id)[0].status == "succeeded"
    assert till.refunds(payment_id)[0].expected_at is not None
    refund(till, payment_id)
    assert (till.get_invoice(invoice).paid, till.payment(payment_id).refunded) == (0, 10000)


def test_refunds_that_are_refused(till: Any, refused: Any) -> None:
    payment_id = till.paid(till.invoice(5000))
    assert refused(lambda: ask(till, payment_id, who="alice")) == "not_allowed"
    assert refused(lambda: ask(till, payment_id, who="sam")) == "not_allowed"
    assert refused(lambda: ask(till, payment_id, 5001)) == "refund_too_large"
    assert refused(lambda: ask(till, uuid4())) == "payment_not_found"
    assert refused(lambda: ask(till, till.pay(till.invoice()))) == "payment_not_refundable"


def test_ten_refunds_at_once_never_exceed_the_payment(till: Any) -> None:
    payment_id = till.paid(till.invoice(1000))
    codes = codes_of(at_once(10, lambda _: refund(till, payment_id, 400)))
    assert codes.count("ok") == 2
    assert till.payment(payment_id).refunded == 800


def test_four_eyes_above_the_limit(till: Any, refused: Any) -> None:
    till.settings(four_eyes_over=3000)
    payment_id = till.paid(till.invoice(10000))
    refund_id = refund(till, payment_id, 5000)
    assert (till.refunds(payment_id)[0].status, till.payment(payment_id).refunded) == ("requested", 0)

    def decide(who: str) -> Any:
        with till.begin() as session:
            return decide_refund(session, refund_id, approve=True, actor=till.actor(who), now=till.now)

    assert refused(lambda: decide("bill")) == "refund_own"
    decide("ada")
    send_refund(till.desk, refund_id, now=till.now)
    assert till.payment(payment_id).refunded == 5000
    assert refused(lambda: decide("ada")) == "refund_decided"


def test_a_refund_made_elsewhere_is_booked_once_and_one_that_fails_is_taken_back(till: Any) -> None:
    invoice = till.invoice(8000)
    payment_id = till.paid(invoice)
    found = till.gateway.refund_elsewhere(till.payment(payment_id).intent_id, 3000)
    till.apply(payment_id)
    till.apply(payment_id)
    assert (till.get_invoice(invoice).paid, len(till.refunds(payment_id))) == (5000, 1)
    till.gateway.refunds[found.id] = replace(found, status="failed")
    till.apply(payment_id)
    till.apply(payment_id)
    assert (till.get_invoice(invoice).paid, till.payment(payment_id).refunded, till.owed(invoice)) == (8000, 0, 0)
    assert till.entries(payment_id) == [("paid", -8000), ("refunded", 3000), ("restored", -3000)]


def test_excess_goes_back_before_an_invoice_is_opened_again(till: Any) -> None:
    invoice = till.invoice(5000)
    payment_id = till.pay(invoice)
    till.gateway.pay(till.payment(payment_id).session_id, amount=6000)
    till.apply(payment_id)
    refund(till, payment_id, 1500)
    assert till.get_invoice(invoice).paid == 4500
    assert till.entries(payment_id)[2:] == [("refunded", 1000), ("refunded", 500)]


def look(till: Any) -> None:
    for event_id in list_waiting(till.desk.sessions, now=till.now + timedelta(hours=1), batch=500):
        look_into(till.office, event_id, now=till.now)


def test_webhooks_five_times_and_in_any_order_book_once(till: Any) -> None:
    invoice = till.invoice(5000)
    payment_id = till.pay(invoice)
    intent = till.gateway.pay(till.payment(payment_id).session_id)
    events = [
        till.gateway.happened(kind, intent.id, intent.id) for kind in ("charge.refunded", "payment_intent.processing")
    ]
    for _ in range(5):
        store_events(till.desk.sessions, [*events, *till.gateway.events], now=till.now)
        look(till)
    assert till.entries(payment_id) == [("paid", -5000)]


def test_a_lost_webhook_is_found_in_the_list(till: Any) -> None:
    invoice = till.invoice(5000)
    payment_id = till.pay(invoice)
    till.gateway.pay(till.payment(payment_id).session_id)
    assert fetch_missed(till.office, now=till.now) >= 1
    assert fetch_missed(till.office, now=till.now) == 0
    look(till)
    assert till.get_invoice(invoice).status == "paid"


def test_while_the_gateway_is_away_events_wait(till: Any) -> None:
    payment_id = till.pay(till.invoice(5000))
    till.gateway.pay(till.payment(payment_id).session_id)
    store_events(till.desk.sessions, till.gateway.events, now=till.now)
    till.gateway.away = True
    look(till)
    assert till.payment(payment_id).status == "open"
    till.gateway.away = False
    look(till)
    assert till.payment(payment_id).status == "succeeded"


def test_events_of_others_are_put_aside(till: Any) -> None:
    payment_id = till.pay(till.invoice(5000))
    intent = till.gateway.pay(till.payment(payment_id).session_id)
    till.gateway.intents[intent.id] = replace(intent, metadata={"tenant_id": str(uuid4()), "payment_id": str(uuid4())})
    store_events(till.desk.sessions, till.gateway.events, now=till.now)
    look(till)
    assert till.payment(payment_id).status == "open"
    with till.desk.sessions.begin_directory() as session:
        found = session.scalars(
            select(GatewayEvent).where(GatewayEvent.object_id == intent.id).execution_options(all_tenants=True)
        ).one()
    assert (found.error, found.processed_at is not None) == ("not of this portal", True)


def test_the_night_finds_what_nobody_told_and_reports_what_it_cannot_mend(till: Any) -> None:
    lost, wrong = till.pay(till.invoice(5000)), till.pay(till.invoice(6000))
    till.gateway.pay(till.payment(lost).session_id)
    intent = till.gateway.pay(till.payment(wrong).session_id)
    till.gateway.intents[intent.id] = replace(intent, currency="USD")
    differences = compare_books(till.office, now=till.now)
    assert till.payment(lost).status == "succeeded"
    assert [(one.payment_id, one.at_gateway, one.in_ledger) for one in differences] == [(wrong, 6000, 0)]
    assert till.rows(Notification, Notification.record_id == wrong)[0].kind == "payment_differs"


def test_the_sums_of_the_ledger_are_what_invoices_say(till: Any) -> None:
    invoices = [till.invoice(amount) for amount in (100, 999, 12345)]
    payment_id = till.paid(*invoices)
    refund(till, payment_id, 1050, invoice_id=invoices[2])
    refund(till, payment_id, 500)
    for invoice in invoices:
        assert till.get_invoice(invoice).outstanding == till.owed(invoice)
    total = sum(entry.amount for entry in till.rows(LedgerEntry, LedgerEntry.payment_id == payment_id))
    assert total == -(100 + 999 + 12345) + 1550


def test_saving_a_method_on_the_gateways_page(till: Any, refused: Any) -> None:
    with till.begin() as session:
        company = begin_setup(session, None, actor=till.actor("alice"))
        assert refused(lambda: begin_setup(session, None, actor=till.actor("bob"))) == "not_allowed"
    page = open_setup_page(till.desk, company, actor=till.actor("alice"), now=till.now)
    assert return_from_setup(till.desk, page.id, actor=till.actor("alice"), now=till.now) is None
    card = replace(till.gateway.methods["pm_visa"], id=f"pm_{uuid4().hex}", fingerprint=uuid4().hex)
    till.gateway.finish_setup(page.id, card)
    call = lambda: return_from_setup(till.desk, page.id, actor=till.actor("charlie"), now=till.now)  # noqa: E731
    assert refused(call) == "payment_method_not_found"
    saved = return_from_setup(till.desk, page.id, actor=till.actor("alice"), now=till.now)
    again = return_from_setup(till.desk, page.id, actor=till.actor("alice"), now=till.now)
    assert (saved.id, saved.last4, saved.consent_address) == (again.id, "4242", "")


def test_the_same_card_twice_is_one_entry(till: Any) -> None:
    fingerprint = uuid4().hex
    first = till.save_card(token=f"pm_{uuid4().hex}", fingerprint=fingerprint)
    assert till.save_card(token=f"pm_{uuid4().hex}", fingerprint=fingerprint) == first
    assert till.save_card("globex", token=f"pm_{uuid4().hex}", fingerprint=fingerprint) != first


def test_default_and_removal(till: Any, refused: Any) -> None:
    one, two = till.save_card(token=f"pm_{uuid4().hex}"), till.save_card(token=f"pm_{uuid4().hex}")
    alice = till.actor("alice")
    with till.begin() as session:
        make_default(session, two, actor=alice, now=till.now)
        assert [method.id for method in list_methods(session, actor=alice) if method.is_default] == [two]
        for who in ("bob", "charlie"):
            code = "not_allowed" if who == "bob" else "payment_method_not_found"
            assert refused(lambda who=who: remove_method(session, two, actor=till.actor(who), now=till.now)) == code
        remove_method(session, two, actor=alice, now=till.now)
        left = list_methods(session, actor=alice)
        assert two not in {method.id for method in left}
        assert [method.is_default for method in left].count(True) == 1
        assert one in {method.id for method in left}
