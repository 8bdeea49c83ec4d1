"""Disputes: what is objected to is frozen and nothing else; opened and decided once, however many try."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, select

from portal.models import (
    AuditEntry,
    AutoPay,
    Dispute,
    Invoice,
    InvoiceStatus,
    MailMessage,
    Notification,
    OutboxEvent,
)
from portal.services.billing.crediting_amounts import net_of
from portal.services.billing.dunning import advance_invoice
from portal.services.billing.settings import load_settings
from portal.services.disputes.deciding import Decision, resolve_dispute, review_dispute, withdraw_dispute
from portal.services.disputes.letters import answer_dispute
from portal.services.disputes.opening import Objection, dispute_invoice, dispute_payment
from portal.services.disputes.queries import get_dispute, page_disputes
from portal.services.payments.agreement import Agreement, save_agreement
from portal.services.payments.auto_pay import advance_auto_pay
from tests.tills import BASE_URL
from tests.together import at_once, codes_of

DAY = timedelta(days=1)
# 183.33 and 18 percent of it, rounded for the document.
TOTAL = 21_633


def open_one(till: Any, invoice: Any, *lines: Any, who: str = "charlie", amount: int | None = None) -> Any:
    with till.begin() as session:
        objection = Objection("Twice on the bill", lines=dict.fromkeys(lines), amount=amount)
        return dispute_invoice(session, invoice, objection, actor=till.actor(who), now=till.now).id


def decide(till: Any, dispute: Any, accept: bool, amount: int | None = None, who: str = "bill") -> Any:
    with till.begin() as session:
        decision = Decision(accept, "We looked", amount)
        made = resolve_dispute(session, dispute, decision, base_url=BASE_URL, actor=till.actor(who), now=till.now)
        return made[1]


def withdraw(till: Any, dispute: Any, who: str = "charlie") -> None:
    with till.begin() as session:
        withdraw_dispute(session, dispute, actor=till.actor(who), now=till.now)


def of(till: Any, dispute: Any) -> Dispute:
    found: Dispute = till.rows(Dispute, Dispute.id == dispute)[0]
    return found


def test_a_line_alone_is_frozen(till: Any, bill: Any) -> None:
    invoice, lines = bill()
    dispute = open_one(till, invoice, lines[1])
    found = till.get_invoice(invoice)
    assert (found.status, found.disputed, found.outstanding) == (InvoiceStatus.DISPUTED, 5_900, TOTAL)
    assert (found.undisputed, of(till, dispute).amount) == (TOTAL - 5_900, 5_900)
    # What is left may be paid, what is disputed not.
    payment = till.start(invoice, who="charlie")
    assert till.payment(payment).amount == TOTAL - 5_900


def test_reminders_and_the_late_fee_are_about_the_rest(till: Any, bill: Any) -> None:
    with till.begin() as session:
        stored = load_settings(session, lock=True)
        before = (stored.late_fee_percent, stored.late_fee_after_days)
    till.settings(late_fee_percent=Decimal(10), late_fee_after_days=5)
    try:
        part, lines = bill()
        whole, _ = bill()
        open_one(till, part, lines[0])
        open_one(till, whole)
        due = till.get_invoice(part).due_at
        for invoice in (part, whole):
            with till.begin() as session:
                advance_invoice(session, invoice, cycle=0, now=due + 6 * DAY)
        fees = {fee.source_key: fee.total for fee in till.rows(Invoice, Invoice.source_key.startswith("late_fee:"))}
        assert fees[f"late_fee:{part}"] == round((TOTAL - 11_800) / 10)
        assert f"late_fee:{whole}" not in fees
        assert till.get_invoice(part).dunned["overdue"]
        assert not till.get_invoice(whole).dunned.get("overdue")
    finally:
        till.settings(late_fee_percent=before[0], late_fee_after_days=before[1])


def test_after_a_rejection_the_plan_begins_anew_and_nothing_is_caught_up_with(till: Any, bill: Any) -> None:
    till.settings(late_fee_percent=Decimal(10), late_fee_after_days=5)
    try:
        invoice, _ = bill()
        dispute = open_one(till, invoice)
        later = till.get_invoice(invoice).due_at + 40 * DAY
        with till.begin() as session:
            assert advance_invoice(session, invoice, cycle=0, now=later).at is None
        with till.begin() as session:
            decision = Decision(False, "It was delivered")
            resolve_dispute(session, dispute, decision, base_url=BASE_URL, actor=till.actor("bill"), now=later)
        with till.begin() as session:
            advance_invoice(session, invoice, cycle=0, now=later)
        assert till.get_invoice(invoice).status is InvoiceStatus.OVERDUE
        assert not till.rows(Invoice, Invoice.source_key == f"late_fee:{invoice}")
        with till.begin() as session:
            advance_invoice(session, invoice, cycle=0, now=later + 5 * DAY)
        assert till.rows(Invoice, Invoice.source_key == f"late_fee:{invoice}")
    finally:
        till.settings(late_fee_percent=Decimal(0), late_fee_after_days=0)


def test_auto_pay_charges_the_rest_and_later_what_was_set_free(till: Any, bill: Any) -> None:
    company = till.world.companies["globex"]
    try:
        invoice, lines = bill(days=0)
        with till.begin() as session:
            objection = Objection("Wrong", lines={lines[0]: None})
            dispute = dispute_invoice(session, invoice, objection, actor=till.actor("charlie"), now=till.now).id
        method = till.save_card("globex")
        with till.begin() as session:
            save_agreement(session, None, Agreement(True, method), actor=till.actor("charlie"), now=till.now)
        advance_auto_pay(till.desk, company, now=till.now)
        assert till.get_invoice(invoice).paid == TOTAL - 11_800
        decide(till, dispute, False)
        advance_auto_pay(till.desk, company, now=till.now)
        assert till.get_invoice(invoice).paid == TOTAL - 11_800
        advance_auto_pay(till.desk, company, now=till.now + 3 * DAY)
        assert (till.get_invoice(invoice).paid, till.get_invoice(invoice).status) == (TOTAL, InvoiceStatus.PAID)
    finally:
        with till.begin() as session:
            session.execute(delete(AutoPay).where(AutoPay.customer_id == company))


@pytest.mark.parametrize("accepted", [None, 1, 100, 5_899, 3_777])
def test_what_is_accepted_is_credited_to_the_cent(till: Any, bill: Any, accepted: int | None) -> None:
    invoice, lines = bill()
    dispute = open_one(till, invoice, lines[1])
    decide(till, dispute, True, accepted)
    found, row = till.get_invoice(invoice), of(till, dispute)
    assert (row.status, row.outcome, row.accepted) == ("resolved", "accepted", accepted or 5_900)
    assert (found.disputed, found.credited, found.status) == (0, accepted or 5_900, InvoiceStatus.OPEN)
    assert till.owed(invoice) == found.outstanding == TOTAL - (accepted or 5_900)
    assert till.get_invoice(row.credit_note_id).total == (accepted or 5_900)


def test_the_whole_of_a_paid_invoice_becomes_credit(till: Any, bill: Any) -> None:
    invoice, _ = bill()
    till.paid(invoice, who="charlie")
    cycle = till.get_invoice(invoice).cycle
    dispute = open_one(till, invoice)
    assert till.get_invoice(invoice).status is InvoiceStatus.DISPUTED
    decide(till, dispute, True)
    found = till.get_invoice(invoice)
    assert (found.status, found.paid, found.credited, found.cycle) == (InvoiceStatus.PAID, 0, TOTAL, cycle)
    events = till.rows(OutboxEvent, OutboxEvent.record_id == invoice, OutboxEvent.kind == "invoice.paid")
    assert len(events) == 1


def test_a_rejected_dispute_leaves_a_paid_invoice_paid(till: Any, bill: Any) -> None:
    invoice, _ = bill()
    till.paid(invoice, who="charlie")
    before = till.get_invoice(invoice)
    decide(till, open_one(till, invoice), False)
    after = till.get_invoice(invoice)
    assert (after.status, after.paid_at, after.cycle) == (InvoiceStatus.PAID, before.paid_at, before.cycle)


def test_an_accepted_dispute_of_a_payment_is_a_refund(till: Any, bill: Any, refused: Any) -> None:
    payment = till.paid(bill()[0], who="charlie")

    def dispute() -> Any:
        with till.begin() as session:
            made = dispute_payment(
                session, payment, Objection("Twice", amount=500), actor=till.actor("charlie"), now=till.now
            )
            return made.id

    made = dispute()
    assert refused(dispute) == "already_disputed"
    refund = decide(till, made, True)
    assert (refund.amount, refund.status) == (500, "approved")
    assert of(till, made).refund_id == refund.id


def test_who_may_and_what_is_refused(till: Any, bill: Any, refused: Any) -> None:
    invoice, lines = bill()
    assert refused(lambda: open_one(till, invoice, who="alice")) == "invoice_not_found"
    assert refused(lambda: open_one(till, invoice, uuid4())) == "unknown_choice"
    assert refused(lambda: open_one(till, invoice, amount=TOTAL + 1)) == "dispute_too_large"
    dispute = open_one(till, invoice, lines[0])
    assert refused(lambda: open_one(till, invoice, lines[0])) == "already_disputed"
    assert open_one(till, invoice, lines[2])
    assert refused(lambda: withdraw(till, dispute, "alice")) == "dispute_not_found"
    assert refused(lambda: decide(till, dispute, True, who="charlie")) == "not_allowed"
    assert refused(lambda: decide(till, dispute, True, who="sam")) == "not_allowed"
    assert refused(lambda: decide(till, dispute, True, 11_801)) == "accepted_too_large"
    with till.begin() as session:
        assert refused(lambda: get_dispute(session, dispute, actor=till.actor("alice"))) == "dispute_not_found"
        ids = {row.dispute.id for row in page_disputes(session, actor=till.actor("alice"), limit=100).items}
    assert dispute not in ids
    withdraw(till, dispute)
    assert refused(lambda: withdraw(till, dispute)) == "dispute_decided"
    assert refused(lambda: decide(till, dispute, False)) == "dispute_decided"
    assert till.get_invoice(invoice).disputed == 3_933


def test_two_tabs_open_one_dispute(till: Any, bill: Any) -> None:
    invoice, lines = bill()
    codes = codes_of(at_once(6, lambda _: open_one(till, invoice, lines[0])))
    assert sorted(codes) == ["already_disputed"] * 5 + ["ok"]
    assert till.get_invoice(invoice).disputed == 11_800


def test_of_many_decisions_one_wins(till: Any, bill: Any) -> None:
    invoice, lines = bill()
    dispute = open_one(till, invoice, lines[0])
    codes = codes_of(at_once(6, lambda at: decide(till, dispute, at % 2 == 0)))
    assert sorted(codes) == ["dispute_decided"] * 5 + ["ok"]
    assert till.get_invoice(invoice).credited in (0, 11_800)
    assert till.get_invoice(invoice).disputed == 0


def test_it_is_audited_told_once_and_mailed_in_words(till: Any, bill: Any) -> None:
    invoice, _ = bill()
    dispute = open_one(till, invoice)
    with till.begin() as session:
        review_dispute(session, dispute, actor=till.actor("bill"), now=till.now)
    decide(till, dispute, False)
    actions = [row.action for row in till.rows(AuditEntry, AuditEntry.record_id == dispute)]
    assert sorted(actions) == ["dispute.opened", "dispute.resolved", "dispute.under_review"]
    for event in till.rows(OutboxEvent, OutboxEvent.record_id == dispute):
        for _ in range(2):
            with till.begin() as session:
                assert answer_dispute(session, event.id, base_url=BASE_URL, now=till.now)
    told = {(row.user_id, row.kind) for row in till.rows(Notification, Notification.record_id == dispute)}
    people = till.world.people
    assert (people["bill"].user_id, "dispute_opened") in told
    assert (people["charlie"].user_id, "dispute_resolved") in told
    assert not {user for user, _ in told} & {people[name].user_id for name in ("alice", "sam")}
    number = till.get_invoice(invoice).number
    mails = till.rows(MailMessage, MailMessage.template == "dispute_resolved", MailMessage.subject.contains(number))
    assert [mail.recipient for mail in mails] == ["charlie@globex.example"]
    assert "We looked" in mails[0].text
    assert f"/portal/disputes/{dispute}" in mails[0].text


@pytest.mark.parametrize("rate", [Decimal(0), Decimal(18), Decimal("5.5"), Decimal(20)])
def test_a_net_amount_never_exceeds_its_gross(rate: Decimal) -> None:
    for gross in (1, 2, 99, 100, 5_899, 123_457):
        net = net_of(gross, rate)
        assert net + round(net * rate / 100) <= gross
        assert gross - net - round(net * rate / 100) <= 2


def test_nobody_else_can_see_the_words(till: Any, bill: Any) -> None:
    dispute = open_one(till, bill()[0])
    with till.desk.sessions.begin(till.world.nova) as session:
        assert session.scalar(select(Dispute.id).where(Dispute.id == dispute)) is None
