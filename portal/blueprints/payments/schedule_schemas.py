"""Planned payments in the API: what customers send and get."""

from datetime import date
from typing import Self
from uuid import UUID

from pydantic import Field

from portal.blueprints.accounts.account_schemas import Day
from portal.blueprints.api.schemas import Body, ListOf, PageQuery, Shape, UtcDateTime, left_out
from portal.blueprints.billing.requests import MoneyRequest
from portal.blueprints.billing.schemas import Money
from portal.blueprints.localisation import gettext
from portal.blueprints.payments.schemas import UsedMethod
from portal.lib.wording.scheduled import end_text
from portal.models import ScheduleStatus
from portal.services.payments.planned_rows import PlannedRow


class ScheduleRequest(Body):
    """On which day an invoice is paid, and with what."""

    day: Day = Field(description="After today, in the tenant's time zone; charged as it begins.")
    payment_method_id: UUID
    amount: MoneyRequest | None = left_out(description="All that is due then unless given.")


class ScheduledItem(Shape):
    """A planned payment; once it is started, its payment says the rest."""

    id: UUID
    invoice_id: UUID
    invoice_number: str
    status: ScheduleStatus
    day: date
    charge_at: UtcDateTime
    amount: Money = Field(description="As things stand, where all that is due is charged.")
    all_that_is_due: bool
    payment_method_id: UUID
    method: UsedMethod
    payment_id: UUID | None
    ended: str | None = Field(description="Why nothing was charged, in the reader's language.")

    @classmethod
    def of(cls, row: PlannedRow) -> Self:
        """The item of a row."""
        planned, method = row.planned, row.method
        return cls(
            id=planned.id,
            invoice_id=planned.invoice_id,
            invoice_number=row.invoice.number or "",
            status=planned.status,
            day=planned.day,
            charge_at=planned.charge_at,
            amount=Money(amount=row.amount, currency=planned.currency),
            all_that_is_due=planned.amount is None,
            payment_method_id=method.id,
            method=UsedMethod(kind=method.kind, brand=method.brand, last4=method.last4),
            payment_id=planned.payment_id,
            ended=end_text(planned.code, gettext) if planned.code else None,
        )


class ScheduledPayments(ListOf[ScheduledItem]):
    """A page of planned payments, the latest day first."""


class ScheduledQuery(PageQuery):
    """Filters."""

    status: ScheduleStatus = left_out()
