"""Paying an invoice with what its company has to its credit: one booking, with nobody outside asked.

It is a payment of its own kind, so that history, receipt and export show it; two ledger entries move the amount from
the company to the invoice and add up to nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, invalid
from portal.events import publish
from portal.events.payments import CreditUsed
from portal.models import Invoice, InvoiceKind, InvoiceStatus, Payment, PaymentAllocation, PaymentKind
from portal.models import PaymentStatus as Status
from portal.models.session import TenantSession
from portal.services.billing.numbering import next_in_series
from portal.services.billing.queries import get_invoice, lock_invoice
from portal.services.payments import auto_outcome
from portal.services.payments.balances import Cause, available, move_credit
from portal.services.payments.credit import lock_credit, usable_credit
from portal.services.payments.reserving import NUMBER_FORMAT, why_not_payable


@dataclass(frozen=True)
class CreditRequest:
    """How much is used (minor units, None: as much as is owed and there), and the id that makes a repeat harmless."""

    amount: int | None = None
    payment_id: UUID | None = None


@dataclass(frozen=True)
class CreditOffer:
    """The company's free credit in the invoice's currency, and how much of it the invoice can take (minor units)."""

    customer_id: UUID
    currency: str
    credit: int
    usable: int


def use_credit(
    session: TenantSession, invoice_id: UUID, request: CreditRequest, *, actor: Actor, now: datetime
) -> Payment:
    """Pay (a part of) an invoice with credit; a request that comes again gives what the first one made.

    The rule about parts is for money that is asked for, and not for what is here already. What auto-pay has planned
    stays for the rest. Raises Forbidden, NotFound,
    Invalid (`amount`: above what is owed), and Conflict: `invoice_not_payable`, `payment_already_processed` or
    `invoice_disputed` (nothing of it is free to be paid), `no_credit`, `credit_too_small`.
    """
    _require_right(actor)
    invoice = lock_invoice(session, invoice_id, actor=actor)
    if actor.is_customer and invoice.customer_id not in actor.admin_company_ids:
        raise Forbidden("not_allowed", permission=Permission.INVOICES_PAY.value)
    made = session.get(Payment, request.payment_id) if request.payment_id else None
    if made is not None:
        return _same(made, invoice)
    if not _takes(invoice):
        raise Conflict("invoice_not_payable")
    if available(invoice) == 0:
        raise Conflict(why_not_payable(invoice))
    lock_credit(session, invoice.customer_id)
    amount = _amount(invoice, request, usable_credit(session, invoice.customer_id, invoice.currency))
    payment = _new_payment(session, invoice, amount, request, actor, now)
    session.add(payment)
    session.flush()
    allocation = PaymentAllocation(payment_id=payment.id, invoice_id=invoice.id, amount=amount)
    session.add(allocation)
    move_credit(session, payment, allocation, invoice, Cause(actor, now))
    fact = CreditUsed(payment.id, payment.customer_id, amount, payment.currency, invoice_id=invoice.id)
    publish(session, fact, actor=actor, now=now, after={"number": payment.number, "amount": amount})
    if not invoice.outstanding:
        auto_outcome.note_success(session, payment, now=now)
    return payment


def offer_credit(session: TenantSession, invoice_id: UUID, *, actor: Actor) -> CreditOffer:
    """What credit could do for an invoice. Raises Forbidden and NotFound."""
    require(actor, Permission.INVOICES_READ if actor.is_customer else Permission.BILLING_READ)
    invoice = get_invoice(session, invoice_id, actor=actor)
    credit = usable_credit(session, invoice.customer_id, invoice.currency)
    usable = min(credit, available(invoice)) if _takes(invoice) else 0
    return CreditOffer(invoice.customer_id, invoice.currency, credit, usable)


def _takes(invoice: Invoice) -> bool:
    ended = invoice.status in (InvoiceStatus.VOID, InvoiceStatus.DRAFT)
    return not ended and invoice.kind is not InvoiceKind.CREDIT_NOTE


def _require_right(actor: Actor) -> None:
    require(actor, Permission.INVOICES_PAY if actor.is_customer else Permission.BILLING_MANAGE)


def _same(made: Payment, invoice: Invoice) -> Payment:
    """The payment that the first of equal requests made; ids of others are nobody's to name."""
    if made.kind is not PaymentKind.CREDIT or made.customer_id != invoice.customer_id:
        raise Conflict("payment_already_processed")
    return made


def _amount(invoice: Invoice, request: CreditRequest, credit: int) -> int:
    if credit == 0:
        raise Conflict("no_credit")
    free = available(invoice)
    if request.amount is None:
        return min(free, credit)
    if not 0 < request.amount <= free:
        raise invalid("amount", "amount_not_due")
    if request.amount > credit:
        raise Conflict("credit_too_small")
    return request.amount


def _new_payment(
    session: TenantSession, invoice: Invoice, amount: int, request: CreditRequest, actor: Actor, now: datetime
) -> Payment:
    return Payment(
        id=request.payment_id or uuid4(),
        number=next_in_series(session, "payment", NUMBER_FORMAT, day=now.date()),
        customer_id=invoice.customer_id,
        started_by=actor.user_id,
        kind=PaymentKind.CREDIT,
        status=Status.SUCCEEDED,
        currency=invoice.currency,
        amount=amount,
        refunded=0,
        disputed=0,
        method={},
        keys={},
        succeeded_at=now,
        created_at=now,
        updated_at=now,
    )
