"""A company's credit as the API gives and takes it."""

from typing import Any, Self
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import Body, Shape, left_out
from portal.blueprints.billing.requests import MoneyRequest
from portal.blueprints.billing.schemas import Money
from portal.models import Payment
from portal.services.payments.using_credit import CreditOffer


class UseCreditRequest(Body):
    """How much credit is used."""

    amount: MoneyRequest | None = left_out(description="As much as is owed and there unless given.")


class InvoiceCredit(Shape):
    """What credit could do for an invoice."""

    credit: Money = Field(description="Of the company, without what is about to be refunded.")
    usable: Money = Field(description="How much of it the invoice can take now.")

    @classmethod
    def of(cls, offer: CreditOffer) -> Self:
        """The figures of an offer."""
        return cls(**_figures(offer))


class StaffInvoiceCredit(InvoiceCredit):
    """What credit could do for an invoice, and whose it is."""

    customer_id: UUID

    @classmethod
    def of(cls, offer: CreditOffer) -> Self:
        """The figures of an offer, and whose they are."""
        return cls(**_figures(offer), customer_id=offer.customer_id)


class UsedCredit(Shape):
    """A payment of an invoice that was the customer's credit."""

    payment_id: UUID
    number: str
    invoice_id: UUID
    customer_id: UUID
    amount: Money

    @classmethod
    def of(cls, payment: Payment, invoice_id: UUID) -> Self:
        """The payment that was made."""
        return cls(
            payment_id=payment.id,
            number=payment.number,
            invoice_id=invoice_id,
            customer_id=payment.customer_id,
            amount=Money(amount=payment.amount, currency=payment.currency),
        )


def _figures(offer: CreditOffer) -> dict[str, Any]:
    return {
        "credit": Money(amount=offer.credit, currency=offer.currency),
        "usable": Money(amount=offer.usable, currency=offer.currency),
    }
