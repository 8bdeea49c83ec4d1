"""A year of monthly invoices with auto-pay, its clock played: the exact calendar of charges, notices and reminders."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from portal.models import MailMessage, OutboxEvent, Payment, PaymentStatus, Role
from portal.services.billing.dunning import advance_invoice
from portal.services.billing.settings import load_settings
from portal.services.payments.agreement import Agreement, save_agreement
from portal.services.payments.auto_pay import advance_auto_pay
from portal.services.payments.confirming import begin_confirmation, confirm_payment
from portal.services.payments.methods import make_default
from tests.world import World, _add_company, _add_person

PARIS = ZoneInfo("Europe/Paris")
YEAR = 2031
PLAN = {"reminders": ["-P2DT15H", "P1DT9H", "P7DT9H"], "retry_after": ["P3D", "P5D", "P7D"]}
MAILS = {"payment_announced": "announced", "payment_received": "received", "payment_failed": "failed"}
EVENTS = {"invoice.reminded": "reminded", "invoice.overdue": "overdue"}


def at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(YEAR, month, day, hour, tzinfo=PARIS).astimezone(UTC)


def usual(month: int) -> list[str]:
    """A month in which the card pays."""
    return [f"{month:02}-12 00 announced", f"{month:02}-13 09 reminded", f"{month:02}-15 00 received"]


EXPECTED = [
    *usual(1),
    *usual(2),
    # Not enough money: tried again after three days and then after five, when there is some.
    *usual(3)[:2],
    *("03-15 00 failed", "03-16 00 overdue", "03-17 09 reminded", "03-18 00 failed", "03-23 00 received"),
    *usual(4),
    *usual(5),
    # The bank asks for the card's owner, who confirms the next day; nobody is reminded meanwhile.
    *usual(6)[:2],
    *("06-15 00 failed", "06-16 10 received"),
    *usual(7),
    *usual(8),
    # A stolen card is not tried again; another default method is charged at once.
    *usual(9)[:2],
    *("09-15 00 failed", "09-16 00 overdue", "09-17 09 reminded", "09-23 09 reminded", "09-25 10 received"),
    *usual(10),
    *usual(11),
    *usual(12),
]


@pytest.fixture
def yearly(till: Any) -> Any:
    """A company of its own with an administrator, where the tenant reminds and retries as it usually does."""
    world = World(till.world.demo, till.world.nova, people=dict(till.world.people))
    with till.begin() as session:
        stored = load_settings(session)
        before, stored.dunning = dict(stored.dunning), PLAN
        company = world.companies["yearly"] = _add_company(session, "Yearly", uuid4().hex[:8].upper())
        mail = f"yves-{uuid4().hex}@yearly.example"
        _add_person(session, world, "yves", "Yves", mail, Role.CUSTOMER_ADMIN, company, "-")
    yield replace(till, world=world, now=at(1, 1, 8))
    till.settings(dunning=before)


class Year:
    """What the timers of the worker would do: whatever is told of wakes them, else they wake as they asked."""

    def __init__(self, till: Any) -> None:
        self.till, self.company = till, till.world.companies["yearly"]
        self.invoices: list[UUID] = []

    def advance(self, now: datetime) -> datetime | None:
        """Everything that it is time for; gives when to come back."""
        self.till.now = now
        wakes = [advance_auto_pay(self.till.desk, self.company, now=now)]
        for invoice in self.invoices:
            with self.till.begin() as session:
                wakes.append(advance_invoice(session, invoice, cycle=0, now=now).at)
        return min((wake for wake in wakes if wake is not None and wake > now), default=None)

    def until(self, end: datetime) -> None:
        """Let the time pass."""
        wake = self.advance(self.till.now)
        while wake is not None and wake < end:
            wake = self.advance(wake)
        self.till.now = end

    def issue(self) -> None:
        """This month's invoice, due on the fifteenth."""
        self.invoices.append(self.till.invoice(10000, company="yearly", days=14))

    def calendar(self) -> list[str]:
        """What happened, in the tenant's zone."""
        mail = self.till.world.people["yves"].email
        told = [(row.created_at, MAILS[row.template]) for row in self.till.rows(
            MailMessage, MailMessage.recipient == mail, MailMessage.template.in_(MAILS)
        )]  # fmt: skip
        told += [(row.occurred_at, EVENTS[row.kind]) for row in self.till.rows(
            OutboxEvent, OutboxEvent.record_id.in_(self.invoices), OutboxEvent.kind.in_(EVENTS)
        )]  # fmt: skip
        return [f"{when.astimezone(PARIS):%m-%d %H} {what}" for when, what in sorted(told)]


def test_a_year_of_invoices_has_exactly_this_calendar(yearly: Any) -> None:
    year, yves = Year(yearly), yearly.actor("yves")
    first = yearly.save_card("yearly")
    with yearly.begin() as session:
        save_agreement(session, None, Agreement(True, first), actor=yves, now=yearly.now)
    for month in range(1, 13):
        year.until(at(month, 1, 8))
        year.issue()
        if month == 3:
            yearly.gateway.decline = "insufficient_funds"
            year.until(at(3, 20))
            yearly.gateway.decline = None
        if month == 6:
            yearly.gateway.decline = "authentication_required"
            year.until(at(6, 16, 10))
            confirm(yearly)
        if month == 9:
            yearly.gateway.decline = "stolen_card"
            year.until(at(9, 25, 10))
            yearly.gateway.decline = None
            second = yearly.save_card("yearly")
            with yearly.begin() as session:
                make_default(session, second, actor=yves, now=yearly.now)
    year.until(at(12, 31))
    assert year.calendar() == EXPECTED
    assert {yearly.get_invoice(one).status.value for one in year.invoices} == {"paid"}
    payments = yearly.rows(Payment, Payment.customer_id == year.company)
    assert sum(one.amount for one in payments if one.status is PaymentStatus.SUCCEEDED) == 12 * 10000
    # Three refusals cost a payment of their own each; what the bank asked about is the same payment.
    assert len(payments) == 12 + 3
    assert len(yearly.gateway.intents) == len(payments)


def confirm(till: Any) -> None:
    """The owner answers the bank."""
    till.gateway.decline = None
    waiting = till.rows(Payment, Payment.status == PaymentStatus.REQUIRES_ACTION)
    mine = next(one for one in waiting if one.customer_id == till.world.companies["yearly"])
    with till.begin() as session:
        begin_confirmation(session, mine.id, actor=till.actor("yves"), now=till.now)
    confirm_payment(till.desk, mine.id, now=till.now)


def test_the_clock_of_the_test_names_hours_of_the_tenant() -> None:
    assert at(7, 1, 8) - at(1, 1, 8) == timedelta(days=181, hours=-1)
