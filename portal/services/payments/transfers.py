"""Money that came to the bank account: booked as every payment is, and taken back only by entries that reverse it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from portal.authz import Actor
from portal.errors import Conflict, NotFound, invalid
from portal.events import publish
from portal.events.payments import PaymentReversed, PaymentSucceeded
from portal.models import Invoice, InvoiceKind, LedgerKind, Payment, PaymentAllocation, PaymentKind, PaymentStatus
from portal.models import InvoiceStatus as Status
from portal.models.session import TenantSession
from portal.services.billing.numbering import next_in_series
from portal.services.payments import auto_outcome, telling
from portal.services.payments.applying import lock_payment
from portal.services.payments.balances import Cause, allocations_of, give_back, lock_invoices, take
from portal.services.payments.credit import lock_credit, loose_part, usable_credit
from portal.services.payments.reserving import MOST_INVOICES, NUMBER_FORMAT


@dataclass(frozen=True)
class Transfer:
    """What came (minor units), from whom, and how much of it is for which invoice; the rest becomes credit."""

    customer_id: UUID
    currency: str
    amount: int
    invoices: Mapping[UUID, int]
    payer_account: str = ""


def book_transfer(session: TenantSession, transfer: Transfer, *, base_url: str, actor: Actor, now: datetime) -> Payment:
    """Book a transfer as a payment that arrived; its payers are told like those of any other.

    The caller has checked the actor and holds what makes this happen once. Raises NotFound, Invalid (an amount above
    what an invoice owes, or all of them above what came; invoices of several companies or currencies) and Conflict.
    """
    invoices = _payable(session, transfer)
    payment = _new_payment(session, transfer, now)
    session.add(payment)
    session.flush()
    allocations = [
        PaymentAllocation(payment_id=payment.id, invoice_id=one.id, amount=transfer.invoices[one.id])
        for one in invoices
    ]
    session.add_all(allocations)
    session.flush()
    excess = take(session, payment, allocations, transfer.amount, Cause(actor, now))
    fact = PaymentSucceeded(payment.id, payment.customer_id, payment.amount, payment.currency, excess=excess)
    publish(session, fact, actor=actor, now=now, after={"number": payment.number, "excess": excess})
    auto_outcome.note_success(session, payment, now=now)
    telling.tell_received(session, payment, excess, base_url=base_url, now=now)
    return payment


def reverse_transfer(
    session: TenantSession, payment_id: UUID, cause_id: UUID, *, base_url: str, actor: Actor, now: datetime
) -> Payment:
    """Take a booked transfer back: every entry is reversed by one of its own, and its invoices are owed again.

    `cause_id` names what is undone in the keys of the entries. Raises Conflict `transfer_not_reversible`, and
    `transfer_credit_used` where what became credit has paid another invoice.
    """
    payment = lock_payment(session, payment_id)
    whole = payment.status is PaymentStatus.SUCCEEDED and not payment.refunded and not payment.disputed
    if payment.kind is not PaymentKind.TRANSFER or not whole:
        raise Conflict("transfer_not_reversible")
    lock_invoices(session, (one.invoice_id for one in allocations_of(session, payment.id)))
    lock_credit(session, payment.customer_id)
    loose = loose_part(session, payment)
    if loose > 0 and loose > usable_credit(session, payment.customer_id, payment.currency, besides=payment.id):
        raise Conflict("transfer_credit_used")
    give_back(session, payment, payment.amount, Cause(actor, now), refund_id=cause_id, kind=LedgerKind.RESTORED)
    payment.refunded, payment.status, payment.updated_at = payment.amount, PaymentStatus.CANCELLED, now
    fact = PaymentReversed(payment.id, payment.customer_id, payment.amount, payment.currency)
    publish(session, fact, actor=actor, now=now, after={"number": payment.number})
    telling.tell_reversed(session, payment, base_url=base_url, now=now)
    return payment


def _payable(session: TenantSession, transfer: Transfer) -> list[Invoice]:
    if len(transfer.invoices) > MOST_INVOICES:
        raise invalid("invoices", "too_many", limit=MOST_INVOICES)
    invoices = lock_invoices(session, transfer.invoices)
    if len(invoices) != len(transfer.invoices) or any(one.status is Status.DRAFT for one in invoices):
        raise NotFound("invoice")
    if any((one.customer_id, one.currency) != (transfer.customer_id, transfer.currency) for one in invoices):
        raise invalid("invoices", "invoices_differ")
    for invoice in invoices:
        if invoice.status is Status.VOID or invoice.kind is InvoiceKind.CREDIT_NOTE:
            raise Conflict("invoice_not_payable")
        if not 0 < transfer.invoices[invoice.id] <= invoice.outstanding:
            raise invalid("amount", "amount_not_due")
    if sum(transfer.invoices.values()) > transfer.amount:
        raise invalid("amount", "more_than_came")
    return invoices


def _new_payment(session: TenantSession, transfer: Transfer, now: datetime) -> Payment:
    return Payment(
        id=uuid4(),
        number=next_in_series(session, "payment", NUMBER_FORMAT, day=now.date()),
        customer_id=transfer.customer_id,
        kind=PaymentKind.TRANSFER,
        status=PaymentStatus.SUCCEEDED,
        currency=transfer.currency,
        amount=transfer.amount,
        refunded=0,
        disputed=0,
        method={"kind": "transfer", "brand": "", "last4": transfer.payer_account[-4:]},
        keys={},
        succeeded_at=now,
        created_at=now,
        updated_at=now,
    )
