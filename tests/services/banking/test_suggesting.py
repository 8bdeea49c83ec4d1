"""What a transfer may be for: by number, amount, account and name, each with its reason."""

from typing import Any
from uuid import uuid4

import pytest

from portal.services.banking.suggesting import names_number, same_name
from tests.statements import camt, detail, entry


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Invoice INV-2026-0042, thank you", True),
        ("inv 2026 0042", True),
        ("RGINV20260042/ACME", True),
        ("INV-2026-00 42", True),
        ("INV-2026-00421", False),
        ("INV-2026-004", False),
        ("2026-0042", False),
        ("", False),
    ],
)
def test_numbers_in_texts(text: str, said: bool) -> None:
    assert names_number(text, "INV-2026-0042") is said


def test_numbers_of_digits_alone_and_short_ones() -> None:
    assert names_number("payment 20260042", "2026/0042")
    assert not names_number("payment 120260042", "2026/0042")
    assert not names_number("1 x service", "1")


@pytest.mark.parametrize(
    ("payer", "company", "same"),
    [
        ("ACME SAS", "Acme", True),
        ("Acme Logistics Lyon", "Acme Logistics S.A.S.", True),
        ("Acme", "Acme Logistics", False),
        ("Globex", "Acme", False),
        ("شركة الأفق", "شركة الأفق", True),
        ("", "Acme", False),
        ("GmbH", "GmbH", False),
    ],
)
def test_names(payer: str, company: str, same: bool) -> None:
    assert same_name(payer, company) is same


def test_a_number_and_its_amount_are_sure(bank: Any, nobody: str) -> None:
    invoice = bank.till.invoice(12345)
    number = bank.number(invoice)
    transfer = bank.transfer("123.45", text=f"Rechnung {number.lower()}", name="Somebody", iban=nobody)
    found = bank.suggest(transfer)[transfer]
    assert found.sure
    [first] = found.chosen
    assert (first.invoice.id, first.part, first.reasons) == (invoice, 12345, ("number", "amount"))
    structured = bank.transfer("100.00", structured=f"RF18{number}", name="Somebody", iban=nobody)
    [first] = bank.suggest(structured)[structured].chosen
    assert (first.invoice.id, first.part, first.reasons) == (invoice, 10000, ("reference",))


def test_two_numbers_that_add_up_split_the_transfer(bank: Any, nobody: str) -> None:
    one, two = bank.till.invoice(5000, days=9), bank.till.invoice(2500, days=3)
    text = f"{bank.number(one)} + {bank.number(two)}"
    transfer = bank.transfer("75.00", text=text, name="Somebody", iban=nobody)
    found = bank.suggest(transfer)[transfer]
    assert {row.invoice.id: row.part for row in found.chosen} == {one: 5000, two: 2500}
    assert found.sure
    assert all("sum" in row.reasons for row in found.chosen)


def test_an_amount_alone_is_shown_but_not_chosen(bank: Any, nobody: str) -> None:
    invoice = bank.till.invoice(987_654)
    transfer = bank.transfer("9876.54", name="Somebody", iban=nobody)
    found = bank.suggest(transfer)[transfer]
    assert invoice in {one.invoice.id for one in found.candidates}
    assert (found.chosen, found.sure) == ([], False)


def test_an_account_is_remembered_until_the_match_is_undone(bank: Any, nobody: str) -> None:
    till = bank.till
    first = bank.transfer("10.00", iban=nobody, name="Somebody")
    bank.match(first, till.invoice(1000, company="globex"))
    later = till.invoice(7777, company="globex")
    second = bank.transfer("77.77", iban=nobody, name="Somebody")
    [found] = bank.suggest(second)[second].chosen
    assert (found.invoice.id, found.reasons) == (later, ("amount", "account"))
    bank.undo(first)
    assert bank.suggest(second)[second].chosen == []


def test_other_currencies_tenants_and_paid_ones_are_not_suggested(bank: Any, nobody: str) -> None:
    till = bank.till
    invoice = till.invoice(4321)
    text = bank.number(invoice)
    dollars = bank.transfer("43.21", currency="USD", text=text, iban=nobody)
    assert bank.suggest(dollars)[dollars].candidates == []
    bank.match(bank.transfer("43.21"), invoice)
    euros = bank.transfer("43.21", text=text, iban=nobody)
    assert invoice not in {one.invoice.id for one in bank.suggest(euros)[euros].candidates}


def test_a_page_of_transfers_is_answered_at_once(bank: Any, nobody: str) -> None:
    invoices = [bank.till.invoice(1000 + n) for n in range(3)]
    word = uuid4().hex
    parts = [
        entry(f"{10 + n / 100:.2f}", details=detail(text=f"{word} {bank.number(one)}", iban=nobody))
        for n, one in enumerate(invoices)
    ]
    ids = [row.id for row in bank.of(bank.read(camt(*parts)).id)]
    found = bank.suggest(*ids)
    assert {one.chosen[0].invoice.id for one in found.values()} == set(invoices)
