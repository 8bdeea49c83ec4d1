"""Giving up what is owed: within the limit alone, above it by two, and never more than is owed."""

from typing import Any
from uuid import uuid4

import pytest

from portal.models import AuditEntry, LedgerEntry, Notification, WriteOff
from portal.services.billing.voiding import void_invoice
from portal.services.payments.write_offs import (
    WriteOffRequest,
    decide_write_off,
    get_write_off,
    list_write_offs,
    request_write_off,
)
from tests.together import at_once, codes_of


@pytest.fixture
def ask(till: Any) -> Any:
    """Ask for a write-off, as bill unless said."""

    def call(invoice: Any, amount: int | None = None, who: str = "bill", reason: str = "Insolvent") -> WriteOff:
        with till.begin() as session:
            request = WriteOffRequest(reason, amount)
            return request_write_off(session, invoice, request, actor=till.actor(who), now=till.now)

    return call


@pytest.fixture
def decide(till: Any) -> Any:
    """Decide about one, as ada unless said."""

    def call(write_off: WriteOff, approve: bool = True, who: str = "ada") -> WriteOff:
        with till.begin() as session:
            return decide_write_off(session, write_off.id, approve=approve, actor=till.actor(who), now=till.now)

    return call


def entries(till: Any, invoice: Any) -> list[tuple[str, int]]:
    rows = till.rows(LedgerEntry, LedgerEntry.invoice_id == invoice)
    return [(row.kind.value, row.amount) for row in sorted(rows, key=lambda row: row.seq)]


def test_a_rest_is_written_off_at_once_within_the_limit(till: Any, ask: Any) -> None:
    invoice = till.invoice(10000)
    till.paid(invoice, amount=9000)
    assert ask(invoice).status == "done"
    found = till.get_invoice(invoice)
    assert (found.status, found.paid, found.credited, till.owed(invoice)) == ("paid", 9000, 1000, 0)
    assert entries(till, invoice)[-1] == ("written_off", -1000)
    kinds = [row.action for row in till.rows(AuditEntry, AuditEntry.record_id == invoice)]
    assert "invoice.written_off" in kinds


def test_above_the_limit_a_second_person_agrees(till: Any, ask: Any, decide: Any, refused: Any) -> None:
    till.settings(four_eyes_over=2000)
    invoice = till.invoice(5000)
    made = ask(invoice)
    assert (made.status, till.owed(invoice)) == ("requested", 5000)
    told = {row.user_id for row in till.rows(Notification, Notification.record_id == invoice)}
    assert till.world.people["ada"].user_id in told
    assert till.world.people["bill"].user_id not in told
    assert refused(lambda: ask(invoice, 100)) == "write_off_waits"
    assert refused(lambda: decide(made, who="bill")) == "write_off_own"
    assert decide(made).status == "done"
    assert (till.get_invoice(invoice).status, till.owed(invoice)) == ("paid", 0)
    assert refused(lambda: decide(made)) == "write_off_decided"


def test_slices_do_not_pass_under_the_limit(till: Any, ask: Any) -> None:
    till.settings(four_eyes_over=2000)
    invoice = till.invoice(5000)
    assert ask(invoice, 1500).status == "done"
    assert ask(invoice, 600).status == "requested"


def test_a_refusal_leaves_everything(till: Any, ask: Any, decide: Any) -> None:
    till.settings(four_eyes_over=0)
    invoice = till.invoice(5000)
    assert decide(ask(invoice), approve=False).status == "refused"
    assert (till.get_invoice(invoice).credited, till.owed(invoice)) == (0, 5000)
    assert ask(invoice, 100).status == "requested"


def test_what_was_paid_meanwhile_is_not_given_up(till: Any, ask: Any, decide: Any, refused: Any) -> None:
    till.settings(four_eyes_over=0)
    invoice = till.invoice(5000)
    made = ask(invoice)
    till.paid(invoice, amount=4000)
    assert refused(lambda: decide(made)) == "write_off_too_large"
    assert till.owed(invoice) == 1000
    assert decide(made, approve=False).status == "refused"


def test_what_is_refused(till: Any, ask: Any, refused: Any) -> None:
    invoice, void, paid = till.invoice(5000), till.invoice(), till.invoice(100)
    with till.begin() as session:
        void_invoice(session, void, reason="wrong", actor=till.actor("bill"), now=till.now)
    till.paid(paid)
    for amount in (0, -1, 5001):
        assert refused(lambda amount=amount: ask(invoice, amount)) == "write_off_too_large"
    assert refused(lambda: ask(invoice, reason=" ")) == "required"
    assert refused(lambda: ask(uuid4())) == "invoice_not_found"
    for other in (void, paid):
        assert refused(lambda other=other: ask(other)) == "invoice_not_writable_off"
    till.start(invoice)
    assert refused(lambda: ask(invoice)) == "payment_under_way"


def test_outsiders(till: Any, ask: Any, decide: Any, refused: Any) -> None:
    till.settings(four_eyes_over=0)
    invoice = till.invoice(5000)
    for who in ("sam", "mia", "dora", "alice"):
        assert refused(lambda who=who: ask(invoice, who=who)) == "not_allowed"
    made = ask(invoice)
    for who in ("sam", "mia"):
        assert refused(lambda who=who: decide(made, who=who)) == "not_allowed"
    with till.begin() as session:
        assert [row.id for row in list_write_offs(session, invoice, actor=till.actor("sam"))] == [made.id]
        assert refused(lambda: list_write_offs(session, invoice, actor=till.actor("alice"))) == "not_allowed"
    with till.desk.sessions.begin(till.world.nova) as session:
        assert refused(lambda: get_write_off(session, made.id, actor=till.actor("noor"))) == "write_off_not_found"


def test_many_at_once_give_up_no_more_than_is_owed(till: Any, ask: Any) -> None:
    invoice = till.invoice(5000)
    codes = codes_of(at_once(8, lambda _: ask(invoice, 2000)))
    assert codes.count("ok") == 2
    assert (till.get_invoice(invoice).credited, till.owed(invoice)) == (4000, 1000)
