"""CAMT.053: every version that banks send, what is passed over, and files that mean harm."""

from datetime import date

import pytest

from portal.integrations.camt import LARGEST_FILE, looks_like_xml, read_camt
from portal.lib.bank_entries import StatementRefused, keyed
from tests.statements import IBAN, PAYER, camt, detail, entry


def code_of(content: bytes) -> str:
    with pytest.raises(StatementRefused) as caught:
        read_camt(content)
    return caught.value.code


@pytest.mark.parametrize("version", ["02", "04", "06", "08"])
def test_a_credit_is_read_in_every_version(version: str) -> None:
    status = "<Sts><Cd>BOOK</Cd></Sts>" if version >= "04" else "<Sts>BOOK</Sts>"
    content = camt(
        entry("1234.50", status=status, day="2026-03-02", reference="REF1", text="INV-1", structured="RF18INV1"),
        version=version,
    )
    found = read_camt(content)
    assert found.passed_over == 0
    [one] = found.credits
    assert (one.account, one.amount, one.currency, one.booked_on) == (IBAN, 123_450, "EUR", date(2026, 3, 2))
    assert (one.payer_name, one.payer_account, one.bank_reference) == ("Acme SAS", PAYER, "REF1")
    assert (one.remittance, one.reference) == ("INV-1", "RF18INV1")


def test_debits_reversals_and_what_is_not_booked_are_passed_over() -> None:
    others = (
        entry(side="DBIT"),
        entry(status="<Sts>PDNG</Sts>"),
        entry(reversal="<RvslInd>true</RvslInd>"),
    )
    found = read_camt(camt(*others, entry("5.00")))
    assert ([one.amount for one in found.credits], found.passed_over) == ([500], 3)


def test_a_batch_becomes_its_transfers_where_they_add_up() -> None:
    parts = detail(name="A", amount="100.00") + detail(name="B", amount="20.00")
    found = read_camt(camt(entry("120.00", details=parts, reference="BATCH"))).credits
    assert [(one.payer_name, one.amount) for one in found] == [("A", 10_000), ("B", 2_000)]
    assert len({key for key, _ in keyed(found)}) == 2
    [whole] = read_camt(camt(entry("121.00", details=parts))).credits
    assert whole.amount == 12_100


def test_currencies_have_their_own_digits() -> None:
    found = read_camt(camt(entry("1200", currency="JPY"), entry("1.234", currency="KWD"))).credits
    assert [one.amount for one in found] == [1200, 1234]
    assert code_of(camt(entry("1.5", currency="JPY"))) == "statement_amount_invalid"


@pytest.mark.parametrize("amount", ["1e5", "NaN", "-5", "1_000", "", "٣", "9" * 30, "0.001"])
def test_amounts_that_are_none(amount: str) -> None:
    assert code_of(camt(entry(amount))) == "statement_amount_invalid"


@pytest.mark.parametrize("day", ["2026-02-30", "", "0001-01-01", "9999-01-01"])
def test_days_that_are_none(day: str) -> None:
    assert code_of(camt(entry(day=day))) == "statement_day_invalid"


BOMB = '<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
XXE = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'


def test_document_types_and_entities_are_refused_in_any_encoding() -> None:
    for head, text in ((BOMB, "&b;"), (XXE, "&f;"), ('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', "")):
        content = camt(entry(text=text), head=head)
        assert code_of(content) == "statement_has_dtd"
        wide = content.decode().replace("UTF-8", "UTF-16").encode("utf-16")
        assert code_of(wide) == "statement_has_dtd"
    assert code_of(camt(entry(text="&b;"))) == "statement_unreadable"


def test_files_that_are_no_statement() -> None:
    assert code_of(b"<Document/>") == "statement_unknown"
    assert code_of(camt(entry(), version="09")) == "statement_unknown"
    assert code_of(camt(entry())[:-30]) == "statement_unreadable"
    assert code_of(camt(entry(text="\u00e9")).replace("\u00e9".encode(), b"\xe9")) == "statement_unreadable"
    assert code_of(camt(entry()).replace(b"UTF-8", b"no-such")) == "statement_unreadable"
    assert code_of(b"<" + b"a" * LARGEST_FILE) == "statement_too_large"
    assert code_of(b"<a>" * 100_000) == "statement_unreadable"
    assert code_of(camt(entry(), account="")) == "statement_without_account"
    assert code_of(camt(*["<Ntry/>"] * 10_001)) == "statement_too_long"


def test_xml_is_told_from_tables() -> None:
    content = camt(entry())
    assert looks_like_xml(content)
    assert looks_like_xml(b"\xef\xbb\xbf \n" + content)
    assert looks_like_xml(content.decode().encode("utf-16"))
    assert not looks_like_xml(b"Date;Amount\n")


def test_wide_encodings_are_read() -> None:
    content = camt(entry("3.00", name="Zoë")).decode().replace("UTF-8", "UTF-16").encode("utf-16")
    [one] = read_camt(content).credits
    assert one.payer_name == "Zoë"


def test_keys_stay_and_tell_equal_transfers_apart() -> None:
    same = {"day": "2026-03-02", "reference": ""}
    pair = read_camt(camt(entry("5.00", **same), entry("5.00", **same))).credits
    first, second = (key for key, _ in keyed(pair))
    assert first != second
    later = read_camt(camt(entry("5.00", **same), entry("7.00", **same), entry("5.00", **same))).credits
    assert {first, second} < {key for key, _ in keyed(later)}
    # A reference that a bank uses again is another entry on another day.
    again = [entry("5.00", reference="R1", day="2026-03-02"), entry("5.00", reference="R1", day="2026-03-03")]
    assert len({key for key, _ in keyed(read_camt(camt(*again)).credits)}) == 2


def test_texts_are_stored_on_one_line_without_control_characters() -> None:
    [one] = read_camt(camt(entry(name="A\u202e\tB" + "x" * 500, text="two\nlines"))).credits
    assert one.payer_name.startswith("A B")
    assert len(one.payer_name) == 140
    assert one.remittance == "two lines"
