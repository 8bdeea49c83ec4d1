"""What payments do to invoices: reserve, take, give back. Callers hold the locks that `lock_invoices` takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor
from portal.models import Invoice, LedgerEntry, LedgerKind, Payment, PaymentAllocation
from portal.models.session import TenantSession
from portal.services.billing.status import settle_invoice
from portal.services.payments.credit import credit_balance, lock_credit


@dataclass(frozen=True)
class Cause:
    """Whom and when a booking is of."""

    actor: Actor
    now: datetime


def lock_invoices(session: TenantSession, ids: Iterable[UUID]) -> list[Invoice]:
    """The invoices, locked in the order of their ids, so that two payments never wait for one another in a circle."""
    query = select(Invoice).where(Invoice.id.in_(list(ids))).order_by(Invoice.id).with_for_update()
    return list(session.scalars(query.execution_options(populate_existing=True)))


def available(invoice: Invoice) -> int:
    """What may still be paid, in minor units: owed, not disputed, and in no payment that is under way."""
    return max(0, invoice.undisputed - invoice.reserved)


def allocations_of(session: TenantSession, payment_id: UUID) -> list[PaymentAllocation]:
    """What a payment is for."""
    return list(session.scalars(select(PaymentAllocation).where(PaymentAllocation.payment_id == payment_id)))


def by_due_day(
    allocations: Sequence[PaymentAllocation], invoices: Sequence[Invoice]
) -> list[tuple[PaymentAllocation, Invoice]]:
    """Each allocation with its invoice, the one that is due first in front."""
    found = {invoice.id: invoice for invoice in invoices}
    pairs = [(one, found[one.invoice_id]) for one in allocations]
    return sorted(pairs, key=lambda pair: (pair[1].due_on is None, pair[1].due_on, pair[1].number or ""))


def release(allocations: Sequence[PaymentAllocation], invoices: Sequence[Invoice]) -> None:
    """What was reserved may be paid otherwise."""
    for allocation, invoice in by_due_day(allocations, invoices):
        invoice.reserved = max(0, invoice.reserved - allocation.amount)


def take(
    session: TenantSession, payment: Payment, allocations: Sequence[PaymentAllocation], received: int, cause: Cause
) -> int:
    """Book the money to the invoices, the one due first in front; returns what none of them took: it is credit now.

    What no invoice owes any more (voided, credited or paid meanwhile) is never refused: the money is here.
    """
    invoices = lock_invoices(session, (one.invoice_id for one in allocations))
    left = received
    for allocation, invoice in by_due_day(allocations, invoices):
        part = min(left, allocation.amount, max(0, invoice.outstanding))
        left -= part
        allocation.booked = part
        if part:
            invoice.paid += part
            key = f"payment:{payment.id}:{invoice.id}"
            _enter(session, payment, LedgerKind.PAID, -part, key, cause, invoice_id=invoice.id)
    if left:
        _enter(session, payment, LedgerKind.CREDIT_ADDED, -left, f"payment:{payment.id}:excess", cause)
    settle(session, invoices, cause, failure=None)
    return left


def give_back(
    session: TenantSession,
    payment: Payment,
    amount: int,
    cause: Cause,
    *,
    refund_id: UUID,
    invoice_id: UUID | None = None,
    kind: LedgerKind = LedgerKind.REFUNDED,
) -> None:
    """Book money that leaves again: from the named invoice first, then what became credit, then the newest invoice.

    `refund_id` names the cause, a refund or a chargeback, so that each is booked once.
    """
    allocations = allocations_of(session, payment.id)
    invoices = lock_invoices(session, (one.invoice_id for one in allocations))
    ordered = list(reversed(by_due_day(allocations, invoices)))
    ordered.sort(key=lambda pair: pair[1].id != invoice_id)
    lock_credit(session, payment.customer_id)
    credit = (
        payment.amount - payment.refunded - payment.charged_back - sum(one.booked - one.refunded for one in allocations)
    )
    # What of it was used for other invoices meanwhile is taken from those that it was paid for.
    credit = min(credit, credit_balance(session, payment.customer_id, payment.currency))
    left, named = amount, invoice_id is not None
    for position, (allocation, invoice) in enumerate(ordered):
        if position == int(named):
            left -= _return_credit(session, payment, min(left, max(0, credit)), cause, refund_id, kind)
        part = min(left, allocation.booked - allocation.refunded, invoice.paid)
        if part > 0:
            left -= part
            allocation.refunded += part
            invoice.paid -= part
            key = f"{kind.value}:{refund_id}:{invoice.id}"
            _enter(session, payment, kind, part, key, cause, invoice_id=invoice.id, refund_id=refund_id)
    if left:
        # More than invoices and credit have of it: the company owes it, whatever it was for.
        _return_credit(session, payment, left, cause, refund_id, kind)
    settle(session, invoices, cause, failure=None)


def restore(
    session: TenantSession,
    payment: Payment,
    refund_id: UUID,
    cause: Cause,
    *,
    kind: LedgerKind = LedgerKind.REFUNDED,
) -> None:
    """Take back what `give_back` booked for a refund that failed, or for a chargeback that was won after all."""
    allocations = {one.invoice_id: one for one in allocations_of(session, payment.id)}
    invoices = {one.id: one for one in lock_invoices(session, allocations)}
    entries = session.scalars(
        select(LedgerEntry).where(LedgerEntry.refund_id == refund_id, LedgerEntry.kind == kind)
    ).all()
    for entry in entries:
        left, key = entry.amount, f"restored:{refund_id}:{entry.invoice_id or 'credit'}"
        if entry.invoice_id is not None:
            # Meanwhile it may have been paid otherwise: what it no longer owes becomes credit.
            part = min(left, max(0, invoices[entry.invoice_id].outstanding))
            allocations[entry.invoice_id].refunded -= part
            invoices[entry.invoice_id].paid += part
            left -= part
            if part:
                ids = {"invoice_id": entry.invoice_id, "refund_id": refund_id}
                _enter(session, payment, LedgerKind.RESTORED, -part, key, cause, **ids)
            key = f"{key}:credit"
        if left:
            _enter(session, payment, LedgerKind.RESTORED, -left, key, cause, refund_id=refund_id)
    settle(session, list(invoices.values()), cause, failure=None)


def move_credit(
    session: TenantSession, payment: Payment, allocation: PaymentAllocation, invoice: Invoice, cause: Cause
) -> None:
    """Book a payment that is credit of the company: less of that, and less owed of the invoice, whose row is locked."""
    allocation.booked = allocation.amount
    invoice.paid += allocation.amount
    key = f"credit_used:{payment.id}"
    _enter(session, payment, LedgerKind.CREDIT_USED, allocation.amount, f"{key}:company", cause)
    _enter(session, payment, LedgerKind.CREDIT_USED, -allocation.amount, f"{key}:invoice", cause, invoice_id=invoice.id)
    session.flush()
    settle(session, [invoice], cause, failure=None)


def settle(session: TenantSession, invoices: Sequence[Invoice], cause: Cause, *, failure: str | None) -> None:
    """Give the invoices the status that their amounts have them in; `failure` is why the last payment did not come."""
    for invoice in invoices:
        invoice.failure = failure
        settle_invoice(session, invoice, actor=cause.actor, now=cause.now)


def _return_credit(
    session: TenantSession, payment: Payment, amount: int, cause: Cause, refund_id: UUID, kind: LedgerKind
) -> int:
    if amount > 0:
        _enter(session, payment, kind, amount, f"{kind.value}:{refund_id}:credit", cause, refund_id=refund_id)
    return max(0, amount)


def _enter(
    session: TenantSession,
    payment: Payment,
    kind: LedgerKind,
    amount: int,
    key: str,
    cause: Cause,
    *,
    invoice_id: UUID | None = None,
    refund_id: UUID | None = None,
) -> None:
    session.add(
        LedgerEntry(
            customer_id=payment.customer_id,
            invoice_id=invoice_id,
            payment_id=payment.id,
            refund_id=refund_id,
            kind=kind,
            amount=amount,
            currency=payment.currency,
            key=key,
            at=cause.now,
        )
    )
