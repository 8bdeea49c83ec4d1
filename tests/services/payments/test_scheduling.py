"""Payments planned for a later day: made once, charged once, cancelled before, ended with their invoice (BIL-06)."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from portal.models import (
    AuditEntry,
    MailMessage,
    NextStep,
    Notification,
    Payment,
    PaymentKind,
    ScheduledPayment,
    ScheduleStatus,
)
from portal.services.billing.voiding import void_invoice
from portal.services.payments.confirming import begin_confirmation, confirm_payment
from portal.services.payments.methods import remove_method
from portal.services.payments.schedule_clock import advance_schedule
from portal.services.payments.scheduling import (
    Wish,
    cancel_schedule,
    get_schedule,
    page_schedules,
    planned_for,
    schedule_payment,
)
from tests.tills import BASE_URL
from tests.together import at_once, codes_of

PARIS = ZoneInfo("Europe/Paris")


def day(till: Any, days: int = 10) -> date:
    return till.now.astimezone(PARIS).date() + timedelta(days=days)


def plan(till: Any, invoice: UUID, *, who: str = "alice", days: int = 10, **more: Any) -> UUID:
    method = more.pop("method", None) or till.save_card(token=f"pm_{uuid4().hex}")
    with till.begin() as session:
        wish = Wish(day(till, days), method, more.pop("amount", None))
        made = schedule_payment(session, invoice, wish, base_url=BASE_URL, actor=till.actor(who), now=till.now)
        return made.id


def cancel(till: Any, planned: UUID, who: str = "alice") -> None:
    with till.begin() as session:
        cancel_schedule(session, planned, actor=till.actor(who), now=till.now)


def row(till: Any, planned: UUID) -> ScheduledPayment:
    return till.rows(ScheduledPayment, ScheduledPayment.id == planned)[0]


def payments(till: Any, invoice: UUID) -> list[Payment]:
    ids = [one.payment_id for one in till.rows(ScheduledPayment, ScheduledPayment.invoice_id == invoice)]
    return till.rows(Payment, Payment.id.in_([one for one in ids if one]))


def steps(till: Any, invoice: UUID) -> list[str]:
    return [one.kind for one in till.rows(NextStep, NextStep.record_id == invoice, NextStep.kind.contains("payment"))]


def mails(till: Any, template: str, invoice: UUID) -> list[MailMessage]:
    found = till.rows(MailMessage, MailMessage.template == template)
    number = till.get_invoice(invoice).number
    return [mail for mail in found if number in mail.text]


def test_it_is_announced_the_day_before_and_charged_as_its_day_begins(till: Any) -> None:
    invoice = till.invoice(8000)
    planned = plan(till, invoice)
    at = row(till, planned).charge_at
    assert at.astimezone(PARIS).time().hour == 0
    assert steps(till, invoice) == ["payment_scheduled"]
    assert (till.get_invoice(invoice).reserved, till.get_invoice(invoice).status) == (0, "open")
    assert advance_schedule(till.desk, planned, now=till.now) == at - timedelta(days=1)
    for _ in range(2):
        assert advance_schedule(till.desk, planned, now=at - timedelta(days=1)) == at
    assert len(mails(till, "payment_scheduled", invoice)) == 2
    assert [one.kind for one in till.rows(Notification, Notification.record_id == invoice)] == ["payment_scheduled"]
    advance_schedule(till.desk, planned, now=at - timedelta(seconds=1))
    assert till.get_invoice(invoice).paid == 0
    assert advance_schedule(till.desk, planned, now=at) is None
    made = payments(till, invoice)[0]
    assert (made.kind, made.status, made.amount) == (PaymentKind.SCHEDULED, "succeeded", 8000)
    assert made.started_by == till.world.people["alice"].user_id
    assert (till.get_invoice(invoice).status, row(till, planned).status) == ("paid", ScheduleStatus.STARTED)
    assert steps(till, invoice) == []


def test_thirty_looks_at_once_charge_once(till: Any) -> None:
    invoice = till.invoice(8000)
    planned = plan(till, invoice)
    at = row(till, planned).charge_at
    at_once(30, lambda _: advance_schedule(till.desk, planned, now=at))
    assert len(payments(till, invoice)) == 1
    assert (till.get_invoice(invoice).paid, len(till.gateway.intents)) == (8000, 1)


def test_thirty_clicks_plan_one(till: Any) -> None:
    invoice, method = till.invoice(8000), till.save_card(token=f"pm_{uuid4().hex}")
    codes = codes_of(at_once(30, lambda _: plan(till, invoice, method=method)))
    assert sorted(codes) == ["ok"] + ["payment_already_scheduled"] * 29
    assert len(mails(till, "payment_scheduled", invoice)) == 1


def test_thirty_cancel_while_it_is_charged(till: Any) -> None:
    invoice = till.invoice(8000)
    planned = plan(till, invoice)
    at = row(till, planned).charge_at

    def either(index: int) -> Any:
        return advance_schedule(till.desk, planned, now=at) if index % 2 else cancel(till, planned)

    codes = codes_of(at_once(30, either))
    paid = till.get_invoice(invoice).paid
    assert (paid, row(till, planned).status.value) in ((8000, "started"), (0, "cancelled"))
    assert codes.count("schedule_not_cancellable") == (15 if paid else 14)


def test_a_part_and_the_rest_never_exceed_what_is_due(till: Any, refused: Any) -> None:
    invoice = till.invoice(10000)
    first = plan(till, invoice, amount=4000, days=5)
    assert refused(lambda: plan(till, invoice, amount=6001)) == "payment_already_scheduled"
    rest = plan(till, invoice, days=9)
    assert row(till, rest).amount == 6000
    assert refused(lambda: plan(till, invoice)) == "payment_already_scheduled"
    till.paid(invoice, amount=5000)
    advance_schedule(till.desk, first, now=row(till, first).charge_at)
    advance_schedule(till.desk, rest, now=row(till, rest).charge_at)
    assert sorted(one.amount for one in payments(till, invoice)) == [1000, 4000]
    assert (till.get_invoice(invoice).status, till.owed(invoice)) == ("paid", 0)


def test_what_is_refused(till: Any, refused: Any) -> None:
    invoice = till.invoice(10000)
    assert refused(lambda: plan(till, invoice, days=0)) == "day_not_future"
    assert refused(lambda: plan(till, invoice, days=400)) == "day_too_far"
    assert refused(lambda: plan(till, invoice, amount=10001)) == "amount_not_due"
    assert refused(lambda: plan(till, invoice, method=till.save_card("globex"))) == "method_unknown"
    old = till.save_card(token=f"pm_{uuid4().hex}", exp_month=1, exp_year=2026)
    assert refused(lambda: plan(till, invoice, method=old)) == "method_ends_before"
    till.settings(partial_payments=False)
    assert refused(lambda: plan(till, invoice, amount=100)) == "partial_not_allowed"
    till.paid(invoice)
    assert refused(lambda: plan(till, invoice)) == "payment_already_processed"


def test_strangers_plan_and_cancel_nothing(till: Any, refused: Any) -> None:
    invoice, method = till.invoice(10000), till.save_card()
    for who, code in (("bob", "not_allowed"), ("charlie", "invoice_not_found"), ("bill", "not_allowed")):
        assert refused(lambda who=who: plan(till, invoice, who=who, method=method)) == code
    planned = plan(till, invoice)
    for who, code in (("bob", "not_allowed"), ("charlie", "scheduled_payment_not_found"), ("bill", "not_allowed")):
        assert refused(lambda who=who: cancel(till, planned, who)) == code
    with till.begin() as session:
        charlie = till.actor("charlie")
        assert refused(lambda: get_schedule(session, planned, actor=charlie)) == "scheduled_payment_not_found"
        assert planned_for(session, invoice, actor=charlie) == []
        assert planned not in {one.planned.id for one in page_schedules(session, actor=charlie, limit=100).items}
        assert get_schedule(session, planned, actor=till.actor("bob")).planned.id == planned


def test_cancelled_before_nothing_is_charged_nor_told(till: Any, refused: Any) -> None:
    invoice = till.invoice(8000)
    planned = plan(till, invoice)
    cancel(till, planned)
    assert refused(lambda: cancel(till, planned)) == "schedule_not_cancellable"
    assert advance_schedule(till.desk, planned, now=row(till, planned).charge_at) is None
    assert (till.get_invoice(invoice).paid, steps(till, invoice)) == (0, [])
    assert mails(till, "payment_schedule_ended", invoice) == []
    trail = [one.action for one in till.rows(AuditEntry, AuditEntry.record_id == planned)]
    assert trail == ["scheduled_payment.created", "scheduled_payment.cancelled"]


@pytest.mark.parametrize("end", ["paid", "void"])
def test_it_ends_with_its_invoice_and_that_is_told_once(till: Any, end: str) -> None:
    invoice = till.invoice(8000)
    planned = plan(till, invoice)
    if end == "paid":
        till.paid(invoice)
    else:
        with till.begin() as session:
            void_invoice(session, invoice, reason="wrong", actor=till.actor("bill"), now=till.now)
    found = row(till, planned)
    assert (found.status, found.code, steps(till, invoice)) == (ScheduleStatus.CANCELLED, f"invoice_{end}", [])
    for _ in range(2):
        assert advance_schedule(till.desk, planned, now=found.charge_at) is None
    told = mails(till, "payment_schedule_ended", invoice)
    assert len(told) == 1
    assert ("is paid already" if end == "paid" else "is void") in told[0].text


def test_a_removed_method_hands_over_or_ends_it(till: Any) -> None:
    first, second = till.save_card(token=f"pm_{uuid4().hex}"), till.save_card(token=f"pm_{uuid4().hex}")
    planned = plan(till, till.invoice(8000), method=first)
    with till.begin() as session:
        remove_method(session, first, successor_id=second, actor=till.actor("alice"), now=till.now)
    assert (row(till, planned).method_id, row(till, planned).status) == (second, ScheduleStatus.PLANNED)
    with till.begin() as session:
        remove_method(session, second, actor=till.actor("alice"), now=till.now)
    assert (row(till, planned).status, row(till, planned).code) == (ScheduleStatus.CANCELLED, "method_removed")


def test_while_another_payment_is_under_way_it_waits(till: Any) -> None:
    invoice = till.invoice(8000)
    planned = plan(till, invoice)
    other = till.pay(invoice)
    at = row(till, planned).charge_at
    assert advance_schedule(till.desk, planned, now=at) == at + timedelta(hours=1)
    till.gateway.expire(till.payment(other).session_id)
    till.apply(other)
    assert advance_schedule(till.desk, planned, now=at + timedelta(hours=1)) is None
    assert till.get_invoice(invoice).paid == 8000


def test_while_the_gateway_is_away_the_payment_waits_and_is_made_once(till: Any) -> None:
    from portal.services.payments.calling import carry_out

    invoice = till.invoice(8000)
    planned = plan(till, invoice)
    at = row(till, planned).charge_at
    till.gateway.lose_answer = True
    assert advance_schedule(till.desk, planned, now=at) is None
    made = payments(till, invoice)[0]
    assert (made.status, till.get_invoice(invoice).status) == ("created", "processing")
    till.gateway.lose_answer = False
    carry_out(till.desk, made.id, now=at)
    assert (till.payment(made.id).status, len(till.gateway.intents)) == ("succeeded", 1)


def test_the_bank_asks_and_the_owner_confirms_the_same_payment(till: Any) -> None:
    invoice = till.invoice(8000)
    planned = plan(till, invoice)
    till.gateway.decline = "authentication_required"
    advance_schedule(till.desk, planned, now=row(till, planned).charge_at)
    made = payments(till, invoice)[0]
    assert made.status == "requires_action"
    assert len(mails(till, "payment_failed", invoice)) == 1
    with till.begin() as session:
        begin_confirmation(session, made.id, actor=till.actor("alice"), now=till.now)
    confirm_payment(till.desk, made.id, now=till.now)
    assert (till.get_invoice(invoice).status, len(till.gateway.intents)) == ("paid", 1)


def test_rules_that_changed_meanwhile_are_told(till: Any) -> None:
    invoice = till.invoice(8000)
    planned = plan(till, invoice, amount=1000)
    till.settings(partial_payments=False)
    assert advance_schedule(till.desk, planned, now=row(till, planned).charge_at) is None
    assert (row(till, planned).status, row(till, planned).code) == (ScheduleStatus.FAILED, "partial_not_allowed")
    assert len(mails(till, "payment_schedule_ended", invoice)) == 1
    assert till.get_invoice(invoice).paid == 0
