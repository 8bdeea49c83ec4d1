"""What else narrows a payment history (BIL-12): outcome, kind of method, service type, range of amounts; and presets.

Amounts are minor units of one currency, so a range looks at payments in that currency alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, false, func, select

from portal.authz import Actor
from portal.lib.text import has_forbidden_characters
from portal.models import UNDECIDED, Invoice, InvoiceLine, Payment, PaymentAllocation, PaymentStatus
from portal.models.session import TenantSession, prepare
from portal.services.billing.queries import Sight, sight_of, values_of, visible_by

MOST_SERVICES = 50
# What older invoices alone name is still found by its name; reading every line of a long account would take longer
# than the page.
NEWEST = 200


class Outcome(StrEnum):
    """What became of a payment, as people ask for it."""

    SUCCESS = "success"
    PENDING = "pending"
    FAILED = "failed"
    REFUNDED = "refunded"


@dataclass(frozen=True)
class Narrowing:
    """All of these have to fit; `least` and `most` are included and count in `currency`."""

    outcome: Outcome | None = None
    method: str = ""
    service: str = ""
    least: int | None = None
    most: int | None = None
    currency: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """What rows have to meet."""
        if has_forbidden_characters(self.service + self.method):
            return [false()]
        found: list[ColumnElement[bool]] = []
        if self.outcome is not None:
            found.append(_OUTCOMES[self.outcome])
        if self.method:
            # What came without a method of the gateway (a transfer, credit) is told by its kind.
            used = func.coalesce(Payment.method["kind"].astext, Payment.kind)
            found.append(used == self.method)
        if self.service:
            line = exists().where(
                InvoiceLine.invoice_id == PaymentAllocation.invoice_id, InvoiceLine.service_type == self.service
            )
            found.append(exists().where(PaymentAllocation.payment_id == Payment.id, line))
        if self.least is not None:
            found.append(Payment.amount >= self.least)
        if self.most is not None:
            found.append(Payment.amount <= self.most)
        if self.currency and (self.least is not None or self.most is not None):
            found.append(Payment.currency == self.currency)
        return found


_OUTCOMES: dict[Outcome, ColumnElement[bool]] = {
    Outcome.SUCCESS: Payment.status == PaymentStatus.SUCCEEDED,
    Outcome.PENDING: Payment.status.in_(UNDECIDED),
    Outcome.FAILED: Payment.status.in_([PaymentStatus.FAILED, PaymentStatus.CANCELLED]),
    Outcome.REFUNDED: Payment.refunded > 0,
}


def _month(day: date) -> tuple[date, date]:
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day.replace(day=1), following - timedelta(days=1)


# Preset -> the first and the last day, from today's date.
PRESETS: dict[str, Callable[[date], tuple[date, date]]] = {
    "this_month": _month,
    "last_month": lambda today: _month(today.replace(day=1) - timedelta(days=1)),
    "last_30_days": lambda today: (today - timedelta(days=29), today),
    "last_90_days": lambda today: (today - timedelta(days=89), today),
    "this_year": lambda today: (date(today.year, 1, 1), date(today.year, 12, 31)),
    "last_year": lambda today: (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
}


def list_service_types(session: TenantSession, *, actor: Actor) -> list[str]:
    """Service types that the actor's newest invoices name, in order; Forbidden without the right to see any."""
    return list(session.read(_service_types(sight_of(actor)), values_of(actor)).scalars())


@cache
def _service_types(sight: Sight) -> Select[Any]:
    newest = select(Invoice.id).where(visible_by(sight), Invoice.issued_on.is_not(None))
    ids = newest.order_by(Invoice.issued_on.desc(), Invoice.id.desc()).limit(NEWEST).subquery()
    query = select(InvoiceLine.service_type).join(ids, ids.c.id == InvoiceLine.invoice_id)
    named = query.where(InvoiceLine.service_type != "").distinct().order_by(InvoiceLine.service_type)
    return prepare(named.limit(MOST_SERVICES))
