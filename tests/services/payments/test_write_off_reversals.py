"""Taking back a write-off: by an entry of its own, within the limit alone, above it by two, and once."""

from datetime import timedelta
from typing import Any

import pytest

from portal.models import AuditEntry, AutoPayAttempt, LedgerEntry, Notification, OutboxEvent, WriteOff
from portal.services.billing.dunning import advance_invoice
from portal.services.payments.write_offs import (
    WriteOffRequest,
    decide_write_off,
    list_waiting,
    request_reversal,
    request_write_off,
)
from tests.together import at_once, codes_of


@pytest.fixture
def give_up(till: Any) -> Any:
    """Write off, as bill."""

    def call(invoice: Any, amount: int | None = None) -> WriteOff:
        with till.begin() as session:
            request = WriteOffRequest("Insolvent", amount)
            return request_write_off(session, invoice, request, actor=till.actor("bill"), now=till.now)

    return call


@pytest.fixture
def take_back(till: Any) -> Any:
    """Take a write-off back, as bill unless said."""

    def call(write_off: WriteOff, who: str = "bill", reason: str = "They paid after all", later: int = 0) -> WriteOff:
        with till.begin() as session:
            now = till.now + timedelta(days=later)
            return request_reversal(session, write_off.id, reason=reason, actor=till.actor(who), now=now)

    return call


@pytest.fixture
def decide(till: Any) -> Any:
    def call(found: WriteOff, approve: bool = True, who: str = "ada") -> WriteOff:
        with till.begin() as session:
            return decide_write_off(session, found.id, approve=approve, actor=till.actor(who), now=till.now)

    return call


def entries(till: Any, invoice: Any) -> list[tuple[str, int]]:
    rows = till.rows(LedgerEntry, LedgerEntry.invoice_id == invoice)
    return [(row.kind.value, row.amount) for row in sorted(rows, key=lambda row: row.seq)]


def row_of(till: Any, found: WriteOff) -> tuple[Any, ...]:
    (row,) = till.rows(WriteOff, WriteOff.id == found.id)
    return tuple(getattr(row, column.key) for column in WriteOff.__table__.columns)


def test_what_was_given_up_is_owed_again_by_an_entry_of_its_own(till: Any, give_up: Any, take_back: Any) -> None:
    invoice = till.invoice(10000)
    till.paid(invoice, amount=9000)
    first = give_up(invoice)
    posted, kept = entries(till, invoice), row_of(till, first)
    made = take_back(first)
    assert (made.status, made.reverses_id, made.amount) == ("done", first.id, 1000)
    found = till.get_invoice(invoice)
    assert (found.status, found.paid, found.credited, found.outstanding) == ("open", 9000, 0, 1000)
    assert till.owed(invoice) == 1000
    assert entries(till, invoice) == [*posted, ("write_off_reversed", 1000)]
    assert row_of(till, first) == kept
    (entry,) = till.rows(AuditEntry, AuditEntry.action == "invoice.write_off_reversed", AuditEntry.record_id == invoice)
    assert entry.after == {"amount": 1000, "reason": "They paid after all"}
    assert till.rows(OutboxEvent, OutboxEvent.kind == "invoice.write_off_reversed", OutboxEvent.record_id == invoice)
    till.paid(invoice)
    assert till.get_invoice(invoice).status == "paid"


def test_above_the_limit_a_second_person_agrees(
    till: Any, give_up: Any, take_back: Any, decide: Any, refused: Any
) -> None:
    invoice = till.invoice(5000)
    first = give_up(invoice)
    till.settings(four_eyes_over=2000)
    made = take_back(first)
    assert (made.status, till.owed(invoice)) == ("requested", 0)
    told = {row.user_id: row.kind for row in till.rows(Notification, Notification.record_id == invoice)}
    assert told[till.world.people["ada"].user_id] == "invoice_reversal_waiting"
    assert till.world.people["bill"].user_id not in told
    with till.begin() as session:
        assert made.id in {one.write_off.id for one in list_waiting(session, actor=till.actor("sam"))}
    assert refused(lambda: decide(made, who="bill")) == "write_off_own"
    assert refused(lambda: take_back(first)) == "write_off_not_reversible"
    assert decide(made).status == "done"
    assert (till.get_invoice(invoice).status, till.owed(invoice)) == ("open", 5000)
    assert refused(lambda: decide(made)) == "write_off_decided"


def test_slices_do_not_pass_under_the_limit(till: Any, give_up: Any, take_back: Any) -> None:
    till.settings(four_eyes_over=2000)
    invoice = till.invoice(5000)
    first, second = give_up(invoice, 1500), give_up(invoice, 500)
    till.settings(four_eyes_over=1700)
    assert take_back(first).status == "done"
    assert take_back(second).status == "requested"


def test_what_is_taken_back_is_given_up_no_more(till: Any, give_up: Any, take_back: Any) -> None:
    till.settings(four_eyes_over=2000)
    invoice = till.invoice(5000)
    take_back(give_up(invoice, 1500))
    # What counts towards the limit of a new write-off is what is given up now.
    assert give_up(invoice, 2000).status == "done"


def test_a_refusal_leaves_everything_and_may_be_asked_again(
    till: Any, give_up: Any, take_back: Any, decide: Any
) -> None:
    invoice = till.invoice(5000)
    first = give_up(invoice)
    till.settings(four_eyes_over=0)
    assert decide(take_back(first), approve=False).status == "refused"
    assert (till.get_invoice(invoice).credited, till.owed(invoice)) == (5000, 0)
    assert decide(take_back(first)).status == "done"
    assert till.owed(invoice) == 5000


def test_what_cannot_be_taken_back(till: Any, give_up: Any, take_back: Any, decide: Any, refused: Any) -> None:
    invoice, waiting = till.invoice(5000), till.invoice(5000)
    first = give_up(invoice, 1000)
    other = give_up(invoice, 500)
    assert refused(lambda: take_back(first, reason=" ")) == "required"
    made = take_back(first)
    assert refused(lambda: take_back(first)) == "write_off_not_reversible"
    assert refused(lambda: take_back(made)) == "write_off_not_reversible"
    till.settings(four_eyes_over=0)
    asked = give_up(waiting)
    assert refused(lambda: take_back(asked)) == "write_off_not_reversible"
    assert refused(lambda: take_back(decide(asked, approve=False))) == "write_off_not_reversible"
    give_up(invoice, 100)
    assert refused(lambda: take_back(other)) == "write_off_waits"


def test_outsiders(till: Any, give_up: Any, take_back: Any, refused: Any) -> None:
    first = give_up(till.invoice(5000))
    for who in ("sam", "mia", "dora", "alice"):
        assert refused(lambda who=who: take_back(first, who=who)) == "not_allowed"

    def elsewhere() -> None:
        with till.desk.sessions.begin(till.world.nova) as session:
            request_reversal(session, first.id, reason="x", actor=till.actor("noor"), now=till.now)

    assert refused(elsewhere) == "write_off_not_found"


def test_thirty_at_once_take_it_back_once(till: Any, give_up: Any, take_back: Any) -> None:
    invoice = till.invoice(5000)
    first = give_up(invoice, 2000)
    codes = codes_of(at_once(30, lambda _: take_back(first)))
    assert codes.count("ok") == 1
    assert set(codes) == {"ok", "write_off_not_reversible"}
    found = till.get_invoice(invoice)
    assert (found.credited, found.outstanding, till.owed(invoice)) == (0, 5000, 5000)


def test_a_crash_leaves_everything(till: Any, give_up: Any) -> None:
    invoice = till.invoice(5000)
    first = give_up(invoice)
    with pytest.raises(RuntimeError, match="power"), till.begin() as session:
        request_reversal(session, first.id, reason="x", actor=till.actor("bill"), now=till.now)
        session.flush()
        raise RuntimeError("power")
    assert (till.owed(invoice), till.rows(WriteOff, WriteOff.reverses_id == first.id)) == (0, [])


def test_nobody_is_charged_for_the_days_in_between(till: Any, give_up: Any, take_back: Any) -> None:
    invoice = till.invoice(5000, days=1)
    first = give_up(invoice)
    take_back(first, later=40)
    found = till.get_invoice(invoice)
    assert found.status == "overdue"
    assert found.dunning_from == till.now + timedelta(days=40)
    (attempt,) = till.rows(AutoPayAttempt, AutoPayAttempt.invoice_id == invoice)
    assert attempt.next_at == till.now + timedelta(days=43)
    with till.begin() as session:
        advance_invoice(session, invoice, cycle=found.cycle, now=till.now + timedelta(days=40))
    assert till.get_invoice(invoice).outstanding == 5000
