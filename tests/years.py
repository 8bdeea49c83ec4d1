"""A year of monthly invoices with auto-pay: what happens in it, and the exact calendar that must come of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from portal.models import MailMessage, OutboxEvent, Payment, PaymentStatus, Role
from portal.services.billing.settings import load_settings
from portal.services.payments.agreement import Agreement, save_agreement
from portal.services.payments.confirming import begin_confirmation, confirm_payment
from portal.services.payments.methods import make_default
from tests.tills import Till
from tests.world import World, _add_company, _add_person

PARIS = ZoneInfo("Europe/Paris")
PLAN = {"reminders": ["-P2DT15H", "P1DT9H", "P7DT9H"], "retry_after": ["P3D", "P5D", "P7D"]}
MAILS = {"payment_announced": "announced", "payment_received": "received", "payment_failed": "failed"}
EVENTS = {"invoice.reminded": "reminded", "invoice.overdue": "overdue"}
AMOUNT = 10000


def usual(month: int) -> list[str]:
    """A month in which the card pays."""
    return [f"{month:02}-12 00 announced", f"{month:02}-13 09 reminded", f"{month:02}-15 00 received"]


# Month, day and hour in the tenant's zone, and what its people are told.
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


@contextmanager
def yearly_till(till: Till) -> Iterator[Till]:
    """The till with a company of its own, where the tenant reminds and retries as it usually does."""
    world = World(till.world.demo, till.world.nova, people=dict(till.world.people))
    with till.begin() as session:
        stored = load_settings(session)
        before, stored.dunning = dict(stored.dunning), PLAN
        company = world.companies["yearly"] = _add_company(session, "Yearly", uuid4().hex[:8].upper())
        mail = f"yves-{uuid4().hex}@yearly.example"
        _add_person(session, world, "yves", "Yves", mail, Role.CUSTOMER_ADMIN, company, "-")
    yield replace(till, world=world)
    till.settings(dunning=before)


class Year:
    """One calendar year; who lets its time pass is said by those who inherit."""

    def __init__(self, till: Till, year: int) -> None:
        self.till, self.year, self.company = till, year, till.world.companies["yearly"]
        self.invoices: list[UUID] = []

    def until(self, end: datetime) -> None:
        """Let the time pass, and happen what the product does in it."""
        raise NotImplementedError

    def at(self, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
        """An instant by the tenant's clock."""
        return datetime(self.year, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)

    def live(self) -> None:
        """What customer and bank do in this year."""
        self.until(self.at(1, 1, 8))
        self._agree()
        for month in range(1, 13):
            self.until(self.at(month, 1, 8))
            # Due on the fifteenth.
            self.invoices.append(self.till.invoice(AMOUNT, company="yearly", days=14))
            self._in_month(month)
        self.until(self.at(12, 31))

    def check(self) -> None:
        """The calendar is exactly the expected one, and every invoice was paid once."""
        assert self.calendar() == EXPECTED
        assert {self.till.get_invoice(one).status.value for one in self.invoices} == {"paid"}
        payments = self.till.rows(Payment, Payment.customer_id == self.company)
        assert sum(one.amount for one in payments if one.status is PaymentStatus.SUCCEEDED) == 12 * AMOUNT
        # Three refusals cost a payment of their own each; what the bank asked about is the same payment.
        assert len(payments) == 12 + 3
        assert len(self.till.gateway.intents) == len(payments)

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

    def _agree(self) -> None:
        first = self.till.save_card("yearly")
        with self.till.begin() as session:
            agreement = Agreement(True, first)
            save_agreement(session, None, agreement, actor=self.till.actor("yves"), now=self.till.now)

    def _in_month(self, month: int) -> None:
        gateway: Any = self.till.gateway
        if month == 3:
            gateway.decline = "insufficient_funds"
            self.until(self.at(3, 20))
            gateway.decline = None
        if month == 4:
            self.outage()
        if month == 6:
            gateway.decline = "authentication_required"
            self.until(self.at(6, 16, 10))
            self._confirm()
        if month == 9:
            gateway.decline = "stolen_card"
            self.until(self.at(9, 25, 10))
            gateway.decline = None
            second = self.till.save_card("yearly")
            with self.till.begin() as session:
                make_default(session, second, actor=self.till.actor("yves"), now=self.till.now)

    def outage(self) -> None:
        """The gateway is away while April's charge is due; for those whose timers repeat what failed."""

    def _confirm(self) -> None:
        self.till.gateway.decline = None
        waiting = self.till.rows(Payment, Payment.status == PaymentStatus.REQUIRES_ACTION)
        mine = next(one for one in waiting if one.customer_id == self.company)
        with self.till.begin() as session:
            begin_confirmation(session, mine.id, actor=self.till.actor("yves"), now=self.till.now)
        confirm_payment(self.till.desk, mine.id, now=self.till.now)
