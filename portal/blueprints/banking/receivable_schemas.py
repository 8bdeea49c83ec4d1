"""Receivables and write-offs in the API of the team."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import Body, ListOf, Query, Shape, UtcDateTime, left_out
from portal.blueprints.banking.schemas import Reason
from portal.blueprints.billing.requests import MoneyRequest
from portal.blueprints.billing.schemas import Money
from portal.models import AutoPayState, WriteOff, WriteOffStatus
from portal.services.billing.open_items import BUCKETS
from portal.services.billing.receivables import Ageing, Board, CustomerAgeing, FailedCharge

Currency = Annotated[str, Field(min_length=3, max_length=3)]


class AgeingItem(Shape):
    """What is owed in one currency, by days since the due day."""

    currency: str
    count: int
    total: Money
    not_due: Money
    days_1_30: Money
    days_31_60: Money
    days_61_90: Money
    days_over_90: Money

    @classmethod
    def of(cls, ageing: Ageing) -> Self:
        """The item of a sum."""
        parts = dict(zip(BUCKETS, ageing.buckets, strict=True))
        return cls(
            currency=ageing.currency,
            count=ageing.count,
            total=Money(amount=ageing.total, currency=ageing.currency),
            **{name: Money(amount=amount, currency=ageing.currency) for name, amount in parts.items()},
        )


class CustomerReceivables(Shape):
    """What a customer owes in one currency, and what comes next."""

    customer_id: UUID
    customer_name: str
    ageing: AgeingItem
    failed_payments: int
    next_reminder_at: UtcDateTime | None
    next_charge_at: UtcDateTime | None

    @classmethod
    def of(cls, row: CustomerAgeing) -> Self:
        """The item of a line."""
        return cls(
            customer_id=row.customer_id,
            customer_name=row.name,
            ageing=AgeingItem.of(row.ageing),
            failed_payments=row.failed,
            next_reminder_at=row.upcoming.reminder_at,
            next_charge_at=row.upcoming.charge_at,
        )


class FailedAutoPay(Shape):
    """An automatic payment that failed."""

    invoice_id: UUID
    number: str
    customer_id: UUID
    outstanding: Money
    state: AutoPayState
    attempts: int
    code: str | None
    next_at: UtcDateTime | None = Field(description="When it is tried again; null where it is not.")

    @classmethod
    def of(cls, row: FailedCharge) -> Self:
        """The item of a row."""
        return cls(
            invoice_id=row.invoice_id,
            number=row.number,
            customer_id=row.customer_id,
            outstanding=Money(amount=row.outstanding, currency=row.currency),
            state=row.state,
            attempts=row.attempts,
            code=row.code,
            next_at=row.next_at,
        )


class Receivables(Shape):
    """The board."""

    totals: list[AgeingItem]
    customers: list[CustomerReceivables] = Field(description="At most 50, those who owe most late first.")
    more_customers: bool
    failed_auto_pay: list[FailedAutoPay] = Field(description="At most 20, the newest first.")

    @classmethod
    def of(cls, board: Board) -> Self:
        """The board's shape."""
        return cls(
            totals=[AgeingItem.of(one) for one in board.totals],
            customers=[CustomerReceivables.of(one) for one in board.customers],
            more_customers=board.more,
            failed_auto_pay=[FailedAutoPay.of(one) for one in board.failed],
        )


class ReceivablesQuery(Query):
    """Filters; both have to fit."""

    customer_id: UUID | None = Field(None, description="Of one customer.")
    currency: Currency | None = Field(None, description="In one currency.")


class WriteOffBody(Body):
    """What is given up and why."""

    reason: Reason
    amount: MoneyRequest | None = left_out(description="All that is owed unless given.")


class ReversalBody(Body):
    """Why a write-off is taken back."""

    reason: Reason


class DecisionBody(Body):
    """Whether to agree."""

    approve: bool


class WriteOffItem(Shape):
    """A write-off, or the taking back of one."""

    id: UUID
    reverses_id: UUID | None = Field(description="The write-off that this takes back.")
    invoice_id: UUID
    amount: Money
    status: WriteOffStatus
    reason: str
    requested_by: str
    decided_by: str
    created_at: UtcDateTime

    @classmethod
    def of(cls, row: WriteOff) -> Self:
        """The item of a row."""
        return cls(
            id=row.id,
            reverses_id=row.reverses_id,
            invoice_id=row.invoice_id,
            amount=Money(amount=row.amount, currency=row.currency),
            status=row.status,
            reason=row.reason,
            requested_by=row.requested_by_name,
            decided_by=row.decided_by_name,
            created_at=row.created_at,
        )


class WriteOffs(ListOf[WriteOffItem]):
    """The write-offs of an invoice, the newest first."""
