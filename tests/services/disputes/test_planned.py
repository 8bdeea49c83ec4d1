"""What is in dispute and what waits for its day: only the rest is charged, reminded of and shown as due."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select

from portal.models import Invoice, NextStep, Payment, ReminderChoice, ScheduledPayment, ScheduleStatus
from portal.services.billing.holding import move_due_day, restart_dunning
from portal.services.billing.plan import StepKind, own_time
from portal.services.billing.planning import plan_invoice
from portal.services.billing.reminders import Choice, save_choice
from portal.services.billing.settings import load_settings
from portal.services.payments.balances import available
from portal.services.payments.calendar import Mark, MarkKind, read_month
from portal.services.payments.queries import list_payable
from portal.services.payments.schedule_clock import advance_schedule
from portal.services.payments.scheduling import Wish, schedule_payment
from tests.services.disputes.test_disputes import TOTAL, open_one, withdraw
from tests.tills import BASE_URL

DAY = timedelta(days=1)
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def charlie(till: Any) -> Iterator[Any]:
    """Reads the invoices of Globex; has chosen no reminders before or after."""
    yield till.actor("charlie")
    with till.begin() as session:
        session.execute(delete(ReminderChoice))


def plan(till: Any, invoice: UUID, amount: int | None = None) -> ScheduledPayment:
    method = till.save_card("globex", token=f"pm_{uuid4().hex}")
    wish = Wish(till.now.astimezone(PARIS).date() + 10 * DAY, method, amount)
    with till.begin() as session:
        return schedule_payment(session, invoice, wish, base_url=BASE_URL, actor=till.actor("charlie"), now=till.now)


def row(till: Any, planned: ScheduledPayment) -> ScheduledPayment:
    found: ScheduledPayment = till.rows(ScheduledPayment, ScheduledPayment.id == planned.id)[0]
    return found


def reminders(till: Any, invoice: UUID) -> set[Any]:
    """When reminders come; the next of them are shown."""
    with till.begin() as session:
        steps = plan_invoice(session, session.get_one(Invoice, invoice), load_settings(session))
    coming = {step.at for step in steps if step.kind is StepKind.REMINDER}
    shown = till.rows(NextStep, NextStep.record_id == invoice, NextStep.kind == "invoice_reminder")
    assert {step.at for step in shown} <= coming
    return coming


def due(till: Any, invoice: UUID, day: date) -> list[Mark]:
    with till.begin() as session:
        marks = read_month(session, day.replace(day=1), zone=PARIS, actor=till.actor("charlie"))
    return [one for one in marks if one.invoice_id == invoice and one.kind is MarkKind.DUE]


@pytest.mark.parametrize("amount", [None, TOTAL - 100])
def test_a_planned_payment_charges_what_is_not_disputed(till: Any, bill: Any, amount: int | None) -> None:
    invoice, lines = bill()
    planned = plan(till, invoice, amount)
    open_one(till, invoice, lines[1])
    assert advance_schedule(till.desk, planned.id, now=planned.charge_at) is None
    found = row(till, planned)
    made = till.rows(Payment, Payment.id == found.payment_id)[0]
    assert (found.status, made.amount, made.status) == (ScheduleStatus.STARTED, TOTAL - 5_900, "succeeded")


def test_it_ends_where_all_is_disputed(till: Any, bill: Any) -> None:
    invoice, _ = bill()
    planned = plan(till, invoice)
    open_one(till, invoice)
    assert advance_schedule(till.desk, planned.id, now=planned.charge_at) is None
    assert (row(till, planned).status, row(till, planned).code) == (ScheduleStatus.CANCELLED, "invoice_disputed")
    assert till.get_invoice(invoice).paid == 0


def test_own_reminders_stop_with_all_of_it_and_stay_with_the_rest(till: Any, bill: Any, charlie: Any) -> None:
    whole, _ = bill()
    part, lines = bill()
    with till.begin() as session:
        save_choice(session, Choice((-3,)), actor=charlie, now=till.now)
    at = own_time(till.get_invoice(part).due_at, -3)
    assert at in reminders(till, whole)
    dispute = open_one(till, whole)
    open_one(till, part, lines[0])
    assert (reminders(till, whole), at in reminders(till, part)) == (set(), True)
    with till.begin() as session:
        save_choice(session, Choice((-2,)), actor=charlie, now=till.now)
    assert (reminders(till, whole), at + DAY in reminders(till, part)) == (set(), True)
    withdraw(till, dispute)
    assert at + DAY in reminders(till, whole)


def test_own_reminders_follow_another_due_day_and_the_end_of_a_dispute(till: Any, bill: Any, charlie: Any) -> None:
    invoice, _ = bill()
    with till.begin() as session:
        save_choice(session, Choice((-3, 2)), actor=charlie, now=till.now)
    before = till.get_invoice(invoice)
    with till.begin() as session:
        locked = session.scalars(select(Invoice).where(Invoice.id == invoice).with_for_update()).one()
        move_due_day(session, locked, before.due_on + 10 * DAY, actor=till.actor("bill"), now=till.now)
    after = till.get_invoice(invoice)
    assert {own_time(after.due_at, -3), own_time(after.due_at, 2)} <= reminders(till, invoice)
    assert own_time(before.due_at, -3) not in reminders(till, invoice)
    with till.begin() as session:
        locked = session.scalars(select(Invoice).where(Invoice.id == invoice).with_for_update()).one()
        restart_dunning(session, locked, now=after.due_at + 40 * DAY)
    assert own_time(after.due_at, 42) in reminders(till, invoice)


def test_the_calendar_shows_what_is_due_and_when(till: Any, bill: Any) -> None:
    part, lines = bill()
    whole, _ = bill()
    open_one(till, part, lines[1])
    open_one(till, whole)
    day = till.get_invoice(part).due_on
    assert [(one.day, one.amount) for one in due(till, part, day)] == [(day, TOTAL - 5_900)]
    assert due(till, whole, day) == []


def test_what_may_be_paid_leaves_out_what_is_disputed(till: Any, bill: Any) -> None:
    (partly, lines), (whole, _) = bill(), bill()
    open_one(till, partly, lines[1])
    open_one(till, whole)
    with till.begin() as session:
        found = {one.id: available(one) for one in list_payable(session, actor=till.actor("charlie"), limit=1_000)}
    assert found[partly] == TOTAL - 5_900
    assert whole not in found
    with till.begin() as session:
        theirs = list_payable(session, actor=till.actor("alice"), limit=1_000)
    assert partly not in {one.id for one in theirs}
