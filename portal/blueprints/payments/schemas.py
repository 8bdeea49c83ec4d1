"""Payments in the API: what customers send and get (contract §5)."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.blueprints.accounts.account_schemas import Day
from portal.blueprints.api.schemas import (
    SOME_TEXT,
    AmountSought,
    Body,
    ListOf,
    PageQuery,
    Query,
    Shape,
    UtcDateTime,
    left_out,
)
from portal.blueprints.billing.requests import MoneyRequest
from portal.blueprints.billing.schemas import Money
from portal.blueprints.localisation import gettext
from portal.lib.pay_methods import PayMethod
from portal.lib.wording.pay_methods import ABOUT, NAME
from portal.lib.wording.payments import failure_text
from portal.models import AutoPay, Payment, PaymentKind, PaymentMethod, PaymentStatus, Refund, RefundStatus
from portal.services.payments.filters import Outcome
from portal.services.payments.offering import reusable
from portal.services.payments.queries import PaymentRow
from portal.services.payments.refunds import REASON_LENGTH


class PayWith(StrEnum):
    """How somebody pays."""

    NEW_CARD = "new_card"
    SAVED = "saved"
    CARD = "card"
    BANK_DEBIT = "bank_debit"
    UPI = "upi"
    NET_BANKING = "net_banking"
    WALLET = "wallet"
    EMI = "emi"

    @property
    def choice(self) -> str:
        """What the payment's page is asked for; empty for whatever fits."""
        return "" if self in (PayWith.NEW_CARD, PayWith.SAVED) else self.value


class PayInvoiceRequest(Body):
    """How an invoice is paid."""

    method: PayWith = Field(
        description="`saved`, one of those that the invoice's `payment-methods` lists, or `new_card` for any of them."
    )
    payment_method_id: UUID | None = left_out(description="Needed where the method is `saved`.")
    amount: MoneyRequest | None = left_out(description="All that is due unless given.")


class OfferedMethod(Shape):
    """A way of paying that the tenant offers."""

    method: PayMethod
    name: str = Field(description="In the reader's language.")
    about: str = Field(description="In the reader's language.")
    can_be_saved: bool = Field(description="Whether what was paid with can be kept and charged again.")

    @classmethod
    def of(cls, method: PayMethod) -> Self:
        """The item of a method."""
        return cls(
            method=method,
            name=gettext(NAME[method]),
            about=gettext(ABOUT[method]),
            can_be_saved=bool(reusable([method])),
        )


class OfferedMethods(ListOf[OfferedMethod]):
    """How an invoice can be paid; empty where nothing is to be paid now."""


class StartedPayment(Shape):
    """A payment under way."""

    payment_id: UUID
    status: PaymentStatus
    redirect_url: str | None = Field(description="The hosted page where it goes on; null where nothing is asked.")


class PaymentFailure(Shape):
    """Why a payment did not come."""

    code: str
    text: str = Field(description="In the reader's language.")

    @classmethod
    def of(cls, payment: Payment) -> Self | None:
        """The failure of a payment, if it has one."""
        code = payment.failure_code
        return cls(code=code, text=failure_text(code, gettext)) if code else None


class UsedMethod(Shape):
    """What was paid with; never more than this."""

    kind: str
    brand: str
    last4: str


class InvoicePart(Shape):
    """An invoice that a payment is for."""

    invoice_id: UUID
    number: str
    service: str
    amount: Money


class RefundedPart(Shape):
    """Money that went back, or is on its way."""

    amount: Money
    status: Literal["pending", "succeeded"]
    expected_on: date | None


class PaymentItem(Shape):
    """A payment."""

    id: UUID
    number: str
    status: PaymentStatus
    kind: PaymentKind
    amount: Money
    refunded: Money
    disputed: Money = Field(description="By the payer's bank, which has not decided yet.")
    charged_back: Money = Field(description="Taken back by the payer's bank.")
    method: UsedMethod | None
    invoices: list[InvoicePart]
    refunds: list[RefundedPart]
    failure: PaymentFailure | None
    redirect_url: str | None
    created_at: UtcDateTime
    succeeded_at: UtcDateTime | None

    @classmethod
    def of(cls, row: PaymentRow) -> Self:
        """The item of a row."""
        payment = row.payment
        return cls(
            id=payment.id,
            number=payment.number,
            status=payment.status,
            kind=payment.kind,
            amount=Money(amount=payment.amount, currency=payment.currency),
            refunded=Money(amount=payment.refunded, currency=payment.currency),
            disputed=Money(amount=payment.disputed, currency=payment.currency),
            charged_back=Money(amount=payment.charged_back, currency=payment.currency),
            method=_used(payment),
            invoices=[
                InvoicePart(
                    invoice_id=one.id,
                    number=one.number,
                    service=one.service,
                    amount=Money(amount=one.amount, currency=payment.currency),
                )
                for one in row.invoices
            ],
            refunds=[
                RefundedPart(
                    amount=Money(amount=one.amount, currency=one.currency),
                    status="pending" if one.status is RefundStatus.PENDING else "succeeded",
                    expected_on=one.expected_at.date() if one.expected_at else None,
                )
                for one in row.refunds
                if one.status in (RefundStatus.PENDING, RefundStatus.SUCCEEDED)
            ],
            failure=PaymentFailure.of(payment),
            redirect_url=payment.redirect_url,
            created_at=payment.created_at,
            succeeded_at=payment.succeeded_at,
        )


class Payments(ListOf[PaymentItem]):
    """A page of payments, the newest first."""


class PaymentHistory(Query):
    """Filters; all of them have to fit."""

    status: PaymentStatus = left_out()
    invoice_id: UUID = left_out()
    start: Day = left_out(description="The first day.")
    end: Day = left_out(description="The last day.")
    outcome: Outcome = left_out(description="What became of it.")
    method: Annotated[str, Field(max_length=30)] = left_out(description="card, sepa_debit, transfer, …")
    service_type: Annotated[str, Field(max_length=40)] = left_out(description="As lines of invoices name it.")
    min_amount: AmountSought = left_out(description="In minor units of `currency`.")
    max_amount: AmountSought = left_out(description="In minor units of `currency`.")
    currency: Annotated[str, Field(min_length=3, max_length=3)] = left_out(description="The tenant's unless given.")


class PaymentQuery(PaymentHistory, PageQuery):
    """Filters and paging."""


class PaymentExport(PaymentHistory):
    """Filters and what kind of file."""

    format: Literal["pdf", "csv"] = "csv"


class PaymentMethodItem(Shape):
    """A saved method: what may be shown of it."""

    id: UUID
    kind: str
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None
    is_default: bool

    @classmethod
    def of(cls, method: PaymentMethod) -> Self:
        """The item of a row."""
        return cls(
            id=method.id,
            kind=method.kind,
            brand=method.brand,
            last4=method.last4,
            exp_month=method.exp_month,
            exp_year=method.exp_year,
            is_default=method.is_default,
        )


class PaymentMethods(ListOf[PaymentMethodItem]):
    """The saved methods, the default one first."""


class SetupPage(Shape):
    """Where a method is saved."""

    redirect_url: str


class RemoveMethodQuery(PageQuery):
    """Which method takes over."""

    successor_id: UUID | None = Field(None, description="Needed where auto-pay uses the one that is removed.")


class AutoPayRequest(Body):
    """Auto-pay on or off; switching on agrees to be charged."""

    enabled: bool
    payment_method_id: UUID | None = left_out(description="The default method unless given.")
    limit: MoneyRequest | None = left_out(description="What is above is not charged by itself.")


class AutoPayState(Shape):
    """How auto-pay stands."""

    enabled: bool
    payment_method_id: UUID | None
    limit: Money | None

    @classmethod
    def of(cls, plan: AutoPay, currency: str) -> Self:
        """The state of a row."""
        limit = Money(amount=plan.limit, currency=currency) if plan.limit else None
        return cls(enabled=plan.enabled, payment_method_id=plan.method_id, limit=limit)


class RefundBody(Body):
    """What goes back and why."""

    reason: Annotated[str, Field(max_length=REASON_LENGTH, json_schema_extra=SOME_TEXT)]
    amount: MoneyRequest | None = left_out(description="All that is left unless given.")
    invoice_id: UUID | None = left_out(description="Whose paid amount falls first.")


class RefundItem(Shape):
    """A refund."""

    id: UUID
    payment_id: UUID
    amount: Money
    status: RefundStatus
    reason: str
    expected_at: UtcDateTime | None

    @classmethod
    def of(cls, refund: Refund) -> Self:
        """The item of a row."""
        return cls(
            id=refund.id,
            payment_id=refund.payment_id,
            amount=Money(amount=refund.amount, currency=refund.currency),
            status=refund.status,
            reason=refund.reason,
            expected_at=refund.expected_at,
        )


def _used(payment: Payment) -> UsedMethod | None:
    if not payment.method:
        return None
    return UsedMethod(**{name: str(payment.method.get(name, "")) for name in ("kind", "brand", "last4")})
