"""Statements and transfers in the API of the team."""

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import SOME_TEXT, Body, ListOf, PageQuery, Shape, UtcDateTime, left_out
from portal.blueprints.billing.requests import MoneyRequest
from portal.blueprints.billing.schemas import Money
from portal.models import (
    BankStatement,
    BankStatementFormat,
    BankTransaction,
    TransferStatus,
)
from portal.services.banking.queries import MatchRow, TransferDetail
from portal.services.banking.suggesting import Candidate, Suggestion
from portal.services.payments.reserving import MOST_INVOICES

Reason = Annotated[str, Field(max_length=255, json_schema_extra=SOME_TEXT)]


class BankStatementItem(Shape):
    """A statement that was read."""

    id: UUID
    format: BankStatementFormat
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
