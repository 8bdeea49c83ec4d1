"""Receivables, statements, transfers and write-offs in the back office."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from portal.models import AuditEntry, BankStatement, BankTransaction
from portal.models.session import TenantSessions
from tests.admin.conftest import send, statements_of
from tests.browsing import Browser
from tests.statements import IBAN, camt, entry, table
from tests.tills import USUAL, Till, open_till

BOARD, BANK, FILES = "/admin/billing/receivables/", "/admin/billing/bank/", "/admin/billing/bank/statements/"


@pytest.fixture
def till(engine: Any, world: Any) -> Iterator[Till]:
    found = open_till(TenantSessions(engine), world, datetime.now(UTC))
    yield found
    found.settings(**USUAL)


def text_of(answer: Any) -> str:
    return " ".join(answer.get_data(as_text=True).split())


def upload(browser: Browser, content: bytes, name: str = "statement.xml") -> Any:
    data = {"file": (io.BytesIO(content), name)}
    return send(browser, browser.get(FILES), f"{FILES}import", data, content_type="multipart/form-data")


def newest(till: Till, **where: Any) -> UUID:
    rows = till.rows(BankTransaction, *(getattr(BankTransaction, name) == value for name, value in where.items()))
    return max(rows, key=lambda row: row.created_at).id


def test_from_the_file_to_the_payment(staff: Any, till: Till) -> None:
    bill, invoice = staff("bill"), till.invoice(43_210)
    number = str(till.get_invoice(invoice).number)
    answer = upload(
        bill,
        camt(entry("432.10", text=f"for {number}", name="Paying Ltd")),
    )
    assert answer.status_code == 303
    page = bill.get(f"{BANK}?q={number}")
    assert statements_of(page) <= 12
    text = text_of(page)
    assert number in text
    assert "Number in the text · Same amount" in text
    transfer = newest(till, amount=43_210)
    detail = bill.get(f"{BANK}{transfer}")
    assert f'id="amount-{invoice}" name="amount-{invoice}" value="432.10"' in detail.get_data(as_text=True)
    done = bill.post(f"{BANK}{transfer}/match", {f"amount-{invoice}": "400,10"})
    assert done.status_code == 303
    assert (till.get_invoice(invoice).paid, till.owed(invoice)) == (40_010, 3_200)
    text = text_of(bill.get(f"{BANK}{transfer}"))
    assert "Bill Hartmann" in text
    assert "€32.00" in text
    assert bill.post(f"{BANK}{transfer}/undo", {"reason": ""}).status_code == 422
    assert bill.post(f"{BANK}{transfer}/undo", {"reason": "Wrong one"}).status_code == 303
    assert till.get_invoice(invoice).paid == 0
    assert "Wrong one" in text_of(bill.get(f"{BANK}{transfer}"))


def test_several_are_confirmed_as_they_were_shown(staff: Any, till: Till) -> None:
    bill, word = staff("bill"), uuid4().hex
    invoices = [till.invoice(1000 + n) for n in range(2)]
    numbers = [str(till.get_invoice(one).number) for one in invoices]
    parts = [entry(f"{(1000 + n) / 100:.2f}", text=f"{word} {number}") for n, number in enumerate(numbers)]
    upload(bill, camt(*parts))
    page = bill.get(f"{BANK}?q={word}").get_data(as_text=True)
    values = [part.split('"')[0] for part in page.split('name="confirm" value="')[1:]]
    assert len(values) == 2
    answer = bill.post(f"{BANK}confirm", {"confirm": [*values, "nonsense", values[0]]})
    assert answer.status_code == 303
    assert [till.get_invoice(one).paid for one in invoices] == [1000, 1001]
    text = text_of(bill.get(BANK))
    assert "2 transfers booked" in text
    assert "2 transfers were not booked" in text


def test_a_table_asks_for_its_columns(staff: Any, till: Till) -> None:
    bill, word = staff("bill"), uuid4().hex
    rows = [("02.03.2026", "1.234,50", "EUR", "=cmd()", "", word, uuid4().hex)]
    answer = upload(bill, table(rows), "umsatz.csv")
    assert answer.status_code == 303
    where = answer.headers["Location"]
    page = text_of(bill.get(where))
    assert "Verwendungszweck" in page
    form = {
        "has_header": "1",
        "booked_on": "0",
        "amount": "1",
        "remittance": "5",
        "payer_name": "3",
        "date_format": "dot",
        "amount_format": "comma",
        "account": IBAN,
        "currency": "eur",
    }
    wrong = bill.post(where, form | {"date_format": "iso"})
    assert wrong.status_code == 422
    assert "The day in line 2 cannot be read." in text_of(wrong)
    assert bill.post(where, form).status_code == 303
    assert newest(till, remittance=word)
    assert bill.get(where).status_code == 409
    second = upload(bill, table(rows)).headers["Location"]
    assert bill.post(f"{second}/discard", {}).status_code == 303


def test_files_that_mean_harm_are_refused_with_words(staff: Any, till: Till) -> None:
    bill, before = staff("bill"), len(till.rows(BankStatement))
    bomb = camt(entry(text="&a;"), head='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>')
    for content, words in (
        (bomb, "declares a document type"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "cannot be read"),
        (b"", "neither CAMT.053 nor a table"),
        (b"<" + b"a" * (5 * 1024 * 1024 + 1), "larger than 5 MB"),
    ):
        answer = upload(bill, content)
        assert answer.status_code == 422, words
        assert words in text_of(answer)
    assert len(till.rows(BankStatement)) == before


def test_what_is_no_payment_and_what_becomes_credit(staff: Any, till: Till) -> None:
    bill = staff("bill")
    upload(bill, camt(entry("3.33"), entry("4.44")))
    interest, ahead = newest(till, amount=333), newest(till, amount=444)
    assert bill.post(f"{BANK}{interest}/set-aside", {"note": " "}).status_code == 422
    assert bill.post(f"{BANK}{interest}/set-aside", {"note": "Interest"}).status_code == 303
    assert bill.post(f"{BANK}{interest}/match", {"customer": "ACM"}).status_code == 409
    assert "Interest" in text_of(bill.get(f"{BANK}{interest}"))
    assert bill.post(f"{BANK}{interest}/take-back", {}).status_code == 303
    for form, words in (
        ({}, "Choose at least one invoice"),
        ({"customer": "Nobody"}, "Choose one of the customers."),
        ({f"amount-{uuid4()}": "x"}, "Enter an amount such as"),
    ):
        refused = bill.post(f"{BANK}{ahead}/match", form)
        assert refused.status_code == 422
        assert words in text_of(refused)
    assert bill.post(f"{BANK}{ahead}/match", {"customer": "GLO"}).status_code == 303
    [row] = till.rows(BankTransaction, BankTransaction.id == ahead)
    assert row.status == "matched"


def test_the_board_leads_to_invoices_and_hands_out_a_file(staff: Any, till: Till, world: Any) -> None:
    sam, invoice = staff("sam"), till.invoice(55_555, company="globex")
    number = str(till.get_invoice(invoice).number)
    globex = world.companies["globex"]
    page = sam.get(f"{BOARD}?q=GLO")
    assert statements_of(page) <= 12
    assert f"{BOARD}{globex}?currency=EUR" in page.get_data(as_text=True)
    assert number in text_of(sam.get(f"{BOARD}{globex}"))
    assert "No customer has this name" in text_of(sam.get(f"{BOARD}?q=nobody"))
    file = sam.get(f"{BOARD}export?customer_id={globex}")
    assert file.mimetype == "text/csv"
    lines = file.get_data(as_text=True).splitlines()
    [line] = [one for one in lines if number in one]
    assert "555.55" in line
    assert "not_due" in line
    assert till.rows(AuditEntry, AuditEntry.action == "receivables.exported")


def test_a_write_off_is_asked_for_and_agreed_to_beside_the_invoice(staff: Any, till: Till) -> None:
    till.settings(four_eyes_over=1000)
    invoice = till.invoice(5000)
    bill, ada = staff("bill"), staff("ada")
    path = f"/admin/billing/write-offs/of/{invoice}"
    assert path in bill.get(f"/admin/invoices/{invoice}").get_data(as_text=True)
    assert bill.post(path, {"reason": "", "amount": "x"}).status_code == 422
    assert bill.post(path, {"reason": "Insolvent"}).status_code == 303
    assert "Agree" not in text_of(bill.get(path))
    assert path in ada.get("/admin/billing/write-offs/").get_data(as_text=True)
    page = ada.get(path)
    decide = page.get_data(as_text=True).split('action="/admin/billing/write-offs/')[1].split("/decide")[0]
    assert bill.post(f"/admin/billing/write-offs/{decide}/decide", {"approve": "1"}).status_code == 409
    assert ada.post(f"/admin/billing/write-offs/{decide}/decide", {"approve": "1"}).status_code == 303
    assert till.owed(invoice) == 0
    assert "Written off" in text_of(ada.get(f"/admin/invoices/{invoice}"))


def test_who_may_what(staff: Any, till: Till) -> None:
    bill, invoice = staff("bill"), till.invoice(777)
    upload(bill, camt(entry("7.77")))
    transfer = newest(till, amount=777)
    for name in ("sam", "mia"):
        browser = staff(name)
        page = text_of(browser.get(f"{BANK}{transfer}"))
        for offered in (f"{BANK}{transfer}/set-aside", f"{BANK}{transfer}/match"):
            assert offered not in page
        assert f"{BANK}confirm" not in text_of(browser.get(BANK))
        for path in (f"{BANK}{transfer}/match", f"{BANK}confirm", f"{FILES}import"):
            assert browser.post(path, {f"amount-{invoice}": "1"}).status_code == 403
        assert browser.post(f"/admin/billing/write-offs/of/{invoice}", {"reason": "x"}).status_code == 403
    for path in (BOARD, BANK, FILES, f"{BANK}{transfer}", f"{BOARD}export"):
        assert staff("dora").get(path).status_code == 403
    noor = staff("noor")
    for path in (f"{BANK}{transfer}", f"/admin/billing/write-offs/of/{invoice}"):
        assert noor.get(path).status_code == 404
    assert noor.post(f"{BANK}{transfer}/match", {"customer": "ACM"}).status_code == 404
