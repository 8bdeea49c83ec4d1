"""A plan in force: its dates count instead of the invoice's, until it is kept, missed or void."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from portal.models import (
    AutoPay,
    AutoPayAttempt,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    MailMessage,
    NextStep,
    Notification,
    OutboxEvent,
    Payment,
    PaymentAllocation,
    PlanStatus,
    ScheduledPayment,
)
from portal.services.billing.crediting import credit_invoice
from portal.services.billing.dunning import advance_invoice
from portal.services.billing.voiding import void_invoice
from portal.services.disputes.deciding import withdraw_dispute
from portal.services.disputes.opening import Objection, dispute_invoice
from portal.services.payments.auto_pay import advance_auto_pay
from portal.services.payments.schedule_clock import advance_schedule
from portal.services.plans.letters import answer_plan
from portal.services.plans.queries import next_instalment
from tests.tills import BASE_URL
from tests.together import at_once

DAY = timedelta(days=1)


def advance(till: Any, invoice: Any, at: Any) -> Any:
    with till.begin() as session:
        return advance_invoice(session, invoice, cycle=session.get_one(Invoice, invoice).cycle, now=at).at


def kinds(till: Any, record: Any) -> list[str]:
    return [row.kind for row in till.rows(OutboxEvent, OutboxEvent.record_id == record)]


def steps(till: Any, invoice: Any) -> set[str]:
    return {row.kind for row in till.rows(NextStep, NextStep.record_id == invoice)}


def fees(till: Any, invoice: Any) -> int:
    return len(till.rows(Invoice, Invoice.kind == InvoiceKind.LATE_FEE, Invoice.source_key == f"late_fee:{invoice}"))


def test_the_next_instalment_is_what_is_left_of_it(till: Any, plans: Any) -> None:
    invoice, alice = till.invoice(9_000, days=2), till.actor("alice")

    def following() -> int:
        with till.begin() as session:
            return next_instalment(session, session.get_one(Invoice, invoice), actor=alice)

    assert following() == 0
    first, *_ = plans.instalments(plans.in_force(invoice))
    assert following() == first.amount
    assert 0 < first.amount < 9_000


def test_nothing_is_overdue_while_instalments_are_kept(till: Any, plans: Any) -> None:
    till.settings(late_fee_percent=Decimal(5), late_fee_after_days=1)
    try:
        invoice = till.invoice(9_000, days=2)
        plan = plans.in_force(invoice)
        assert steps(till, invoice) == {"invoice_instalment", "invoice_plan_missed"}
        dates = [one.due_at for one in plans.instalments(plan)]
        assert advance(till, invoice, till.now) == dates[0] - 3 * DAY - timedelta(hours=15)
        advance(till, invoice, dates[0] - DAY)
        till.paid(invoice, amount=3_000)
        assert till.get_invoice(invoice).plan_due_at == dates[1]
        advance(till, invoice, dates[0] + 9 * DAY)
        found = till.get_invoice(invoice)
        assert (found.status, fees(till, invoice)) == (InvoiceStatus.OPEN, 0)
        assert {"invoice.overdue", "invoice.reminded"} & set(kinds(till, invoice)) == set()
        assert kinds(till, plan).count("payment_plan.reminded") == 1
        till.paid(invoice, amount=3_000)
        till.paid(invoice, amount=3_000)
        assert (plans.row(plan).status, till.get_invoice(invoice).status) == (PlanStatus.KEPT, InvoiceStatus.PAID)
        assert all(one.paid_at for one in plans.instalments(plan))
        assert kinds(till, plan).count("payment_plan.kept") == 1
    finally:
        till.settings(late_fee_percent=Decimal(0), late_fee_after_days=0)


def test_a_plan_of_an_overdue_invoice_takes_the_state_away(till: Any, plans: Any) -> None:
    invoice = till.invoice(9_000, days=1)
    till.now += 5 * DAY
    advance(till, invoice, till.now)
    assert till.get_invoice(invoice).status is InvoiceStatus.OVERDUE
    plan = plans.in_force(invoice)
    assert till.get_invoice(invoice).status is InvoiceStatus.OPEN
    missed = plans.instalments(plan)[0].due_at + 3 * DAY
    advance(till, invoice, missed - timedelta(seconds=1))
    assert plans.row(plan).status is PlanStatus.IN_FORCE
    advance(till, invoice, missed)
    found = till.get_invoice(invoice)
    assert (plans.row(plan).status, found.status, found.plan_due_at) == (PlanStatus.MISSED, InvoiceStatus.OVERDUE, None)
    assert found.dunning_from == missed
    later = advance(till, invoice, missed)
    assert later > missed
    advance(till, invoice, missed + 8 * DAY)
    assert "invoice.reminded" in kinds(till, invoice)


def test_a_missed_one_ends_it_once_and_is_told(till: Any, plans: Any) -> None:
    invoice = till.invoice(9_000, days=1)
    plan = plans.in_force(invoice)
    at = plans.instalments(plan)[0].due_at
    advance(till, invoice, at + DAY)
    at_once(10, lambda _: advance(till, invoice, at + 3 * DAY))
    assert kinds(till, plan).count("payment_plan.missed") == 1
    for event in till.rows(OutboxEvent, OutboxEvent.record_id == plan):
        with till.begin() as session:
            answer_plan(session, event.id, base_url=BASE_URL, now=at)
    told = {(row.user_id, row.kind) for row in till.rows(Notification, Notification.record_id == plan)}
    people = till.world.people
    assert {(people["bill"].user_id, "payment_plan_broken"), (people["alice"].user_id, "payment_plan_missed")} <= told
    assert (people["alice"].user_id, "instalment_late") in told
    number = till.get_invoice(invoice).number
    late = till.rows(MailMessage, MailMessage.template == "instalment_late", MailMessage.subject.contains(number))
    assert len(late) == 1
    assert "30.00" in late[0].text


def test_the_late_fee_counts_from_the_end_of_the_plan(till: Any, plans: Any) -> None:
    till.settings(late_fee_percent=Decimal(5), late_fee_after_days=4)
    try:
        invoice = till.invoice(9_000, days=1)
        plan = plans.in_force(invoice)
        missed = plans.instalments(plan)[0].due_at + 3 * DAY
        advance(till, invoice, missed)
        advance(till, invoice, missed + 4 * DAY - timedelta(seconds=1))
        assert fees(till, invoice) == 0
        for _ in range(2):
            advance(till, invoice, missed + 4 * DAY)
        assert fees(till, invoice) == 1
    finally:
        till.settings(late_fee_percent=Decimal(0), late_fee_after_days=0)


def test_parts_of_any_size_cover_instalments_in_order(till: Any, plans: Any) -> None:
    till.settings(partial_payments=False, partial_minimum=5_000)
    invoice = till.invoice(9_000)
    plan = plans.in_force(invoice)
    dates = [one.due_at for one in plans.instalments(plan)]
    till.paid(invoice, amount=2_999)
    assert till.get_invoice(invoice).plan_due_at == dates[0]
    till.paid(invoice, amount=3_002)
    assert till.get_invoice(invoice).plan_due_at == dates[2]
    assert [bool(one.paid_at) for one in plans.instalments(plan)] == [True, True, False]


def charged(till: Any, plan: Any, plans: Any) -> list[ScheduledPayment]:
    ids = [one.scheduled_id for one in plans.instalments(plan)]
    found = {row.id: row for row in till.rows(ScheduledPayment, ScheduledPayment.id.in_(ids))}
    return [found[one] for one in ids if one]


def test_with_a_saved_method_each_one_is_charged_on_its_day(till: Any, plans: Any) -> None:
    invoice = till.invoice(10_000)
    plan = plans.in_force(invoice, method=till.save_card())
    rows = charged(till, plan, plans)
    assert [(row.amount, row.status) for row in rows] == [(3_334, "planned"), (3_333, "planned"), (3_333, "planned")]
    assert [row.day for row in rows] == [one.due_on for one in plans.instalments(plan)]
    advance(till, invoice, rows[0].charge_at)
    assert "payment_plan.reminded" not in kinds(till, plan)
    for row in rows:
        at_once(5, lambda _, row=row: advance_schedule(till.desk, row.id, now=row.charge_at))
    assert till.get_invoice(invoice).status is InvoiceStatus.PAID
    made = till.rows(Payment, Payment.id.in_(allocated(till, invoice)))
    assert sorted(one.amount for one in made) == [3_333, 3_333, 3_334]
    assert (plans.row(plan).status, till.owed(invoice)) == (PlanStatus.KEPT, 0)


def allocated(till: Any, invoice: Any) -> list[Any]:
    return [one.payment_id for one in till.rows(PaymentAllocation, PaymentAllocation.invoice_id == invoice)]


def test_what_is_paid_by_hand_is_not_charged_again(till: Any, plans: Any) -> None:
    invoice = till.invoice(9_000)
    plan = plans.in_force(invoice, method=till.save_card())
    till.paid(invoice, amount=4_000)
    rows = charged(till, plan, plans)
    assert (rows[0].status, rows[0].code) == ("cancelled", "instalment_paid")
    assert [row.amount for row in rows[1:]] == [2_000, 3_000]
    advance_schedule(till.desk, rows[1].id, now=rows[1].charge_at)
    advance_schedule(till.desk, rows[2].id, now=rows[2].charge_at)
    assert (till.get_invoice(invoice).paid, till.get_invoice(invoice).status) == (9_000, InvoiceStatus.PAID)


def test_a_method_that_ends_before_or_is_foreign_is_refused(till: Any, plans: Any, refused: Any) -> None:
    invoice = till.invoice(9_000)
    plan = plans.ask(invoice)
    plans.grant(plan)
    old = till.save_card(token="pm_plan_old", exp_month=1, exp_year=till.now.year)
    assert refused(lambda: plans.accept(plan, method=old)) == "method_ends_before"
    foreign = till.save_card("globex", token="pm_plan_foreign")
    assert refused(lambda: plans.accept(plan, method=foreign)) == "method_unknown"
    assert plans.row(plan).status is PlanStatus.GRANTED


def test_whoever_may_not_pay_accepts_without_a_method(till: Any, plans: Any, refused: Any) -> None:
    invoice = till.invoice(9_000)
    plan = plans.ask(invoice, who="bob")
    plans.grant(plan)
    method = till.save_card(token="pm_plan_bob")
    assert refused(lambda: plans.accept(plan, who="bob", method=method)) == "not_allowed"
    plans.accept(plan, who="bob")
    assert plans.row(plan).status is PlanStatus.IN_FORCE


def test_auto_pay_leaves_the_whole_alone_and_announces_it_after_the_end(till: Any, plans: Any) -> None:
    invoice = till.invoice(9_000, company="globex", days=1)
    method = till.save_card("globex", token="pm_plan_auto")
    company = till.world.companies["globex"]
    with till.begin() as session:
        session.add(AutoPay(customer_id=company, enabled=True, method_id=method, updated_at=till.now))
    try:
        plan = plans.ask(invoice, who="charlie")
        plans.grant(plan)
        plans.accept(plan, who="charlie")
        advance_auto_pay(till.desk, company, now=till.now + 5 * DAY)
        assert allocated(till, invoice) == []
        missed = plans.instalments(plan)[0].due_at + 3 * DAY
        advance(till, invoice, missed)
        advance_auto_pay(till.desk, company, now=missed)
        attempt = till.rows(AutoPayAttempt, AutoPayAttempt.invoice_id == invoice)[0]
        assert (attempt.noticed_at, attempt.next_at) == (missed, missed + 3 * DAY)
        assert allocated(till, invoice) == []
        advance_auto_pay(till.desk, company, now=missed + 3 * DAY)
        assert till.get_invoice(invoice).status is InvoiceStatus.PAID
    finally:
        with till.begin() as session:
            session.delete(session.get_one(AutoPay, company))


def test_a_dispute_stops_the_clock(till: Any, plans: Any) -> None:
    invoice = till.invoice(9_000, days=1)
    plan = plans.in_force(invoice)
    due = plans.instalments(plan)[0].due_at
    with till.begin() as session:
        objection = Objection("Wrong", amount=1_000)
        dispute = dispute_invoice(session, invoice, objection, actor=till.actor("alice"), now=till.now).id
    advance(till, invoice, due + 20 * DAY)
    assert plans.row(plan).status is PlanStatus.IN_FORCE
    with till.begin() as session:
        withdraw_dispute(session, dispute, actor=till.actor("alice"), now=due + 20 * DAY)
    advance(till, invoice, due + 22 * DAY)
    assert plans.row(plan).status is PlanStatus.IN_FORCE
    advance(till, invoice, due + 23 * DAY)
    assert plans.row(plan).status is PlanStatus.MISSED


def test_credit_notes_count_and_void_ends(till: Any, plans: Any) -> None:
    invoice = till.invoice(9_000)
    plan = plans.in_force(invoice, method=till.save_card(token="pm_plan_void"))
    with till.begin() as session:
        void_invoice(session, invoice, reason="Mistake", actor=till.actor("bill"), now=till.now)
    assert (plans.row(plan).status, plans.row(plan).code) == (PlanStatus.ENDED, "invoice_void")
    assert {row.status for row in charged(till, plan, plans)} == {"cancelled"}
    assert till.get_invoice(invoice).plan_due_at is None
    other = till.invoice(9_000)
    second = plans.in_force(other)
    with till.begin() as session:
        credit_invoice(session, other, reason="Goodwill", actor=till.actor("bill"), now=till.now)
    assert plans.row(second).status is PlanStatus.KEPT


def test_a_second_plan_begins_anew(till: Any, plans: Any) -> None:
    invoice = till.invoice(9_000, days=1)
    first = plans.in_force(invoice)
    missed = plans.instalments(first)[0].due_at + 3 * DAY
    advance(till, invoice, missed)
    till.now = missed + DAY
    second = plans.in_force(invoice)
    assert till.get_invoice(invoice).plan_due_at == plans.instalments(second)[0].due_at
    advance(till, invoice, plans.instalments(second)[0].due_at + 3 * DAY)
    assert plans.row(second).status is PlanStatus.MISSED
