"""Disputes and requests of a later due date in the API: one class for customers, another for staff (contract §5)."""

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from portal.blueprints.accounts.account_schemas import Day
from portal.blueprints.api.schemas import SOME_TEXT, Body, ListOf, PageQuery, Shape, UtcDateTime, left_out
from portal.blueprints.billing.requests import MoneyRequest
from portal.blueprints.billing.schemas import Money
from portal.blueprints.disputes.evidence_schemas import EvidenceIds
from portal.errors import invalid
from portal.models import DisputeOutcome, DisputeReason, DisputeStatus, ExtensionStatus
from portal.services.billing.lines import MOST_LINES
from portal.services.disputes.opening import Objection
from portal.services.disputes.queries import DisputeRow, ExtensionRow
from portal.services.disputes.words import WORDS_LENGTH

Words = Annotated[str, Field(max_length=WORDS_LENGTH, json_schema_extra=SOME_TEXT)]


class DisputedLineRequest(Body):
    """A line that is wrong, all of it unless an amount (with tax) is given."""

    line_id: UUID
    amount: MoneyRequest | None = left_out()


class DisputeRequest(Body):
    """What is wrong, in your words. Of an invoice: the whole of it unless lines are named."""

    reason: Words
    category: DisputeReason = DisputeReason.OTHER
    line_ids: Annotated[list[UUID], Field(max_length=MOST_LINES)] | None = left_out()
    lines: Annotated[list[DisputedLineRequest], Field(max_length=MOST_LINES)] | None = left_out()
    amount: MoneyRequest | None = left_out(description="How much of it, with tax; all of it unless given.")
    attachment_ids: EvidenceIds = []

    def read(self, currency: str) -> Objection:
        """What the service takes; Invalid about amounts of another currency and about lines named twice."""
        if self.line_ids and self.lines:
            raise invalid("lines", "unknown_field")
        named = [(one, None) for one in self.line_ids or ()]
        found: list[tuple[UUID, int | None]] = [*named]
        found += [(one.line_id, minor(one.amount, currency, "lines")) for one in self.lines or ()]
        if len({line_id for line_id, _ in found}) < len(found):
            raise invalid("lines", "unknown_choice")
        amount = minor(self.amount, currency, "amount")
        return Objection(self.reason, self.category, dict(found), amount, self.attachment_ids)


class PaymentDisputeRequest(Body):
    """What is wrong with a payment, in your words."""

    reason: Words
    category: DisputeReason = DisputeReason.OTHER
    amount: MoneyRequest | None = left_out(description="All of it unless given.")
    attachment_ids: EvidenceIds = []

    def read(self, currency: str) -> Objection:
        """What the service takes."""
        amount = minor(self.amount, currency, "amount")
        return Objection(self.reason, self.category, amount=amount, file_ids=self.attachment_ids)


class DisputedPart(Shape):
    """How much of a line is in dispute, with tax."""

    line_id: UUID
    description: str
    amount: Money


class CustomerDispute(Shape):
    """A dispute, and what became of it."""

    id: UUID
    invoice_id: UUID | None
    payment_id: UUID | None
    number: str = Field(description="Of the invoice or the payment.")
    status: DisputeStatus
    outcome: DisputeOutcome | None
    category: DisputeReason
    reason: str
    amount: Money
    accepted: Money = Field(description="What we gave in to.")
    lines: list[DisputedPart]
    answer: str
    credit_note_id: UUID | None
    opened_at: UtcDateTime
    decided_at: UtcDateTime | None

    @classmethod
    def of(cls, row: DisputeRow) -> Self:
        """A dispute as its customer sees it."""
        return cls(**_dispute(row))


class StaffDispute(CustomerDispute):
    """A dispute with whose it is."""

    customer_id: UUID
    customer_name: str
    refund_id: UUID | None

    @classmethod
    def of(cls, row: DisputeRow) -> Self:
        """A dispute as the team sees it."""
        dispute = row.dispute
        return cls(
            **_dispute(row),
            customer_id=dispute.customer_id,
            customer_name=row.company_name,
            refund_id=dispute.refund_id,
        )


class Disputes(ListOf[CustomerDispute]):
    """A page of disputes, the newest first."""


class StaffDisputes(ListOf[StaffDispute]):
    """A page of everybody's disputes, the newest first."""


class DisputeQuery(PageQuery):
    """Filters."""

    status: list[DisputeStatus] = Field([], description="One or several.")


class ResolveRequest(Body):
    """The team's decision, and why."""

    outcome: DisputeOutcome
    answer: Words
    amount: MoneyRequest | None = left_out(description="How much is accepted; all of it unless given.")
    attachment_ids: EvidenceIds = []


class ExtensionWish(Body):
    """The day you want to pay by, and why."""

    due_on: Day
    reason: Words


class CustomerExtension(Shape):
    """A request for a later due date, and what became of it."""

    id: UUID
    invoice_id: UUID
    number: str
    status: ExtensionStatus
    due_before: date
    wanted_on: date
    granted_on: date | None
    reason: str
    answer: str
    asked_at: UtcDateTime
    decided_at: UtcDateTime | None

    @classmethod
    def of(cls, row: ExtensionRow) -> Self:
        """A request as its customer sees it."""
        return cls(**_extension(row))


class StaffExtension(CustomerExtension):
    """A request with whose it is."""

    customer_id: UUID
    customer_name: str

    @classmethod
    def of(cls, row: ExtensionRow) -> Self:
        """A request as the team sees it."""
        return cls(**_extension(row), customer_id=row.wish.customer_id, customer_name=row.company_name)


class Extensions(ListOf[CustomerExtension]):
    """Requests for a later due date, the newest first."""


class StaffExtensions(ListOf[StaffExtension]):
    """Everybody's requests for a later due date, the newest first."""


class ExtensionQuery(PageQuery):
    """Filters."""

    status: list[ExtensionStatus] = Field([], description="One or several.")


class GrantRequest(Body):
    """Another day than the one asked for, and words, both optional."""

    due_on: Day | None = left_out()
    answer: Annotated[str, Field(max_length=WORDS_LENGTH)] = ""


class RefuseRequest(Body):
    """Why the due date stays."""

    answer: Words


def minor(given: MoneyRequest | None, currency: str, field: str) -> int | None:
    """Minor units of what was sent; Invalid where it is in another currency."""
    if given is None:
        return None
    if given.currency != currency:
        raise invalid(field, "currency_mismatch")
    return given.amount


def _dispute(row: DisputeRow) -> dict[str, Any]:
    found = row.dispute
    plain = (*("id", "invoice_id", "payment_id", "status", "outcome", "answer", "credit_note_id"), "opened_at")
    return {
        **{name: getattr(found, name) for name in plain},
        "number": row.number,
        "category": found.reason,
        "reason": found.words,
        "amount": Money(amount=found.amount, currency=found.currency),
        "accepted": Money(amount=found.accepted, currency=found.currency),
        "lines": [
            DisputedPart(
                line_id=part.line_id,
                description=part.description,
                amount=Money(amount=part.amount, currency=found.currency),
            )
            for part in row.lines
        ],
        "decided_at": found.decided_at,
    }


def _extension(row: ExtensionRow) -> dict[str, Any]:
    names = ("id", "invoice_id", "status", "due_before", "wanted_on", "granted_on", "reason", "answer", "asked_at")
    values = {name: getattr(row.wish, name) for name in names}
    return values | {"number": str(row.invoice.number), "decided_at": row.wish.decided_at}
