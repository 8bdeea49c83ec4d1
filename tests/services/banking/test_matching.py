"""A transfer becomes one payment through the same ledger as every other, and goes back by entries alone."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.models import AuditEntry, BankMatch, LedgerEntry, MailMessage, Notification, OutboxEvent, PaymentAllocation
from portal.services.banking.matching import set_aside, take_back
from portal.services.banking.queries import TransferFilter, get_transfer, list_transfers
from portal.services.billing.voiding import void_invoice
from tests.together import at_once, codes_of


def test_a_transfer_pays_an_invoice_and_the_customer_is_told(bank: Any) -> None:
    till = bank.till
    invoice, transfer = till.invoice(12000), bank.transfer("120.00")
    match = bank.match(transfer, invoice)
    payment = till.payment(match.payment_id)
    assert (payment.kind, payment.status, payment.amount) == ("transfer", "succeeded", 12000)
    found = till.get_invoice(invoice)
    assert (found.status, found.paid, till.owed(invoice)) == ("paid", 12000, 0)
    assert till.entries(payment.id) == [("paid", -12000)]
    assert bank.get(transfer).status == "matched"
    kinds = [row.kind for row in till.rows(OutboxEvent, OutboxEvent.record_id.in_([payment.id, transfer]))]
    assert sorted(kinds) == ["bank_transaction.matched", "payment.succeeded"]
    mails = till.rows(MailMessage, MailMessage.template == "payment_received")
    [mail] = [one for one in mails if payment.number in one.text]
    assert mail.recipient == "alice@acme.example"
    assert "payment_received" in [row.kind for row in till.rows(Notification, Notification.record_id == payment.id)]
    [note] = till.rows(AuditEntry, AuditEntry.record_id == transfer)
    assert (note.actor_name, note.after["payment"]) == ("Bill Hartmann", payment.number)


def test_part_payments_overpayments_and_splits(bank: Any) -> None:
    till = bank.till
    whole, part = till.invoice(5000, days=3), till.invoice(9000, days=9)
    first = bank.match(bank.transfer("80.00"), whole, part)
    assert till.entries(first.payment_id) == [("paid", -5000), ("paid", -3000)]
    assert (till.get_invoice(part).status, till.owed(part)) == ("open", 6000)
    second = bank.match(bank.transfer("75.00"), part)
    assert till.entries(second.payment_id) == [("paid", -6000), ("credit_added", -1500)]
    bells = [row.kind for row in till.rows(Notification, Notification.record_id == second.payment_id)]
    assert "payment_excess" in bells


def test_amounts_can_be_named_and_the_rest_is_credit(bank: Any) -> None:
    till = bank.till
    one, two = till.invoice(5000), till.invoice(5000)
    match = bank.match(bank.transfer("70.00"), amounts={one: 4000, two: 1000})
    assert sorted(till.entries(match.payment_id)) == [("credit_added", -2000), ("paid", -4000), ("paid", -1000)]
    ahead = bank.match(bank.transfer("9.00"), customer_id=till.world.companies["globex"])
    assert till.entries(ahead.payment_id) == [("credit_added", -900)]
    assert till.payment(ahead.payment_id).customer_id == till.world.companies["globex"]


def test_what_is_refused(bank: Any, refused: Any) -> None:
    till = bank.till
    invoice, foreign, void = till.invoice(5000), till.invoice(5000, company="globex"), till.invoice()
    with till.begin() as session:
        void_invoice(session, void, reason="wrong", actor=till.actor("bill"), now=till.now)
    transfer = bank.transfer("60.00")
    cases = {
        "amount_not_due": {"amounts": {invoice: 5001}},
        "more_than_came": {"amounts": {invoice: 5000, till.invoice(5000): 5000}},
        "invoices_differ": {"amounts": {invoice: 1000, foreign: 1000}},
        "invoice_not_payable": {"amounts": {void: 100}},
        "invoice_not_found": {"amounts": {uuid4(): 100}},
        "transfer_customer_needed": {},
        "company_not_found": {"customer_id": uuid4()},
    }
    for code, given_ in cases.items():
        assert refused(lambda given_=given_: bank.match(transfer, **given_)) == code
    for amount in (0, -1):
        assert refused(lambda amount=amount: bank.match(transfer, amounts={invoice: amount})) == "amount_not_due"
    assert refused(lambda: bank.match(uuid4(), invoice)) == "bank_transaction_not_found"
    dollars = bank.transfer("50.00", currency="USD")
    assert refused(lambda: bank.match(dollars, invoice)) == "invoices_differ"
    assert (bank.get(transfer).status, till.get_invoice(invoice).paid) == ("unmatched", 0)


def test_outsiders_match_and_see_nothing(bank: Any, refused: Any) -> None:
    till = bank.till
    invoice, transfer = till.invoice(), bank.transfer()
    for who in ("sam", "mia", "dora", "alice"):
        assert refused(lambda who=who: bank.match(transfer, invoice, who=who)) == "not_allowed"
        assert refused(lambda who=who: bank.undo(transfer, who=who)) == "not_allowed"
    with till.begin() as session:
        assert get_transfer(session, transfer, actor=till.actor("sam")).transfer.id == transfer
    with till.desk.sessions.begin(till.world.nova) as session:
        assert (
            refused(lambda: get_transfer(session, transfer, actor=till.actor("noor"))) == "bank_transaction_not_found"
        )
        listed = list_transfers(session, TransferFilter(limit=100), actor=till.actor("noor"))
        assert transfer not in [one.id for one in listed.items]
    for who in ("dora", "alice"):
        with till.begin() as session:
            assert refused(lambda who=who: get_transfer(session, transfer, actor=till.actor(who))) == "not_allowed"


def test_ten_people_match_one_transfer(bank: Any) -> None:
    till = bank.till
    invoices, transfer = [till.invoice(12000) for _ in range(10)], bank.transfer("120.00")
    codes = codes_of(at_once(10, lambda n: bank.match(transfer, invoices[n])))
    assert sorted(codes) == ["ok"] + ["transfer_decided"] * 9
    assert sum(till.get_invoice(one).paid for one in invoices) == 12000
    assert len(till.rows(BankMatch, BankMatch.transaction_id == transfer)) == 1


def test_ten_transfers_meet_one_invoice(bank: Any) -> None:
    till = bank.till
    invoice = till.invoice(30000)
    transfers = [bank.transfer("100.00") for _ in range(10)]
    results = at_once(10, lambda n: bank.match(transfers[n], amounts={invoice: 10000}))
    assert sum(isinstance(one, BankMatch) for one in results) == 3
    found = till.get_invoice(invoice)
    assert (found.status, found.paid, till.owed(invoice)) == ("paid", 30000, 0)


def test_undoing_reverses_every_entry(bank: Any) -> None:
    till = bank.till
    one, two, transfer = till.invoice(5000, days=2), till.invoice(4000, days=4), bank.transfer("100.00")
    match = bank.match(transfer, one, two)
    bank.undo(transfer)
    assert till.entries(match.payment_id) == [
        *[("paid", -5000), ("paid", -4000), ("credit_added", -1000)],
        *[("restored", 1000), ("restored", 4000), ("restored", 5000)],
    ]
    payment = till.payment(match.payment_id)
    assert (payment.status, payment.refunded) == ("cancelled", 10000)
    for invoice in (one, two):
        found = till.get_invoice(invoice)
        assert (found.status, found.paid, till.owed(invoice)) == ("open", 0, found.total)
    mails = till.rows(MailMessage, MailMessage.template == "payment_reversed")
    assert len([mail for mail in mails if payment.number in mail.text]) == 1
    assert bank.get(transfer).status == "unmatched"
    again = bank.match(transfer, two)
    assert (till.get_invoice(two).paid, again.payment_id != match.payment_id) == (4000, True)
    with till.begin() as session:
        detail = get_transfer(session, transfer, actor=till.actor("bill"))
        assert [row.match.undone_reason for row in detail.matches if row.match.undone_at] == ["Wrong customer"]
        assert detail.standing is not None


def test_a_match_is_undone_once(bank: Any, refused: Any) -> None:
    till = bank.till
    invoice, transfer = till.invoice(5000), bank.transfer("50.00")
    assert refused(lambda: bank.undo(transfer)) == "transfer_not_matched"
    bank.match(transfer, invoice)
    assert refused(lambda: bank.undo(transfer, reason=" ")) == "required"
    codes = codes_of(at_once(8, lambda _: bank.undo(transfer)))
    assert sorted(codes) == ["ok"] + ["transfer_not_matched"] * 7
    assert (till.get_invoice(invoice).paid, till.owed(invoice)) == (0, 5000)


def test_what_is_no_payment_is_set_aside_and_taken_back(bank: Any, refused: Any) -> None:
    till = bank.till
    transfer, actor, now = bank.transfer(), till.actor("bill"), till.now
    with till.begin() as session:
        assert set_aside(session, transfer, "Interest", actor=actor, now=now).note == "Interest"
    assert refused(lambda: bank.match(transfer, till.invoice())) == "transfer_decided"
    with till.begin() as session:
        take_back(session, transfer, actor=actor, now=now)
    bank.match(transfer, till.invoice())
    with till.begin() as session:
        assert refused(lambda: take_back(session, transfer, actor=actor, now=now)) == "transfer_decided"


def test_the_list_is_walked_and_narrowed(bank: Any) -> None:
    word = uuid4().hex
    days = [(bank.till.now - timedelta(days=n)).date().isoformat() for n in range(3)]
    ids = [bank.transfer("1.00", day=day, text=word) for day in days]
    found, cursor = [], None
    with bank.till.begin() as session:
        for _ in range(3):
            wanted = TransferFilter(q=word[:20], limit=1, cursor=cursor)
            page = list_transfers(session, wanted, actor=bank.till.actor("sam"))
            found += [one.id for one in page.items]
            cursor = page.next_cursor
    assert (found, cursor) == (ids, None)


@pytest.mark.parametrize("undo", [False, True])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    came=st.integers(1, 30_000),
    owed=st.lists(st.integers(1, 12_000), min_size=1, max_size=3),
    wanted=st.lists(st.one_of(st.none(), st.integers(1, 6_000)), min_size=3, max_size=3),
)
def test_nothing_is_lost_or_made(bank: Any, undo: bool, came: int, owed: list[int], wanted: list[int | None]) -> None:
    """Allocations and credit are what came; 0 ≤ paid ≤ total; the ledger says what the invoices say."""
    till = bank.till
    invoices = [till.invoice(amount, days=n) for n, amount in enumerate(owed, 1)]
    asked = {one: min(want, total) if want else None for one, want, total in zip(invoices, wanted, owed, strict=False)}
    transfer = bank.transfer(f"{came / 100:.2f}")
    [result] = at_once(1, lambda _: bank.match(transfer, amounts=asked))
    if not isinstance(result, BankMatch):
        # Nothing was left for an invoice, or more was asked for than came.
        assert all(till.get_invoice(one).paid == 0 for one in invoices)
        return
    booked = till.rows(PaymentAllocation, PaymentAllocation.payment_id == result.payment_id)
    entries = till.rows(LedgerEntry, LedgerEntry.payment_id == result.payment_id)
    credit = -sum(one.amount for one in entries if one.kind == "credit_added")
    assert sum(one.booked for one in booked) + credit == came
    assert credit >= 0
    if undo:
        bank.undo(transfer)
        assert sum(one.amount for one in till.rows(LedgerEntry, LedgerEntry.payment_id == result.payment_id)) == 0
    for invoice in invoices:
        found = till.get_invoice(invoice)
        assert 0 <= found.paid <= found.total
        assert till.owed(invoice) == found.outstanding
        assert not undo or found.paid == 0
