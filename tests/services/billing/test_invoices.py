"""Invoices from the draft to their end: numbers, amounts, ledger, who sees them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from portal.authz import Actor
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import (
    AuditEntry,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceStatus,
    LedgerEntry,
    LedgerKind,
    NextStep,
    OutboxEvent,
)
from portal.models.session import TenantSession, TenantSessions
from portal.services.billing.crediting import CreditedLine, credit_invoice
from portal.services.billing.issuing import draft_invoice, issue_from_lines, issue_invoice
from portal.services.billing.ledger import owed_by_ledger
from portal.services.billing.lines import NewLine
from portal.services.billing.queries import InvoiceFilter, get_invoice, list_invoices
from portal.services.billing.settings import load_settings
from portal.services.billing.status import settle_invoice, settle_status
from portal.services.billing.voiding import void_invoice
from tests.services.billing.conftest import USUAL
from tests.together import at_once
from tests.world import World

Issue = Callable[..., Invoice]


def test_an_issued_invoice_is_numbered_owed_and_booked(session: TenantSession, issue: Issue, now: datetime) -> None:
    invoice = issue(due_on=date(2026, 12, 1))
    assert (invoice.subtotal, invoice.tax_total, invoice.total) == (10_000, 2_000, 12_000)
    assert invoice.taxes == [{"name": "VAT", "rate": "20", "net": 10_000, "tax": 2_000}]
    assert invoice.number
    assert invoice.number.startswith("INV-2026-")
    assert invoice.status is InvoiceStatus.OPEN
    # The due day ends at midnight in Paris.
    assert invoice.due_at == datetime(2026, 12, 1, 23, tzinfo=UTC)
    assert owed_by_ledger(session, invoice) == invoice.outstanding == 12_000
    assert invoice.seller["legal_name"] == "Kestrel IT"
    assert invoice.buyer["name"] == "Acme"
    kinds = session.scalars(select(OutboxEvent.kind).where(OutboxEvent.record_id == invoice.id)).all()
    assert kinds == ["invoice.issued"]
    assert session.scalar(select(AuditEntry.after).where(AuditEntry.record_id == invoice.id)) == {
        "number": invoice.number,
        "total": 12_000,
        "currency": "EUR",
    }


def test_without_a_due_day_the_tenants_terms_count(session: TenantSession, issue: Issue) -> None:
    load_settings(session).payment_terms_days = 14
    assert issue().due_on == date(2026, 12, 8)


def test_a_draft_is_issued_once(session: TenantSession, world: World, system: Actor, now: datetime) -> None:
    draft = draft_invoice(
        session, customer_id=world.companies["acme"], currency="JPY", lines=[USUAL], actor=system, now=now
    )
    assert draft.number is None
    assert draft.status is InvoiceStatus.DRAFT
    issue_invoice(session, draft, actor=system, now=now)
    with pytest.raises(Conflict):
        issue_invoice(session, draft, actor=system, now=now)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (NewLine("  "), "lines.0.description"),
        (NewLine("x" * 501), "lines.0.description"),
        (NewLine("x", Decimal(0)), "lines.0.quantity"),
        (NewLine("x", Decimal("NaN")), "lines.0.quantity"),
        (NewLine("x", Decimal("0.00001")), "lines.0.quantity"),
        (NewLine("x", Decimal(1), 100, 101), "lines.0.discount"),
        (NewLine("x", Decimal(1), 100, -1), "lines.0.discount"),
        (NewLine("x", Decimal(2), 10**15), "lines.0.unit_price"),
        (NewLine("x", tax_rate=Decimal(101)), "lines.0.tax_rate"),
        (NewLine("x", tax_rate=Decimal(-1)), "lines.0.tax_rate"),
        (NewLine("x", catalog_item_id=uuid4()), "lines.0.catalog_item_id"),
        (NewLine("x", Decimal(1), -100), "lines"),
    ],
)
def test_lines_that_cannot_be_billed_are_refused_with_their_field(issue: Issue, line: NewLine, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        issue(line)
    assert refused.value.errors[0].field == field


def test_other_things_that_cannot_be_billed(world: World, issue: Issue) -> None:
    for more, field in (
        ({"currency": "XXX"}, "currency"),
        ({"customer_id": world.companies["ofuq"]}, "customer_id"),
        ({"due_on": date(2026, 11, 23)}, "due_on"),
        ({"due_on": date(2099, 1, 1)}, "due_on"),
    ):
        with pytest.raises(Invalid) as refused:
            issue(**more)
        assert refused.value.errors[0].field == field


def test_thirty_at_once_get_consecutive_numbers_and_one_source_makes_one_invoice(
    sessions: TenantSessions, world: World, system: Actor, now: datetime
) -> None:
    year = datetime(2043, 5, 5, tzinfo=UTC)

    def make(index: int) -> str:
        with sessions.begin(world.demo) as session:
            made = issue_from_lines(
                session,
                customer_id=world.companies["globex"],
                currency="EUR",
                lines=[USUAL],
                source_key="test:thirty" if index >= 15 else None,
                actor=system,
                now=year,
            )
            if index in (3, 6, 9):
                raise ZeroDivisionError
            return str(made.number)

    made = at_once(30, make)
    numbers = [number for number in made if isinstance(number, str)]
    assert len(numbers) == 27
    assert len(set(numbers[-15:])) == 1
    assert sorted(set(numbers)) == [f"INV-2043-{count:04d}" for count in range(1, 14)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "open"),
        ({"due_at": datetime(2026, 11, 24, 9, tzinfo=UTC)}, "overdue"),
        ({"due_at": datetime(2026, 11, 24, 9, 0, 1, tzinfo=UTC)}, "open"),
        ({"paid": 40}, "open"),
        ({"paid": 60, "credited": 40}, "paid"),
        ({"reserved": 40}, "processing"),
        ({"reserved": 40, "failure": "card_declined"}, "processing"),
        ({"failure": "card_declined"}, "failed"),
        ({"failure": "card_declined", "paid": 100}, "paid"),
        ({"disputed": 10}, "disputed"),
        ({"disputed": 10, "paid": 100}, "disputed"),
        ({"voided_at": datetime(2026, 11, 1, tzinfo=UTC)}, "void"),
        ({"number": None}, "draft"),
    ],
)
def test_the_state_follows_from_the_amounts(values: dict[str, Any], expected: str, now: datetime) -> None:
    usual = {"number": "INV-1", "total": 100, "paid": 0, "credited": 0, "disputed": 0, "reserved": 0}
    assert settle_status(Invoice(**usual | values), now).value == expected


def test_settling_pays_once_and_a_refund_begins_another_run(
    session: TenantSession, issue: Issue, system: Actor, now: datetime
) -> None:
    invoice = issue()
    invoice.paid = 12_000
    assert settle_invoice(session, invoice, actor=system, now=now) is InvoiceStatus.PAID
    assert invoice.paid_at == now
    assert session.scalar(select(func.count()).where(NextStep.record_id == invoice.id)) == 0
    invoice.paid = 5_000
    assert settle_invoice(session, invoice, actor=system, now=now) is InvoiceStatus.OPEN
    assert (invoice.cycle, invoice.paid_at) == (1, None)
    events = session.execute(
        select(OutboxEvent.kind, OutboxEvent.payload["cycle"].as_integer())
        .where(OutboxEvent.record_id == invoice.id)
        .order_by(OutboxEvent.seq)
    ).all()
    assert [tuple(row) for row in events] == [("invoice.issued", 0), ("invoice.paid", 0), ("invoice.changed", 1)]


def test_voiding_takes_the_whole_back_once(
    session: TenantSession, issue: Issue, actor_of: Callable[[str], Actor], now: datetime
) -> None:
    invoice, bill = issue(), actor_of("bill")
    with pytest.raises(Invalid):
        void_invoice(session, invoice.id, reason=" ", actor=bill, now=now)
    void_invoice(session, invoice.id, reason="Twice", actor=bill, now=now)
    assert invoice.status is InvoiceStatus.VOID
    assert invoice.outstanding == 0
    assert owed_by_ledger(session, invoice) == 0
    with pytest.raises(Conflict):
        void_invoice(session, invoice.id, reason="Twice", actor=bill, now=now)


@pytest.mark.parametrize("held", ["paid", "reserved", "credited", "disputed"])
def test_what_was_touched_is_not_voided(
    session: TenantSession, issue: Issue, system: Actor, now: datetime, held: str
) -> None:
    invoice = issue()
    setattr(invoice, held, 1)
    session.flush()
    with pytest.raises(Conflict):
        void_invoice(session, invoice.id, reason="Twice", actor=system, now=now)


def test_a_full_credit_note_settles_the_invoice(
    session: TenantSession, issue: Issue, system: Actor, now: datetime
) -> None:
    invoice = issue(USUAL, NewLine("Visit", Decimal("3.5"), 9_800, 300, Decimal("5.5"), "VAT"))
    note = credit_invoice(session, invoice.id, reason="Agreed", actor=system, now=now)
    assert (note.kind, note.total, note.outstanding) == (InvoiceKind.CREDIT_NOTE, invoice.total, 0)
    assert note.number
    assert note.number.startswith("CN-2026-")
    assert note.credits_id == invoice.id
    assert invoice.status is InvoiceStatus.PAID
    assert invoice.credited == invoice.total
    assert owed_by_ledger(session, invoice) == 0
    for again in (invoice.id, note.id):
        with pytest.raises(Conflict):
            credit_invoice(session, again, reason="Agreed", actor=system, now=now)


def test_a_line_of_what_was_paid_becomes_credit_of_the_company(
    session: TenantSession, issue: Issue, system: Actor, now: datetime
) -> None:
    invoice = issue(USUAL)
    invoice.paid = 12_000
    settle_invoice(session, invoice, actor=system, now=now)
    session.add(
        LedgerEntry(
            customer_id=invoice.customer_id, invoice_id=invoice.id, kind=LedgerKind.PAID, amount=-12_000,
            currency="EUR", key=f"test:{invoice.id}", at=now,
        )
    )  # fmt: skip
    (line,) = session.scalars(select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id))
    with pytest.raises(Invalid):
        credit_invoice(
            session, invoice.id, reason="Half", lines=[CreditedLine(line.id, Decimal(3))], actor=system, now=now
        )
    note = credit_invoice(
        session, invoice.id, reason="Half", lines=[CreditedLine(line.id, Decimal(1))], actor=system, now=now
    )
    assert (note.total, invoice.paid, invoice.credited) == (6_000, 6_000, 6_000)
    assert owed_by_ledger(session, invoice) == invoice.outstanding == 0
    credit = select(LedgerEntry.amount).where(LedgerEntry.key == f"credit:{note.id}:added")
    assert session.scalar(credit) == -6_000
    with pytest.raises(Invalid):
        credit_invoice(session, invoice.id, reason="Too much", lines=[CreditedLine(line.id)], actor=system, now=now)


def test_what_a_payment_has_reserved_is_not_credited(
    session: TenantSession, issue: Issue, system: Actor, now: datetime
) -> None:
    invoice = issue()
    invoice.reserved = 1
    session.flush()
    with pytest.raises(Conflict):
        credit_invoice(session, invoice.id, reason="Agreed", actor=system, now=now)


def test_who_sees_an_invoice(
    session: TenantSession, issue: Issue, actor_of: Callable[[str], Actor], world: World, now: datetime
) -> None:
    invoice = issue()
    for name in ("alice", "bob", "bill", "sam", "mia", "ada"):
        assert get_invoice(session, invoice.id, actor=actor_of(name)) is invoice
        if not actor_of(name).is_staff:
            found = list_invoices(session, InvoiceFilter(limit=100), actor=actor_of(name))
            assert {row.customer_id for row in found.items} == {world.companies["acme"]}
    with pytest.raises(NotFound):
        get_invoice(session, invoice.id, actor=actor_of("charlie"))
    with pytest.raises(Forbidden):
        get_invoice(session, invoice.id, actor=actor_of("dora"))
    for name in ("alice", "bob", "sam", "mia"):
        with pytest.raises(Forbidden):
            void_invoice(session, invoice.id, reason="No", actor=actor_of(name), now=now)


def test_a_draft_is_nothing_to_the_customer(
    session: TenantSession, actor_of: Callable[[str], Actor], world: World, system: Actor, now: datetime
) -> None:
    draft = draft_invoice(
        session, customer_id=world.companies["acme"], currency="EUR", lines=[USUAL], actor=system, now=now
    )
    with pytest.raises(NotFound):
        get_invoice(session, draft.id, actor=actor_of("alice"))


def test_pages_of_the_list_go_forth_and_back(
    session: TenantSession, issue: Issue, actor_of: Any, now: datetime
) -> None:
    made = [issue(now=now + timedelta(days=400 + day)).id for day in range(5)]
    wanted = InvoiceFilter(issued_from=date(2027, 12, 29), issued_to=date(2028, 1, 2), limit=2)
    bill = actor_of("bill")
    first = list_invoices(session, wanted, actor=bill)
    second = list_invoices(session, InvoiceFilter(**vars(wanted) | {"cursor": first.next_cursor}), actor=bill)
    assert [row.id for row in (*first.items, *second.items)] == made[:0:-1]
    back = list_invoices(session, InvoiceFilter(**vars(wanted) | {"cursor": second.previous_cursor}), actor=bill)
    assert [row.id for row in back.items] == [row.id for row in first.items]
