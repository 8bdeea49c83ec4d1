"""Ending a payment that nobody went on with: its page is closed, what was reserved is free again."""

from datetime import datetime
from uuid import UUID

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden
from portal.integrations.payments import GatewayRefused
from portal.models import Payment, PaymentStatus
from portal.models.session import TenantSession
from portal.services.payments.applying import Desk, apply_payment
from portal.services.payments.queries import get_payment

_ENDABLE = frozenset({PaymentStatus.OPEN, PaymentStatus.REQUIRES_ACTION})


def require_cancellable(session: TenantSession, payment_id: UUID, *, actor: Actor) -> Payment:
    """A payment that its company may end now. Raises Forbidden, NotFound and Conflict."""
    require(actor, Permission.INVOICES_PAY)
    payment = get_payment(session, payment_id, actor=actor)
    if payment.customer_id not in actor.admin_company_ids:
        raise Forbidden("not_allowed", permission=Permission.INVOICES_PAY.value)
    if payment.status not in _ENDABLE:
        raise Conflict("payment_not_cancellable")
    return payment


def cancel_payment(desk: Desk, payment: Payment, *, now: datetime) -> PaymentStatus:
    """Have the gateway take no money for it any more, then write what it says: it may have been paid meanwhile."""
    try:
        if payment.session_id and payment.status is PaymentStatus.OPEN:
            desk.gateway.expire_checkout(payment.session_id, key=f"payment:{payment.id}:expire:1")
        elif payment.intent_id:
            desk.gateway.cancel_intent(payment.intent_id, key=f"payment:{payment.id}:cancel:1")
    except GatewayRefused:
        # It ended by itself; what it ended as is read now.
        return apply_payment(desk, payment.id, now=now)
    return apply_payment(desk, payment.id, now=now)
