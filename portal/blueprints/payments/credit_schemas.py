"""A company's credit as the API gives and takes it."""

from typing import Self

from pydantic import Field

from portal.blueprints.api.schemas import Body, Shape, left_out
from portal.blueprints.billing.requests import MoneyRequest
from portal.blueprints.billing.schemas import Money
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
        return cls(
            credit=Money(amount=offer.credit, currency=offer.currency),
            usable=Money(amount=offer.usable, currency=offer.currency),
        )
