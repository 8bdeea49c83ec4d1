"""Transfers, receivables and write-offs in the API of the team."""

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import SOME_TEXT, Body, ListOf, PageQuery, Query, Shape, UtcDateTime, left_out
from portal.blueprints.billing.schemas import Money, MoneyRequest
from portal.models import (
    AutoPayState,
    BankStatement,
    BankTransaction,
    StatementFormat,
    TransferStatus,
    WriteOff,
    WriteOffStatus,
)
from portal.services.banking.queries import MatchRow, TransferDetail
from portal.services.banking.suggesting import Candidate, Suggestion
from portal.services.billing.open_items import BUCKETS
from portal.services.billing.receivables import Ageing, Board, CustomerAgeing, FailedCharge
from portal.services.payments.reserving import MOST_INVOICES

Reason = Annotated[str, Field(max_length=255, json_schema_extra=SOME_TEXT)]
Currency = Annotated[str, Field(min_length=3, max_length=3)]


class StatementItem(Shape):
    """A statement that was read."""

    id: UUID
    format: StatementFormat
    added: int = Field(description="Transfers that were new.")
    known: int = Field(description="Transfers that were there already.")
    passed_over: int = Field(description="Debits, reversals, and what is not booked yet.")
    finished_at: UtcDateTime | None = Field(description="Null where the columns of a table have to be named first.")

    @classmethod
    def of(cls, row: BankStatement) -> Self:
        """The item of a row."""
        return cls(
            id=row.id,
            format=row.format,
            added=row.added,
            known=row.known,
            passed_over=row.passed_over,
            finished_at=row.finished_at,
        )


class TransferItem(Shape):
    """Money that reached the account."""

    id: UUID
    status: TransferStatus
    booked_on: date
    amount: Money
    account: str
    payer_name: str
    payer_account: str
    remittance: str
    reference: str
    bank_reference: str
    note: str

    @classmethod
    def values(cls, row: BankTransaction) -> dict[str, object]:
        """The fields of a row."""
        plain = ("id", "status", "booked_on", "account", "payer_name", "payer_account")
        words = ("remittance", "reference", "bank_reference", "note")
        amount = Money(amount=row.amount, currency=row.currency)
        return {**{name: getattr(row, name) for name in (*plain, *words)}, "amount": amount}


class Transfers(ListOf[TransferItem]):
    """A page of transfers, the newest first."""


class SuggestedInvoice(Shape):
    """An invoice that a transfer may be for."""

    invoice_id: UUID
    number: str
    customer_id: UUID
    customer_name: str
    outstanding: Money
    score: int = Field(description="From 0 to 100.")
    reasons: list[Literal["reference", "number", "sum", "amount", "account", "name"]]
    amount: Money | None = Field(description="What the suggested booking gives it.")

    @classmethod
    def of(cls, one: Candidate) -> Self:
        """The item of a candidate."""
        invoice = one.invoice
        return cls(
            invoice_id=invoice.id,
            number=invoice.number,
            customer_id=invoice.customer_id,
            customer_name=invoice.company_name,
            outstanding=Money(amount=invoice.outstanding, currency=invoice.currency),
            score=one.score,
            reasons=list(one.reasons),  # type: ignore[arg-type]
            amount=Money(amount=one.part, currency=invoice.currency) if one.part else None,
        )


class MatchedInvoice(Shape):
    """An invoice that a transfer paid."""

    invoice_id: UUID
    number: str
    amount: Money


class MatchItem(Shape):
    """What a transfer was matched with."""

    payment_id: UUID
    payment_number: str
    customer_id: UUID
    invoices: list[MatchedInvoice]
    credit: Money = Field(description="What no invoice took; the customer's credit.")
    matched_by: str
    matched_at: UtcDateTime
    undone_at: UtcDateTime | None
    undone_reason: str

    @classmethod
    def of(cls, row: MatchRow) -> Self:
        """The item of a row."""
        payment, parts = row.payment.payment, row.payment.invoices
        left = payment.amount - sum(one.amount for one in parts)
        return cls(
            payment_id=payment.id,
            payment_number=payment.number,
            customer_id=payment.customer_id,
            invoices=[
                MatchedInvoice(
                    invoice_id=one.id,
                    number=one.number,
                    amount=Money(amount=one.amount, currency=payment.currency),
                )
                for one in parts
            ],
            credit=Money(amount=left, currency=payment.currency),
            matched_by=row.match.matched_by_name,
            matched_at=row.match.matched_at,
            undone_at=row.match.undone_at,
            undone_reason=row.match.undone_reason,
        )


class Transfer(TransferItem):
    """A transfer with what is suggested for it, and what it was matched with."""

    suggestions: list[SuggestedInvoice]
    matches: list[MatchItem] = Field(description="The newest first; those that were undone stay.")

    @classmethod
    def of(cls, found: TransferDetail, suggestion: Suggestion | None) -> Self:
        """The transfer of a detail."""
        return cls(
            **TransferItem.values(found.transfer),  # type: ignore[arg-type]
            suggestions=[SuggestedInvoice.of(one) for one in suggestion.candidates] if suggestion else [],
            matches=[MatchItem.of(row) for row in found.matches],
        )


class TransferQuery(PageQuery):
    """Filters of the list."""

    status: TransferStatus | None = Field(None, description="All of them unless given.")
    statement_id: UUID | None = Field(None, description="Of one statement.")
    q: Annotated[str, Field(max_length=100)] = Field("", description="Part of the payer's name or of the text.")


class MatchPart(Body):
    """An invoice, with as much as there is unless an amount is given."""

    invoice_id: UUID
    amount: MoneyRequest | None = left_out()


class MatchBody(Body):
    """What a transfer is for; without invoices it becomes the credit of a customer."""

    invoices: Annotated[list[MatchPart], Field(max_length=MOST_INVOICES)] = []
    customer_id: UUID | None = left_out(description="Needed where no invoice is named.")


class ReasonBody(Body):
    """Why."""

    reason: Reason


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


class DecisionBody(Body):
    """Whether to agree."""

    approve: bool


class WriteOffItem(Shape):
    """A write-off."""

    id: UUID
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
