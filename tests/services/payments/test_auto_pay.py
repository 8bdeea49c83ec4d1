"""Auto-pay: agreed to, announced, charged once when due, tried again as the bank's answer asks (WFL-05)."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete

from portal.models import AutoPay, AutoPayAttempt, AutoPayState, MailMessage, NextStep, Payment, PaymentKind
from portal.services.billing.detail import get_invoice_detail
from portal.services.payments.agreement import Agreement, save_agreement
from portal.services.payments.applying import apply_payment
from portal.services.payments.auto_outcome import FailureClass, classify
from portal.services.payments.auto_pay import advance_auto_pay, charge_time
from portal.services.payments.confirming import begin_confirmation, confirm_payment
from portal.services.payments.methods import make_default, remove_method
from portal.services.payments.scheduling import Wish, schedule_payment
from tests.tills import BASE_URL
from tests.together import at_once

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def globex(till: Any) -> Any:
    """Charlie's company, which nobody else bills here; it agrees to nothing when the test is over."""
    yield till
    with till.begin() as session:
        session.execute(delete(AutoPay).where(AutoPay.customer_id == till.world.companies["globex"]))


def agree(till: Any, **more: Any) -> UUID:
    method = more.pop("method_id", None) or till.save_card("globex")
    with till.begin() as session:
        save_agreement(session, None, Agreement(True, method, **more), actor=till.actor("charlie"), now=till.now)
    return method


def advance(till: Any, at: Any = None) -> Any:
    return advance_auto_pay(till.desk, till.world.companies["globex"], now=at or till.now)


def plan(till: Any, invoice: UUID) -> AutoPayAttempt:
    return till.rows(AutoPayAttempt, AutoPayAttempt.invoice_id == invoice)[0]


def due(till: Any, amount: int = 5000, days: int = 0) -> UUID:
    return till.invoice(amount, company="globex", days=days)


def test_an_invoice_due_today_is_charged_once(globex: Any) -> None:
    invoice = due(globex)
    agree(globex)
    at_once(6, lambda _: advance(globex))
    advance(globex)
    found = globex.get_invoice(invoice)
    assert (found.status, found.paid) == ("paid", 5000)
    assert plan(globex, invoice).state is AutoPayState.DONE
    assert plan(globex, invoice).attempts == 1


def test_it_is_announced_three_days_before_and_charged_as_the_due_day_begins(globex: Any) -> None:
    invoice = due(globex, days=20)
    agree(globex)
    at = charge_time(globex.get_invoice(invoice), PARIS)
    advance(globex)
    assert plan(globex, invoice).noticed_at is None
    for _ in range(2):
        advance(globex, at - timedelta(days=3))
    number = globex.get_invoice(invoice).number
    assert plan(globex, invoice).noticed_at is not None
    mails = globex.rows(MailMessage, MailMessage.template == "payment_announced")
    assert len([mail for mail in mails if mail.recipient == "charlie@globex.example"]) >= 1, number
    advance(globex, at - timedelta(seconds=1))
    assert globex.get_invoice(invoice).paid == 0
    advance(globex, at)
    assert globex.get_invoice(invoice).paid == 5000


def test_switched_off_nothing_is_charged(globex: Any) -> None:
    invoice = due(globex)
    agree(globex)
    with globex.begin() as session:
        save_agreement(session, None, Agreement(False), actor=globex.actor("charlie"), now=globex.now)
    assert advance(globex) is None
    assert globex.get_invoice(invoice).paid == 0


def test_not_enough_money_is_tried_again_as_the_plan_says(globex: Any) -> None:
    invoice = due(globex)
    agree(globex)
    globex.gateway.decline = "insufficient_funds"
    at, tries = globex.now, []
    for pause in (3, 5, 7):
        advance(globex, at)
        tries.append(plan(globex, invoice).attempts)
        assert plan(globex, invoice).next_at == at + timedelta(days=pause)
        at += timedelta(days=pause)
    advance(globex, at)
    assert (tries, plan(globex, invoice).attempts) == ([1, 2, 3], 4)
    assert plan(globex, invoice).state is AutoPayState.STOPPED
    advance(globex, at + timedelta(days=30))
    assert plan(globex, invoice).attempts == 4
    assert globex.get_invoice(invoice).status == "failed"


def test_another_method_is_tried_at_once(globex: Any) -> None:
    invoice = due(globex)
    agree(globex)
    globex.gateway.decline = "stolen_card"
    advance(globex)
    assert plan(globex, invoice).state is AutoPayState.STOPPED
    globex.gateway.decline = None
    advance(globex)
    assert globex.get_invoice(invoice).paid == 0
    agree(globex, method_id=globex.save_card("globex"))
    advance(globex)
    assert globex.get_invoice(invoice).status == "paid"


def test_the_bank_asks_for_the_owner_who_confirms_the_same_payment(globex: Any) -> None:
    invoice = due(globex)
    agree(globex)
    globex.gateway.decline = "authentication_required"
    advance(globex)
    attempt = plan(globex, invoice)
    assert (attempt.state, attempt.next_at) == (AutoPayState.NEEDS_CUSTOMER, None)
    payment = globex.payment(attempt.payment_id)
    assert (payment.status, payment.kind) == ("requires_action", PaymentKind.AUTO_PAY)
    before = len(globex.gateway.intents)
    with globex.begin() as session:
        assert begin_confirmation(session, payment.id, actor=globex.actor("charlie"), now=globex.now) is None
    confirm_payment(globex.desk, payment.id, now=globex.now)
    apply_payment(globex.desk, payment.id, now=globex.now)
    assert (globex.get_invoice(invoice).status, len(globex.gateway.intents)) == ("paid", before)


def test_above_the_limit_nothing_is_charged_and_the_customer_is_told(globex: Any) -> None:
    invoice = due(globex, amount=9000)
    agree(globex, limit=8999)
    advance(globex)
    assert (plan(globex, invoice).state, plan(globex, invoice).code) == (AutoPayState.NEEDS_CUSTOMER, "over_limit")
    number = globex.get_invoice(invoice).number
    mails = globex.rows(MailMessage, MailMessage.template == "payment_failed")
    assert len([mail for mail in mails if number in mail.text]) == 1
    assert globex.rows(Payment, Payment.id == (plan(globex, invoice).payment_id or uuid4())) == []


def test_its_method_leaves_only_for_a_successor(globex: Any, refused: Any) -> None:
    used, other = agree(globex), globex.save_card("globex")
    charlie = globex.actor("charlie")
    with globex.begin() as session:
        assert refused(lambda: remove_method(session, used, actor=charlie, now=globex.now)) == "method_in_use"
        remove_method(session, used, successor_id=other, actor=charlie, now=globex.now)
        assert session.get_one(AutoPay, globex.world.companies["globex"]).method_id == other


def test_who_may_agree(globex: Any, refused: Any) -> None:
    foreign = globex.save_card("acme")
    with globex.begin() as session:
        for who, code in (("bob", "not_allowed"), ("charlie", "method_unknown"), ("bill", "not_allowed")):
            call = lambda who=who: save_agreement(  # noqa: E731
                session, None, Agreement(True, foreign), actor=globex.actor(who), now=globex.now
            )
            assert refused(call) == code


def test_banks_answers_are_told_apart() -> None:
    assert classify("insufficient_funds", None) is FailureClass.RETRY
    assert classify("generic_decline", "do_not_try_again") is FailureClass.OTHER_METHOD
    assert classify("expired_card", None) is FailureClass.OTHER_METHOD
    assert classify("authentication_required", None) is FailureClass.ASK_CUSTOMER


def coming(till: Any, invoice: UUID) -> list[tuple[str, Any]]:
    found = till.rows(NextStep, NextStep.record_id == invoice, NextStep.kind.startswith("auto_pay"))
    return [(step.kind, step.at) for step in found]


def test_both_audiences_see_what_comes_until_it_is_off(globex: Any) -> None:
    invoice = due(globex, days=20)
    agree(globex, limit=6000)
    advance(globex)
    assert coming(globex, invoice) == [("auto_pay_charge", charge_time(globex.get_invoice(invoice), PARIS))]
    with globex.begin() as session:
        for who in ("charlie", "bill"):
            steps = get_invoice_detail(session, invoice, actor=globex.actor(who)).steps
            assert "auto_pay_charge" in [step.kind for step in steps]
    agree(globex, limit=4999)
    advance(globex)
    assert coming(globex, invoice) == []
    agree(globex)
    advance(globex)
    with globex.begin() as session:
        save_agreement(session, None, Agreement(False), actor=globex.actor("charlie"), now=globex.now)
    advance(globex)
    assert coming(globex, invoice) == []


def test_the_next_attempt_is_shown_and_gone_once_paid(globex: Any) -> None:
    invoice = due(globex)
    agree(globex)
    globex.gateway.decline = "insufficient_funds"
    advance(globex)
    advance(globex)
    assert coming(globex, invoice) == [("auto_pay_retry", globex.now + timedelta(days=3))]
    globex.gateway.decline = None
    globex.paid(invoice, who="charlie")
    assert coming(globex, invoice) == []


def test_another_default_method_is_charged_at_once(globex: Any) -> None:
    first, second = globex.save_card("globex"), globex.save_card("globex")
    charlie = globex.actor("charlie")
    with globex.begin() as session:
        make_default(session, first, actor=charlie, now=globex.now)
    invoice = due(globex)
    agree(globex, method_id=first)
    globex.gateway.decline = "stolen_card"
    advance(globex)
    globex.gateway.decline = None
    with globex.begin() as session:
        make_default(session, second, actor=charlie, now=globex.now)
        assert session.get_one(AutoPay, globex.world.companies["globex"]).method_id == second
    advance(globex)
    assert globex.get_invoice(invoice).status == "paid"


def test_what_is_scheduled_for_another_day_is_left_to_that_day(globex: Any) -> None:
    invoice, method = due(globex), globex.save_card("globex")
    wish = Wish(globex.today + timedelta(days=4), method)
    with globex.begin() as session:
        schedule_payment(session, invoice, wish, base_url=BASE_URL, actor=globex.actor("charlie"), now=globex.now)
    agree(globex)
    advance(globex)
    assert globex.get_invoice(invoice).paid == 0
