"""A year's spending in the API."""

from typing import Self

from pydantic import Field

from portal.blueprints.api.schemas import Query, Shape, left_out
from portal.blueprints.billing.schemas import Money
from portal.services.billing.spending import Spending, Standing


class SpendingQuery(Query):
    """Which year."""

    year: int = left_out(ge=2000, le=2200, description="The present one unless given.")


class StandingItem(Shape):
    """Invoices in one state."""

    count: int
    amount: Money


class NamedSum(Shape):
    """A service type (empty: lines without one) or a kind of method, and its sum."""

    name: str
    amount: Money


class YearSpending(Shape):
    """A year in one currency."""

    currency: str
    total: Money
    paid: StandingItem
    pending: StandingItem
    overdue: StandingItem
    average_days_to_pay: float | None
    months: list[Money] = Field(description="January to December, taxes included, less credit notes.")
    services: list[NamedSum] = Field(description="Before tax.")
    methods: list[NamedSum] = Field(description="What arrived, less what went back.")

    @classmethod
    def of(cls, found: Spending) -> Self:
        """The item of a currency."""
        currency = found.currency
        return cls(
            currency=currency,
            total=Money(amount=found.total, currency=currency),
            paid=_standing(found.paid, currency),
            pending=_standing(found.pending, currency),
            overdue=_standing(found.overdue, currency),
            average_days_to_pay=found.days_to_pay,
            months=[Money(amount=amount, currency=currency) for amount in found.months],
            services=_sums(found.services, currency),
            methods=_sums(found.methods, currency),
        )


class SpendingList(Shape):
    """A year by currency."""

    year: int
    items: list[YearSpending]


def _standing(found: Standing, currency: str) -> StandingItem:
    return StandingItem(count=found.count, amount=Money(amount=found.amount, currency=currency))


def _sums(rows: tuple[tuple[str, int], ...], currency: str) -> list[NamedSum]:
    return [NamedSum(name=name, amount=Money(amount=amount, currency=currency)) for name, amount in rows]
