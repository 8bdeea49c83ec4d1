"""What comes to an unpaid invoice by itself: each step once, at its second, and nothing once it is settled."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.authz import Actor
from portal.models import Invoice, InvoiceKind, InvoiceStatus, MailMessage, NextStep, Notification, OutboxEvent
from portal.models.session import TenantSession
from portal.services.billing.dunning import advance_invoice
from portal.services.billing.letters import answer_invoice
from portal.services.billing.settings import load_settings
from portal.services.billing.status import settle_invoice
from tests.world import World

Issue = Callable[..., Invoice]
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@pytest.fixture
def invoice(session: TenantSession, issue: Issue) -> Invoice:
    """Due in ten days; reminders three days before and one after, a fee of 5 percent after two."""
    settings = load_settings(session)
    settings.dunning = {"reminders": ["-P3D", "P1D"], "retry_after": []}
    settings.late_fee_percent, settings.late_fee_after_days = Decimal(5), 2
    return issue(due_on=date(2026, 12, 4))


def events_of(session: TenantSession, invoice: Invoice) -> list[str]:
    query = select(OutboxEvent.kind).where(OutboxEvent.record_id == invoice.id).order_by(OutboxEvent.seq)
    return list(session.scalars(query))


def test_the_calendar_of_an_invoice_that_nobody_pays(session: TenantSession, invoice: Invoice) -> None:
    due = invoice.due_at
    assert due is not None
    woken, now = [], invoice.created_at
    while (wake := advance_invoice(session, invoice.id, cycle=0, now=now)).at is not None:
        woken.append(wake.at)
        # Before its time nothing comes, however often somebody looks.
        assert advance_invoice(session, invoice.id, cycle=0, now=wake.at - SECOND).at == wake.at
        now = wake.at
    assert woken == [due - 3 * DAY, due, due + DAY, due + 2 * DAY]
    assert events_of(session, invoice) == ["invoice.issued", "invoice.reminded", "invoice.overdue", "invoice.reminded"]
    assert invoice.status is InvoiceStatus.OVERDUE
    fees = session.scalars(select(Invoice).where(Invoice.source_key == f"late_fee:{invoice.id}")).all()
    assert [(fee.kind, fee.total, fee.tax_total) for fee in fees] == [(InvoiceKind.LATE_FEE, 600, 0)]
    assert advance_invoice(session, fees[0].id, cycle=0, now=fees[0].due_at + 400 * DAY).at is None  # type: ignore[operator]
    assert session.scalar(select(func.count()).where(Invoice.source_key.startswith(f"late_fee:{fees[0].id}"))) == 0


def test_next_steps_tell_what_comes(session: TenantSession, invoice: Invoice) -> None:
    steps = select(NextStep.kind, NextStep.at).where(NextStep.record_id == invoice.id).order_by(NextStep.at)
    due = invoice.due_at
    assert due is not None
    assert [tuple(row) for row in session.execute(steps)] == [
        ("invoice_reminder", due - 3 * DAY),
        ("invoice_overdue", due),
        ("invoice_reminder", due + DAY),
    ]


def test_of_missed_reminders_only_the_last_is_sent(session: TenantSession, invoice: Invoice) -> None:
    advance_invoice(session, invoice.id, cycle=0, now=invoice.due_at + DAY)  # type: ignore[operator]
    assert events_of(session, invoice).count("invoice.reminded") == 1
    assert invoice.dunned["reminder:-P3D"] == ""
    assert invoice.dunned["reminder:P1D"]


def test_what_was_past_when_it_was_issued_never_comes(session: TenantSession, issue: Issue, now: datetime) -> None:
    load_settings(session).dunning = {"reminders": ["-P3D", "P1D"]}
    invoice = issue(due_on=date(2026, 11, 25))
    wake = advance_invoice(session, invoice.id, cycle=0, now=now)
    assert wake.at == invoice.due_at
    assert events_of(session, invoice) == ["invoice.issued"]


@pytest.mark.parametrize(("held", "done"), [("paid", True), ("disputed", False), ("reserved", False)])
def test_what_is_paid_or_held_back_is_left_alone(
    session: TenantSession, invoice: Invoice, system: Actor, now: datetime, held: str, done: bool
) -> None:
    setattr(invoice, held, 12_000)
    settle_invoice(session, invoice, actor=system, now=now)
    wake = advance_invoice(session, invoice.id, cycle=0, now=now + 30 * DAY)
    assert (wake.at, wake.done) == (None, done)
    assert "invoice.overdue" not in events_of(session, invoice)


def test_an_earlier_run_ends_when_another_began(session: TenantSession, invoice: Invoice, now: datetime) -> None:
    invoice.cycle = 1
    session.flush()
    assert advance_invoice(session, invoice.id, cycle=0, now=now).done
    assert not advance_invoice(session, invoice.id, cycle=1, now=now).done


def _event(session: TenantSession, invoice: Invoice, kind: str) -> Any:
    query = select(OutboxEvent.id).where(OutboxEvent.record_id == invoice.id, OutboxEvent.kind == kind)
    return session.scalars(query).one()


def test_the_companys_people_are_told_once_by_bell_and_mail(
    session: TenantSession, invoice: Invoice, world: World, now: datetime
) -> None:
    event_id = _event(session, invoice, "invoice.issued")
    for _ in range(2):
        assert answer_invoice(session, event_id, base_url="http://127.0.0.1", now=now)
    rung = session.scalars(select(Notification.user_id).where(Notification.record_id == invoice.id)).all()
    assert {world.people[name].user_id for name in ("alice", "bob")} <= set(rung)
    assert len(rung) == len(set(rung))
    assert not {world.people[name].user_id for name in ("charlie", "bill", "sam")} & set(rung)
    mails = session.scalars(select(MailMessage).where(MailMessage.subject.contains(invoice.number))).all()
    assert len(mails) == len(rung)
    assert f"/portal/invoices/{invoice.id}" in mails[0].text
    assert "€120.00" in mails[0].text


def test_of_an_overdue_invoice_billing_hears_too_and_of_a_paid_one_nobody(
    session: TenantSession, invoice: Invoice, world: World, system: Actor, now: datetime
) -> None:
    later = invoice.due_at
    assert later is not None
    advance_invoice(session, invoice.id, cycle=0, now=later)
    event_id = _event(session, invoice, "invoice.overdue")
    with session.begin_nested() as undone:
        answer_invoice(session, event_id, base_url="http://127.0.0.1", now=later)
        rung = set(session.scalars(select(Notification.user_id).where(Notification.event_id == event_id)))
        assert world.people["bill"].user_id in rung
        assert world.people["alice"].user_id in rung
        undone.rollback()
    invoice.paid = 12_000
    settle_invoice(session, invoice, actor=system, now=later)
    assert answer_invoice(session, event_id, base_url="http://127.0.0.1", now=later)
    assert session.scalar(select(func.count()).where(Notification.event_id == event_id)) == 0
