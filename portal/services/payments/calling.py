"""Asking the gateway to take money, outside of any transaction, with the key that the payment's row holds already.

Whoever started the payment calls at once, so that the click leads to the gateway's page; the payment's workflow
calls again where that process died or got no answer. The same key makes both one call there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select, update

from portal.integrations.payments import (
    GatewayMethod,
    GatewayRefused,
    GatewaySession,
    PaymentDeclined,
)
from portal.lib.faults import crash_point
from portal.lib.links import site_address
from portal.lib.money import Money
from portal.models import (
    Company,
    GatewayCustomer,
    Payment,
    PaymentKind,
    PaymentMethod,
    PaymentStatus,
    Tenant,
)
from portal.models.session import TenantSession
from portal.services.payments.applying import UNATTENDED, Desk, apply_payment, book_intent, fail_payment
from portal.services.payments.offering import offer_of
from portal.services.payments.queries import invoices_of
from portal.services.tenants.directory import load_profile

log = structlog.get_logger()
# The gateway closes its page after this; what is reserved is free again then. It takes no less than 30 minutes.
PAGE_FOR = timedelta(minutes=35)
# So long a page may still be asked for: later its end would be nearer than the gateway allows.
PAGE_WITHIN = timedelta(minutes=4)
# Keys are kept for a day; what is older is looked up instead.
KEY_FOR = timedelta(hours=20)
DESCRIBED = 5


@dataclass(frozen=True)
class _Order:
    """What the gateway is asked for, read in one transaction."""

    payment: Payment
    method: PaymentMethod | None
    customer_id: str
    numbers: str
    return_url: str

    @property
    def metadata(self) -> dict[str, str]:
        return {"tenant_id": str(self.payment.tenant_id), "payment_id": str(self.payment.id)}

    @property
    def amount(self) -> Money:
        return Money(self.payment.amount, self.payment.currency)


def carry_out(desk: Desk, payment_id: UUID, *, now: datetime) -> None:
    """Ask the gateway for the payment; again asks with the same key, and does nothing where it has answered.

    Raises GatewayUnavailable where nobody knows what became of it: the payment stays as it is, and is asked for again.
    """
    order = _load(desk, payment_id)
    if order is None:
        return
    hosted = order.payment.kind is PaymentKind.HOSTED
    age = now - order.payment.created_at
    if age > (PAGE_WITHIN if hosted else KEY_FOR):
        _give_up(desk, order, now)
        return
    crash_point("pay.pre_call")
    try:
        if hosted:
            _open_page(desk, order, now)
        else:
            _charge(desk, order, now)
    except PaymentDeclined as declined:
        crash_point("pay.post_charge")
        if declined.intent_id:
            _note_intent(desk, payment_id, declined.intent_id)
            apply_payment(desk, payment_id, now=now)
        else:
            fail_payment(desk, payment_id, declined.decline_code or declined.code, now=now)
    except GatewayRefused as refused:
        log.warning("gateway_refused", payment=str(payment_id), code=refused.code, param=refused.param)
        fail_payment(desk, payment_id, refused.code, now=now)


def ensure_customer(desk: Desk, company_id: UUID) -> str:
    """The company's record at the gateway, made once by the key that its row holds."""
    with desk.sessions.begin(desk.tenant_id) as session:
        row = session.get_one(GatewayCustomer, company_id)
        if row.gateway_id:
            return row.gateway_id
        key, name = row.key, session.scalars(select(Company.name).where(Company.id == company_id)).one()
    metadata = {"tenant_id": str(desk.tenant_id), "company_id": str(company_id)}
    made = desk.gateway.ensure_customer(key=key, name=name, email=None, metadata=metadata)
    with desk.sessions.begin(desk.tenant_id) as session:
        session.execute(
            update(GatewayCustomer)
            .where(GatewayCustomer.customer_id == company_id, GatewayCustomer.gateway_id.is_(None))
            .values(gateway_id=made)
        )
    return made


def site_of(session: TenantSession, base_url: str) -> str:
    """Where the tenant's portal is reached."""
    tenant = session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one()
    return site_address(base_url, load_profile(session, tenant).primary_host)


def token_of(method: PaymentMethod) -> GatewayMethod:
    """A saved method as the gateway's port takes it."""
    return GatewayMethod(id=method.gateway_id, kind=method.kind, brand=method.brand, last4=method.last4)


def _load(desk: Desk, payment_id: UUID) -> _Order | None:
    with desk.sessions.begin(desk.tenant_id) as session:
        payment = session.get_one(Payment, payment_id)
        if payment.status is not PaymentStatus.CREATED or payment.session_id or payment.intent_id:
            return None
        method = session.get(PaymentMethod, payment.method_id) if payment.method_id else None
        paid_for = [one.number for one in invoices_of(session, payment_id)]
        return_url = f"{site_of(session, desk.base_url)}/portal/payments/{payment_id}/return"
    numbers = ", ".join(paid_for[:DESCRIBED]) + ("…" if len(paid_for) > DESCRIBED else "")
    customer_id = ensure_customer(desk, payment.customer_id)
    return _Order(payment, method, customer_id, numbers or payment.number, return_url)


def _open_page(desk: Desk, order: _Order, now: datetime) -> None:
    payment = order.payment
    offer = offer_of(payment)
    page = desk.gateway.create_payment_checkout(
        key=str(payment.keys["create"]),
        customer_id=order.customer_id,
        amount=order.amount,
        description=order.numbers,
        success_url=order.return_url,
        cancel_url=order.return_url,
        expires_at=payment.created_at + PAGE_FOR,
        metadata=order.metadata,
        method_types=offer.types,
        installments=offer.installments,
        save_method="consent" in payment.keys,
    )
    crash_point("pay.post_charge")
    _note_page(desk, payment.id, page, now)
    crash_point("pay.post_commit")


def _charge(desk: Desk, order: _Order, now: datetime) -> None:
    payment, method = order.payment, order.method
    if method is None or method.removed_at is not None:
        fail_payment(desk, payment.id, "method_removed", now=now)
        return
    intent = desk.gateway.charge_saved(
        key=str(payment.keys["create"]),
        customer_id=order.customer_id,
        method=token_of(method),
        amount=order.amount,
        description=order.numbers,
        metadata=order.metadata,
        return_url=order.return_url,
        off_session=payment.kind in UNATTENDED,
    )
    crash_point("pay.post_charge")
    book_intent(desk, payment.id, intent, now=now)
    crash_point("pay.post_commit")


def _note_page(desk: Desk, payment_id: UUID, page: GatewaySession, now: datetime) -> None:
    with desk.sessions.begin(desk.tenant_id) as session:
        session.execute(
            update(Payment)
            .where(Payment.id == payment_id, Payment.status == PaymentStatus.CREATED)
            .values(
                status=PaymentStatus.OPEN,
                session_id=page.id,
                intent_id=page.intent_id,
                redirect_url=page.url,
                expires_at=page.expires_at,
                updated_at=now,
            )
        )


def _note_intent(desk: Desk, payment_id: UUID, intent_id: str) -> None:
    with desk.sessions.begin(desk.tenant_id) as session:
        session.execute(
            update(Payment).where(Payment.id == payment_id, Payment.intent_id.is_(None)).values(intent_id=intent_id)
        )


def _give_up(desk: Desk, order: _Order, now: datetime) -> None:
    """Nobody has seen the page, or the key is too old: look the payment up, and end it where there is none."""
    payment = order.payment
    if payment.kind is not PaymentKind.HOSTED:
        since = payment.created_at - timedelta(hours=1)
        for intent in desk.gateway.list_intents(customer_id=order.customer_id, since=since):
            if intent.metadata.get("payment_id") == str(payment.id):
                book_intent(desk, payment.id, intent, now=now)
                return
    fail_payment(desk, payment.id, "gateway_unavailable", now=now)
