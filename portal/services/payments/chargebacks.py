"""Payers' objections at their bank, booked from what the gateway says of them, however often and in which order.

While the bank decides, the amount is only marked and nothing of the payment goes back. Lost, it is owed again; won
after all, it is paid again. Cases that take no money (inquiries) end as won.
"""

from datetime import datetime
from uuid import uuid4

import structlog
from sqlalchemy import select

from portal.authz import system_actor
from portal.events import publish
from portal.events.payments import PaymentChargedBack, PaymentDisputed, PaymentDisputeWon
from portal.integrations.payments import GatewayDispute
from portal.models import Chargeback, ChargebackState, LedgerKind, Payment
from portal.models.session import TenantSession
from portal.services.billing.holding import restart_dunning
from portal.services.payments import telling
from portal.services.payments.balances import Cause, allocations_of, give_back, lock_invoices, restore

log = structlog.get_logger()
_CLOSED = {
    "lost": ChargebackState.LOST,
    "won": ChargebackState.WON,
    "prevented": ChargebackState.WON,
    "warning_closed": ChargebackState.WON,
}
REASON_LENGTH = 60


def book_dispute(
    session: TenantSession, payment: Payment, found: GatewayDispute, *, base_url: str, now: datetime
) -> Chargeback:
    """Write one case of a payment whose row is locked; repeats write nothing.

    A closed case is never opened again by an older answer; only a lost one may still be won.
    """
    case = session.scalar(select(Chargeback).where(Chargeback.gateway_id == found.id))
    told = case is None
    if case is None:
        case = _open(session, payment, found, now)
    state = _CLOSED.get(found.status, ChargebackState.OPEN)
    if case.state is ChargebackState.OPEN:
        case.gateway_status, case.due_by = found.status[:40], found.due_by
    if told and state is ChargebackState.OPEN:
        telling.tell_chargeback(session, payment, case, base_url=base_url, now=now)
    if state is case.state or state is ChargebackState.OPEN or case.state is ChargebackState.WON:
        return case
    if state is ChargebackState.LOST:
        _lose(session, payment, case, now)
    else:
        _win(session, payment, case, now)
    case.state, case.gateway_status = state, found.status[:40]
    case.decided_at = case.updated_at = now
    telling.tell_chargeback(session, payment, case, base_url=base_url, now=now)
    return case


def _open(session: TenantSession, payment: Payment, found: GatewayDispute, now: datetime) -> Chargeback:
    # The bank may name more than is left of the payment, or its own currency: no more than is here can be taken.
    left = max(0, payment.amount - payment.refunded - payment.charged_back - payment.disputed)
    if found.currency != payment.currency:
        log.warning("chargeback_currency", dispute=found.id, payment=str(payment.id))
    amount = min(left, found.amount) if found.currency == payment.currency else left
    case = Chargeback(
        id=uuid4(),
        payment_id=payment.id,
        gateway_id=found.id,
        state=ChargebackState.OPEN,
        gateway_status=found.status[:40],
        reason=found.reason[:REASON_LENGTH],
        currency=payment.currency,
        amount=amount,
        booked=0,
        due_by=found.due_by,
        opened_at=found.created,
        updated_at=now,
    )
    session.add(case)
    payment.disputed += amount
    fact = PaymentDisputed(payment.id, payment.customer_id, amount, payment.currency, chargeback_id=case.id)
    publish(session, fact, actor=system_actor(session.tenant_id), now=now, after={"reason": case.reason})
    return case


def _lose(session: TenantSession, payment: Payment, case: Chargeback, now: datetime) -> None:
    cause = Cause(system_actor(session.tenant_id), now)
    payment.disputed -= case.amount
    if case.amount:
        give_back(session, payment, case.amount, cause, refund_id=case.id, kind=LedgerKind.CHARGED_BACK)
    payment.charged_back += case.amount
    case.booked = case.amount
    for invoice in lock_invoices(session, (one.invoice_id for one in allocations_of(session, payment.id))):
        if invoice.outstanding:
            restart_dunning(session, invoice, now=now)
    fact = PaymentChargedBack(payment.id, payment.customer_id, case.amount, payment.currency, chargeback_id=case.id)
    publish(session, fact, actor=cause.actor, now=now)


def _win(session: TenantSession, payment: Payment, case: Chargeback, now: datetime) -> None:
    cause = Cause(system_actor(session.tenant_id), now)
    if case.state is ChargebackState.OPEN:
        payment.disputed -= case.amount
    elif case.booked:
        restore(session, payment, case.id, cause, kind=LedgerKind.CHARGED_BACK)
        payment.charged_back -= case.booked
        case.booked = 0
    fact = PaymentDisputeWon(payment.id, payment.customer_id, case.amount, payment.currency, chargeback_id=case.id)
    publish(session, fact, actor=cause.actor, now=now)
