"""A year of monthly invoices with auto-pay, its clock played: the exact calendar of charges, notices and reminders."""

from datetime import datetime, timedelta
from typing import Any

from portal.services.billing.dunning import advance_invoice
from portal.services.payments.auto_pay import advance_auto_pay
from tests.years import Year, yearly_till

YEAR = 2031


class Played(Year):
    """What the timers of the worker would do: whatever is told of wakes them, else they wake as they asked."""

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


def test_a_year_of_invoices_has_exactly_this_calendar(till: Any) -> None:
    with yearly_till(till) as mine:
        year = Played(mine, YEAR)
        mine.now = year.at(1, 1, 8)
        year.live()
        year.check()


def test_the_clock_of_the_test_names_hours_of_the_tenant(till: Any) -> None:
    with yearly_till(till) as mine:
        year = Played(mine, YEAR)
    assert year.at(7, 1, 8) - year.at(1, 1, 8) == timedelta(days=181, hours=-1)
