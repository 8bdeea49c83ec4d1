"""Statements as tables: columns, days and amounts in the forms that banks use, and tables that are none."""

from dataclasses import replace
from datetime import date

import pytest

from portal.lib.bank_csv import LARGEST_FILE, CsvMapping, decode, guess_mapping, read_entries, read_rows
from portal.lib.bank_entries import BankEntry, StatementRefused
from tests.statements import IBAN, table

ROW = ("02.03.2026", "1.234,50", "EUR", "Acme SAS", "FR14 2004", "INV-1", "R1")
PLAIN = CsvMapping(0, 1, IBAN, "EUR", has_header=False, remittance=2)


def entries(content: bytes, **changes: object) -> list[BankEntry]:
    rows = read_rows(decode(content))
    mapping = replace(guess_mapping(rows, account=IBAN, currency="EUR"), **changes)  # type: ignore[arg-type]
    return read_entries(rows, mapping).credits


def code_of(call: object) -> tuple[str, int | None]:
    with pytest.raises(StatementRefused) as caught:
        call()  # type: ignore[operator]
    return caught.value.code, caught.value.line


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_table_is_read_by_the_names_of_its_columns(delimiter: str) -> None:
    [one] = entries(table([ROW], delimiter))
    assert (one.booked_on, one.amount, one.currency) == (date(2026, 3, 2), 123_450, "EUR")
    assert (one.payer_name, one.payer_account, one.remittance) == ("Acme SAS", "FR142004", "INV-1")
    assert (one.bank_reference, one.account) == ("R1", IBAN)


def test_old_encodings_and_marks_are_read() -> None:
    content = table([ROW])
    wanted = entries(content)
    assert entries(content.decode().encode("cp1252")) == wanted
    assert entries(b"\xef\xbb\xbf" + content) == wanted
    assert entries(content.decode().encode("utf-16")) == wanted


def amount_of(text: str, style: str) -> int:
    rows = [["2026-03-02", text, "x"]]
    return sum(one.amount for one in read_entries(rows, replace(PLAIN, amount_format=style)).credits)


@pytest.mark.parametrize(
    ("text", "style", "minor"),
    [
        ("1234.5", "point", 123_450),
        ("1,234.50", "point", 123_450),
        ("1'234.50", "point", 123_450),
        ("1 234,50", "comma", 123_450),
        ("+1.234,50", "comma", 123_450),
        ("-12,00", "comma", 0),
        ("12,00-", "comma", 0),
        ("", "point", 0),
        ("0.00", "point", 0),
    ],
)
def test_amounts(text: str, style: str, minor: int) -> None:
    assert amount_of(text, style) == minor


@pytest.mark.parametrize(
    ("text", "style"),
    [("1.50", "comma"), ("1,50", "point"), ("=1+1", "point"), ("1e5", "point"), ("NaN", "point"), ("1.005", "point")],
)
def test_amounts_that_are_refused_rather_than_guessed(text: str, style: str) -> None:
    assert code_of(lambda: amount_of(text, style)) == ("statement_amount_invalid", 1)


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("2026-03-02", "iso"),
        ("2026-03-02T10:00:00", "iso"),
        ("02.03.2026", "dot"),
        ("02.03.26", "dot"),
        ("02/03/2026", "slash_day"),
        ("03/02/2026 10:15", "slash_month"),
    ],
)
def test_days(text: str, style: str) -> None:
    [one] = read_entries([[text, "5", "x"]], replace(PLAIN, date_format=style)).credits
    assert one.booked_on == date(2026, 3, 2)


def test_what_cannot_be_read_names_its_line() -> None:
    good = ["2026-03-02", "5", "x"]
    wrong = (
        (["02.03.2026", "5", "x"], "statement_day_invalid"),
        (["0001-01-01", "5", "x"], "statement_day_invalid"),
        (["2026-03-02", "five", "x"], "statement_amount_invalid"),
    )
    for row, code in wrong:
        assert code_of(lambda row=row: read_entries([good, row], PLAIN)) == (code, 2)
    odd = replace(PLAIN, currency_column=2)
    assert code_of(lambda: read_entries([good], odd)) == ("statement_currency_invalid", 1)


def test_tables_that_are_none() -> None:
    assert code_of(lambda: decode(b"a" * (LARGEST_FILE + 1)))[0] == "statement_too_large"
    assert code_of(lambda: decode(b"a;b\0c"))[0] == "statement_unreadable"
    assert code_of(lambda: decode(b"\xff\xfea"))[0] == "statement_unreadable"
    assert code_of(lambda: read_rows(""))[0] == "statement_no_table"
    assert code_of(lambda: read_rows("just a text"))[0] == "statement_no_table"
    assert code_of(lambda: read_rows('a;"b'))[0] == "statement_unreadable"
    assert code_of(lambda: read_rows("a;" * 100))[0] == "statement_unreadable"
    assert code_of(lambda: read_rows("a;" + "b" * 3000))[0] == "statement_unreadable"
    many = [["2026-03-02", "5", "x"]] * 10_001
    assert code_of(lambda: read_entries(many, PLAIN))[0] == "statement_too_long"


def test_a_mapping_is_kept_for_the_next_file() -> None:
    assert CsvMapping.stored(PLAIN.plain()) == PLAIN
    assert CsvMapping.stored({}) is None
    assert CsvMapping.stored({"amount": 1}) is None
