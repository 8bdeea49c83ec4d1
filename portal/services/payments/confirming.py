"""Confirming at the bank what auto-pay could not take without its owner: the same payment, nothing is charged twice."""

from datetime import datetime
from uuid import UUID

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden
from portal.integrations.payments import PaymentDeclined
from portal.models import PaymentMethod, PaymentStatus
from portal.models.session import TenantSession
from portal.services.payments.applying import Desk, apply_payment, book_intent, lock_payment
from portal.services.payments.calling import site_of
from portal.services.payments.queries import get_payment
from portal.services.payments.reserving import key_of


def begin_confirmation(session: TenantSession, payment_id: UUID, *, actor: Actor, now: datetime) -> str | None:
    """Where the bank's question waits already; else None, with the key of the next try written down.

    Commit before `confirm_payment`. Raises Forbidden, NotFound and Conflict.
    """
    require(actor, Permission.INVOICES_PAY)
    found = get_payment(session, payment_id, actor=actor)
    if found.customer_id not in actor.admin_company_ids:
        raise Forbidden("not_allowed", permission=Permission.INVOICES_PAY.value)
    payment = lock_payment(session, payment_id)
    if payment.status is not PaymentStatus.REQUIRES_ACTION or not payment.intent_id:
        raise Conflict("payment_already_processed")
    if payment.redirect_url:
        return payment.redirect_url
    payment.attempt += 1
    payment.keys = payment.keys | {"confirm": key_of(payment.id, "confirm", payment.attempt)}
    payment.updated_at = now
    return None


def confirm_payment(desk: Desk, payment_id: UUID, *, now: datetime) -> str | None:
    """Ask the gateway for the same payment with its owner there; gives where the bank asks, if it does."""
    with desk.sessions.begin(desk.tenant_id) as session:
        payment = lock_payment(session, payment_id)
        return_url = f"{site_of(session, desk.base_url)}/portal/payments/{payment_id}/return"
    try:
        intent = desk.gateway.confirm_again(
            payment.intent_id or "", key=str(payment.keys["confirm"]), method_id=_token(desk, payment.method_id),
            return_url=return_url,
        )  # fmt: skip
    except PaymentDeclined:
        apply_payment(desk, payment_id, now=now)
        return None
    book_intent(desk, payment_id, intent, now=now)
    return intent.redirect_url


def _token(desk: Desk, method_id: UUID | None) -> str | None:
    with desk.sessions.begin(desk.tenant_id) as session:
        found = session.get(PaymentMethod, method_id) if method_id else None
        return found.gateway_id if found and found.removed_at is None else None
