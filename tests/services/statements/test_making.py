"""Statements against the ledger: every figure, once made always the same, and nothing of anybody else."""

import csv
import hashlib
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import select, update

from portal.authz import system_actor
from portal.errors import Conflict
from portal.models import (
    AuditEntry,
    LedgerEntry,
    MailMessage,
    Notification,
    Statement,
    StatementFormat,
    StatementKind,
    StatementState,
)
from portal.services.billing.crediting import credit_invoice
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.voiding import void_invoice
from portal.services.statements import files
from portal.services.statements.figures import BooksStillOpen, require_closed_books
from portal.services.statements.making import give_up, make_statement
from tests.services.statements.conftest import BASE_URL

PARIS = ZoneInfo("Europe/Paris")
KINDS = ("invoiced", "credited", "voided", "paid", "refunded", "charged_back", "restored", "credit_added")


def rows_of(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def oracle(account, statement):
    """Opening, lines and closing by currency, from the rows one by one."""
    with account.sessions.begin(account.world.demo) as session:
        entries = list(session.scalars(select(LedgerEntry).where(LedgerEntry.customer_id == account.company)))
    entries.sort(key=lambda entry: (entry.at, entry.seq))
    found = {}
    for entry in entries:
        day = entry.at.astimezone(PARIS).date()
        if entry.booked_at > statement.as_of or day > statement.end_on:
            continue
        part = found.setdefault(entry.currency, {"opening": 0, "lines": [], "closing": 0})
        part["closing"] += entry.amount
        if day < statement.start_on:
            part["opening"] += entry.amount
        else:
            part["lines"].append((day.isoformat(), entry.amount, part["closing"]))
    return found


MOVES = st.tuples(
    st.integers(0, 40), st.integers(0, 24 * 60 - 1), st.sampled_from(KINDS), st.integers(-10**7, 10**7).filter(bool),
    st.sampled_from(["EUR", "JPY"]),
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(MOVES, max_size=25), first=st.integers(0, 40), length=st.integers(0, 25))
def test_every_figure_is_the_ledgers(account, moves, first, length):
    mine = account()
    beginning = datetime(2026, 3, 10, tzinfo=UTC)  # the clock moves in these days
    for day, minute, kind, amount, currency in moves:
        mine.book((beginning + timedelta(days=day, minutes=minute), kind, amount), currency=currency)
    start = beginning.date() + timedelta(days=first)
    statement, content = mine.made(start=start, end=start + timedelta(days=length))
    expected = oracle(mine, statement)
    assert [(one["currency"], one["opening"], one["closing"], one["lines"]) for one in statement.figures] == [
        (currency, part["opening"], part["closing"], len(part["lines"])) for currency, part in sorted(expected.items())
    ]
    digits = {"EUR": Decimal("0.01"), "JPY": Decimal(1)}
    lines = [row for row in rows_of(content)[1:] if row[4]]
    assert lines == [
        [day, "", "", lines[at][3], str(amount * digits[currency]), str(balance * digits[currency]), currency]
        for at, (currency, day, amount, balance) in enumerate(
            (currency, *line) for currency, part in sorted(expected.items()) for line in part["lines"]
        )
    ]


def test_what_is_booked_later_changes_nothing_and_a_new_one_has_a_moment_of_its_own(account, day):
    mine = account()
    mine.book((day(3), "invoiced", 10_000))
    asked = mine.ask()
    mine.book((day(4), "paid", -10_000))
    assert mine.make(asked)
    first = mine.row(asked.id)
    assert first.figures == [{"currency": "EUR", "opening": 0, "closing": 10_000, "lines": 1}]
    second, _ = mine.made()
    assert second.as_of > first.as_of
    assert second.figures == [{"currency": "EUR", "opening": 0, "closing": 0, "lines": 2}]


@pytest.mark.parametrize("form", list(StatementFormat))
def test_made_once_more_it_is_the_same_file(account, day, form):
    mine = account()
    mine.book((day(3), "invoiced", 10_000), (day(40), "paid", -2_500))
    statement, content = mine.made(format=form)
    assert hashlib.sha256(content).digest() == statement.sha256
    assert len(content) == statement.size
    assert not mine.make(statement)
    mine.book((day(5), "invoiced", 1))
    with mine.sessions.begin(mine.world.demo) as session:
        again = {"state": StatementState.QUEUED, "storage_key": None}
        session.execute(update(Statement).where(Statement.id == statement.id).values(again))
    assert mine.make(statement)
    assert mine.content(statement.id) == content


def test_a_transaction_that_began_before_holds_it_back(account, day, sessions, world):
    mine = account()
    with sessions.begin(world.demo) as other:
        other.scalar(select(Statement.id).limit(1))
        asked = mine.ask()
        with pytest.raises(BooksStillOpen), sessions.begin(world.demo) as session:
            require_closed_books(session, asked.as_of)
    assert mine.make(asked)


def test_a_year_sums_taxes_by_rate(account, day):
    mine = account()

    def issue(at, *lines):
        with mine.sessions.begin(mine.world.demo) as session:
            return issue_from_lines(
                session, customer_id=mine.company, currency="EUR", lines=lines, actor=system_actor(mine.world.demo),
                now=at,
            ).id  # fmt: skip

    normal, low = (NewLine("Work", Decimal(1), 10_000, 0, Decimal(20), "VAT"), NewLine("Book", Decimal(1), 2_000, 0,
                   Decimal("5.5"), "VAT"))  # fmt: skip
    issue(day(10), normal, low)
    credited, voided = issue(day(20), normal), issue(day(30), low)
    issue(datetime(2025, 12, 31, 12, tzinfo=UTC), normal)
    with mine.sessions.begin(mine.world.demo) as session:
        actor = system_actor(mine.world.demo)
        credit_invoice(session, credited, reason="Too much", lines=None, actor=actor, now=day(25))
        void_invoice(session, voided, reason="Twice", actor=actor, now=day(31))
    statement, content = mine.made(kind=StatementKind.ANNUAL, year=2026)
    assert (statement.start_on, statement.end_on) == (date(2026, 1, 1), date(2026, 12, 31))
    taxes = [row for row in rows_of(content) if row and row[0] == "VAT"]
    assert taxes == [["VAT", "5.5%", "20.00", "1.10", "EUR"], ["VAT", "20%", "100.00", "20.00", "EUR"]]
    assert statement.figures[0]["opening"] == 12_000
    _, pdf = mine.made(kind=StatementKind.ANNUAL, year=2026, format=StatementFormat.PDF)
    words = " ".join(PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())
    for part in ("Annual statement 2026", "Opening balance", "€120.00", "Taxes", "5.5%", "€20.00"):
        assert part in words, part


def test_a_spreadsheet_has_numbers_and_days_and_no_formulas(account, day):
    mine = account('=HYPERLINK("http://elsewhere")')
    mine.book((day(3), "invoiced", 123_456), (day(4), "paid", -23_456))
    statement, _ = mine.made(format=StatementFormat.XLSX)
    book = CalamineWorkbook.from_filelike(mine.stream(statement.id))
    assert book.sheet_names == ["Entries", "Sums"]
    rows = book.get_sheet_by_name("Entries").to_python()
    assert ["Account of", '=HYPERLINK("http://elsewhere")'] in [row[:2] for row in rows]
    lines = [row for row in rows if isinstance(row[4], float)]
    assert [(row[0], row[4], row[5]) for row in lines] == [
        (date(2026, 1, 3), 1234.56, 1234.56), (date(2026, 1, 4), -234.56, 1000.0),
    ]  # fmt: skip
    sums = {row[0]: row[1] for row in book.get_sheet_by_name("Sums").to_python()}
    assert sums["Closing balance"] == 1000.0


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_long_pdf_has_every_line(account, day, locale, monkeypatch):
    monkeypatch.setattr(files, "TABLE_LINES", 60)
    mine = account()
    mine.book(*[(day(1) + timedelta(hours=hour), "invoiced", 100 + hour) for hour in range(100)])
    _, content = mine.made(format=StatementFormat.PDF, locale=locale)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]
    assert len(pages) > 2
    words = " ".join(" ".join(pages).split())
    assert all(f"{(100 + hour) / 100:.2f}" in words for hour in range(100))


def test_too_long_for_a_pdf_is_refused_and_told(account, day, monkeypatch):
    monkeypatch.setattr(files, "PDF_LINES", 3)
    mine = account()
    mine.book(*[(day(number), "invoiced", 100) for number in range(1, 5)])
    asked = mine.ask(format=StatementFormat.PDF)
    with pytest.raises(Conflict, match="statement_too_long"):
        mine.make(asked)
    assert give_up(mine.sessions, mine.world.demo, asked.id, code="statement_too_long", base_url=BASE_URL, now=day(1))
    assert (mine.row(asked.id).state, mine.row(asked.id).failure) == (StatementState.FAILED, "statement_too_long")
    assert not mine.make(asked)
    assert not give_up(mine.sessions, mine.world.demo, asked.id, code="other", base_url=BASE_URL, now=day(1))


def test_whoever_asked_is_told_once_with_the_file_where_they_wish(sessions, world, account, day):
    mine = account()
    mine.company = world.companies["acme"]
    bob = world.people["bob"]
    asked = mine.ask(bob.actor, attach=True, start=date(2001, 1, 1), end=date(2001, 1, 31))
    assert mine.make(asked)
    assert not mine.make(asked)
    with sessions.begin(world.demo) as session:
        notice = session.scalars(select(Notification).where(Notification.record_id == asked.id)).one()
        assert (notice.user_id, notice.kind) == (bob.user_id, "statement_ready")
        mails = session.scalars(
            select(MailMessage).where(
                MailMessage.template == "statement_ready",
                MailMessage.attachment["key"].astext == mine.row(asked.id).storage_key,
            )
        ).all()
        assert [(mail.recipient, mail.attachment["name"]) for mail in mails] == [
            (bob.email, "statement-2001-01-01-2001-01-31.csv")
        ]
        assert "is attached" in mails[0].text
        actions = select(AuditEntry.action).where(AuditEntry.record_id == asked.id)
        assert sorted(session.scalars(actions)) == ["statement.ready", "statement.requested"]


def test_two_attempts_at_a_time_make_one(account, day):
    from tests.together import at_once

    mine = account()
    mine.book((day(2), "invoiced", 500))
    asked = mine.ask()

    def attempt(_):
        while True:
            try:
                return make_statement(
                    mine.sessions, mine.world.demo, asked.id, storage=mine.storage, base_url=BASE_URL, now=day(1)
                )
            except BooksStillOpen:
                continue

    assert sorted(at_once(3, attempt)) == [False, False, True]
    assert mine.row(asked.id).figures[0]["closing"] == 500
