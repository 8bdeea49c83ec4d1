"""Statements are stored once per entry, whatever is read how often and by how many."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from portal.lib.bank_csv import CsvMapping
from portal.models import AuditEntry, BankStatement, BankTransaction, OutboxEvent
from portal.services.banking.importing import discard_statement, preview_table, read_table
from tests.statements import IBAN, camt, entry, table
from tests.together import at_once


def test_a_statement_is_read_and_noted(bank: Any) -> None:
    found = bank.read(camt(entry("10.00"), entry("20.00"), entry(side="DBIT")))
    assert (found.added, found.known, found.passed_over, found.content) == (2, 0, 1, None)
    assert sorted(row.amount for row in bank.of(found.id)) == [1000, 2000]
    [event] = bank.till.rows(OutboxEvent, OutboxEvent.record_id == found.id)
    assert (event.kind, event.payload) == ("bank_statement.imported", {"added": 2, "known": 0})
    [note] = bank.till.rows(AuditEntry, AuditEntry.record_id == found.id)
    assert note.actor_name == "Bill Hartmann"


def test_overlapping_files_book_nothing_twice(bank: Any) -> None:
    same = {"day": "2026-03-02", "reference": "", "text": uuid4().hex}
    first, second, third = entry("5.00", **same), entry("6.00"), entry("7.00")
    assert bank.read(camt(first, first, second)).added == 3
    later = bank.read(camt(second, first, first, third))
    assert (later.added, later.known) == (1, 3)
    # The same entry in two statements of one file.
    assert bank.read(camt(third, third)).added == 0


def test_the_same_file_ten_times_at_once(bank: Any) -> None:
    content = camt(*(entry(f"{n}.00") for n in range(1, 6)))
    found = at_once(10, lambda _: bank.read(content))
    assert sorted(one.added for one in found) == [0] * 9 + [5]
    ids = [one.id for one in found]
    assert len(bank.till.rows(BankTransaction, BankTransaction.statement_id.in_(ids))) == 5


def test_the_same_money_on_two_accounts_is_two_transfers(bank: Any) -> None:
    one = entry("5.00")
    assert bank.read(camt(one)).added == 1
    assert bank.read(camt(one, account="FR7630006000011234567890189")).added == 1


def test_what_is_no_statement_leaves_nothing(bank: Any, refused: Any) -> None:
    head = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    before = len(bank.till.rows(BankStatement))
    for content, code in (
        (camt(entry(text="&f;"), head=head), "statement_has_dtd"),
        (camt(entry("5.00"), entry("x")), "statement_amount_invalid"),
        (b"just text", "statement_no_table"),
        (b"", "statement_no_table"),
    ):
        assert refused(lambda content=content: bank.read(content)) == code
    assert len(bank.till.rows(BankStatement)) == before


def test_who_may_read_statements(bank: Any, refused: Any) -> None:
    for who in ("sam", "mia", "dora", "alice"):
        assert refused(lambda who=who: bank.read(camt(entry()), who)) == "not_allowed"


@pytest.fixture
def held(bank: Any) -> UUID:
    """A table that waits for the meaning of its columns."""
    rows = [
        ("02.03.2026", "1.234,50", "EUR", "Acme SAS", "FR14 2004", "INV-1", uuid4().hex),
        ("03.03.2026", "-5,00", "EUR", "Bank", "", "Fee", uuid4().hex),
        ("04.03.2026", "20,00", "USD", "Globex", "", "INV-2", uuid4().hex),
    ]
    found = bank.read(table(rows))
    assert (found.format, found.finished_at, found.added) == ("csv", None, 0)
    return found.id


def test_a_table_is_stored_once_its_columns_are_known(bank: Any, held: UUID, refused: Any) -> None:
    actor, now = bank.till.actor("bill"), bank.till.now
    with bank.till.begin() as session:
        _, rows, guessed = preview_table(session, held, actor=actor)
        assert (len(rows), guessed.amount_format, guessed.date_format) == (4, "comma", "dot")

    def read(**changes: Any) -> BankStatement:
        with bank.till.begin() as session:
            mapping = replace(guessed, **{"account": IBAN} | changes)
            return read_table(session, held, mapping, actor=actor, now=now)

    assert refused(lambda: read(account=" ")) == "account_needed"
    assert refused(lambda: read(amount=None)) == "column_needed"
    assert refused(lambda: read(payer_name=7)) == "unknown_choice"
    assert refused(lambda: read(currency="XXX")) == "unknown_choice"
    assert refused(lambda: read(amount_format="point")) == "statement_amount_invalid_at"
    done = read()
    assert (done.added, done.passed_over, done.content) == (2, 1, None)
    assert {(row.amount, row.currency) for row in bank.of(held)} == {(123_450, "EUR"), (2_000, "USD")}
    assert refused(read) == "statement_read_already"


def test_ten_read_a_table_at_once_and_one_stores_it(bank: Any, held: UUID) -> None:
    mapping = CsvMapping(0, 1, IBAN, "EUR", "dot", "comma", currency_column=2, bank_reference=6)

    def read(_: int) -> str:
        with bank.till.begin() as session:
            read_table(session, held, mapping, actor=bank.till.actor("bill"), now=bank.till.now)
        return "ok"

    results = at_once(10, read)
    assert results.count("ok") == 1
    assert len(bank.of(held)) == 2


def test_the_next_table_of_the_bank_needs_no_meaning_again(bank: Any, held: UUID) -> None:
    actor, now = bank.till.actor("bill"), bank.till.now
    wanted = CsvMapping(0, 1, IBAN, "EUR", "dot", "comma", currency_column=2, remittance=4)
    with bank.till.begin() as session:
        read_table(session, held, wanted, actor=actor, now=now)
    again = bank.read(table([("05.03.2026", "1,00", "EUR", "", "", "", "")]))
    with bank.till.begin() as session:
        assert preview_table(session, again.id, actor=actor)[2] == wanted
        discard_statement(session, again.id, actor=actor, now=now)
    assert bank.till.rows(BankStatement, BankStatement.id == again.id)[0].finished_at is not None
