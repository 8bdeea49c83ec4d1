"""The board: ages by the tenant's days, what failed, what comes next; bounded, and the team's alone."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from portal.errors import Forbidden, NotFound
from portal.models import AutoPayAttempt, AutoPayState, Company, Invoice
from portal.models.session import TenantSession
from portal.services.billing.lines import NewLine
from portal.services.billing.open_items import BUCKETS, ReceivablesFilter, bucket_of, read_customer
from portal.services.billing.receivables import read_board
from tests.world import World


def test_ages() -> None:
    days = (-5, 0, 1, 30, 31, 60, 61, 90, 91, 4000)
    names = [bucket_of(day) for day in days]
    assert names == [BUCKETS[place] for place in (0, 0, 1, 1, 2, 2, 3, 3, 4, 4)]


@pytest.fixture
def company(session: TenantSession) -> UUID:
    """A customer that owes nothing yet."""
    made = Company(id=uuid4(), tenant_id=session.tenant_id, name=f"Initech {uuid4()}", customer_number=uuid4().hex[:12])
    session.add(made)
    session.flush()
    return made.id


@pytest.fixture
def owe(issue: Any, company: UUID, now: Any) -> Any:
    """An invoice that is due so many days ago."""

    def make(amount: int, late: int, currency: str = "EUR") -> Invoice:
        line = NewLine("Work", Decimal(1), amount, 0, Decimal(0), "VAT")
        then = now - timedelta(days=max(late, 0) + 20)
        due = now.astimezone(ZoneInfo("Europe/Paris")).date() - timedelta(days=late)
        return issue(line, customer_id=company, currency=currency, due_on=due, now=then)

    return make


def test_sums_by_age_and_currency(session: TenantSession, world: World, company: UUID, owe: Any, now: Any) -> None:
    for amount, late in ((1, -10), (20, 10), (300, 45), (4000, 75), (50_000, 200)):
        owe(amount, late)
    owe(777, 10, "USD")
    part = owe(1000, 10)
    part.paid = 400
    paid = owe(9999, 10)
    paid.paid, paid.status = 9999, "paid"
    session.flush()
    board = read_board(session, ReceivablesFilter(company), actor=world.people["sam"].actor, now=now)
    by_currency = {one.currency: one for one in board.totals}
    assert by_currency["EUR"].buckets == (1, 620, 300, 4000, 50_000)
    assert (by_currency["EUR"].total, by_currency["EUR"].overdue, by_currency["EUR"].count) == (54_921, 54_920, 6)
    assert by_currency["USD"].total == 777
    assert [(one.customer_id, one.ageing) for one in board.customers] == [
        (company, by_currency["EUR"]),
        (company, by_currency["USD"]),
    ]
    only = read_board(session, ReceivablesFilter(company, "USD"), actor=world.people["sam"].actor, now=now)
    assert [one.total for one in only.totals] == [777]


def test_what_failed_and_what_comes_next(
    session: TenantSession, world: World, company: UUID, owe: Any, now: Any
) -> None:
    failed, quiet = owe(5000, 10), owe(6000, -10)
    failed.failure = "insufficient_funds"
    again = now + timedelta(days=3)
    session.add(
        AutoPayAttempt(
            invoice_id=failed.id, state=AutoPayState.WAITING, attempts=2, next_at=again, code="insufficient_funds"
        )
    )
    session.flush()
    board = read_board(session, ReceivablesFilter(company), actor=world.people["sam"].actor, now=now)
    [row] = board.customers
    assert row.failed == 1
    assert row.upcoming.reminder_at is not None
    [charge] = board.failed
    assert (charge.invoice_id, charge.attempts, charge.next_at) == (failed.id, 2, again)
    _, invoices = read_customer(session, company, actor=world.people["sam"].actor, now=now)
    assert [(one.id, one.days_late, one.bucket) for one in invoices] == [
        (failed.id, 10, "days_1_30"),
        (quiet.id, -10, "not_due"),
    ]
    assert invoices[1].next_kind == "invoice_reminder"


def test_the_board_takes_four_statements(session: TenantSession, world: World, owe: Any, now: Any) -> None:
    for late in range(3):
        owe(1000, late)
    seen: list[str] = []
    connection = session.connection()
    event.listen(connection, "before_cursor_execute", lambda *args: seen.append(args[2]))
    read_board(session, ReceivablesFilter(), actor=world.people["sam"].actor, now=now)
    assert len([one for one in seen if one.lstrip().upper().startswith("SELECT")]) <= 4


def test_who_sees_it(session: TenantSession, world: World, company: UUID, now: Any) -> None:
    for who in ("dora", "alice"):
        with pytest.raises(Forbidden):
            read_board(session, ReceivablesFilter(), actor=world.people[who].actor, now=now)
        with pytest.raises(Forbidden):
            read_customer(session, company, actor=world.people[who].actor, now=now)
    with pytest.raises(NotFound):
        read_customer(session, world.companies["ofuq"], actor=world.people["sam"].actor, now=now)
