"""A planned payment as everybody reads it: with its invoice and its method."""

from dataclasses import dataclass

from portal.models import Invoice, PaymentMethod, ScheduledPayment
from portal.services.payments.balances import available


@dataclass(frozen=True)
class PlannedRow:
    """A planned payment with its invoice and its method."""

    planned: ScheduledPayment
    invoice: Invoice
    method: PaymentMethod

    @property
    def amount(self) -> int:
        """What it will charge as things stand, in minor units."""
        if self.planned.amount is None:
            return available(self.invoice)
        return self.planned.amount
