"""How an amount is divided into instalments, and on which days they fall: pure."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from portal.errors import invalid
from portal.models import PlanInterval

FEWEST, MOST = 2, 12
# The first instalment no later than this after today, and the last no later than that.
FIRST_WITHIN = timedelta(days=92)
LAST_WITHIN = timedelta(days=2 * 366)


@dataclass(frozen=True)
class Part:
    """One instalment: its day in the tenant's zone, and whole minor units."""

    due_on: date
    amount: int


def divide(total: int, count: int, interval: PlanInterval, first_on: date) -> list[Part]:
    """Equal parts that add up to `total` exactly; what cannot be divided goes with the first one."""
    share, rest = divmod(total, count)
    days = instalment_days(count, interval, first_on)
    return [Part(day, share + (rest if index == 0 else 0)) for index, day in enumerate(days)]


def instalment_days(count: int, interval: PlanInterval, first_on: date) -> list[date]:
    """The days; those of months are the first one's day, or the last day of a month that is shorter."""
    if interval is PlanInterval.WEEKLY:
        return [first_on + timedelta(weeks=index) for index in range(count)]
    return [_month_later(first_on, index) for index in range(count)]


def check_parts(parts: Sequence[Part], total: int, today: date) -> None:
    """Raise Invalid about `instalments` unless they can be a plan over `total`, from tomorrow on."""
    if not FEWEST <= len(parts) <= MOST:
        raise invalid("instalments", "plan_count")
    if any(part.amount <= 0 for part in parts) or sum(part.amount for part in parts) != total:
        raise invalid("instalments", "plan_sum")
    days = [part.due_on for part in parts]
    if days != sorted(set(days)) or days[0] <= today:
        raise invalid("instalments", "plan_days")
    if days[-1] > today + LAST_WITHIN:
        raise invalid("instalments", "plan_too_long")


def _month_later(first_on: date, months: int) -> date:
    year, month = divmod(first_on.year * 12 + first_on.month - 1 + months, 12)
    return date(year, month + 1, min(first_on.day, monthrange(year, month + 1)[1]))
