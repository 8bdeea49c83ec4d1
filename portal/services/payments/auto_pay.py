"""Charging due invoices by agreement: announced before, charged once on the due day, tried again as the plan says.

The row of an invoice's plan is locked while it is decided about, so each time comes to one charge (WFL-05).
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import system_actor
from portal.errors import DomainError
from portal.events import audit
from portal.integrations.payments import GatewayUnavailable
from portal.models import (
    AutoPay,
    AutoPayAttempt,
    AutoPayState,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    Payment,
    PaymentKind,
    PaymentMethod,
    ScheduledPayment,
    ScheduleStatus,
    Tenant,
)
from portal.models.session import TenantSession
from portal.services.payments import telling
from portal.services.payments.applying import Desk
from portal.services.payments.balances import available
from portal.services.payments.calling import carry_out
from portal.services.payments.coming import CHARGE, RETRY, show_coming
from portal.services.payments.reserving import PayRequest, start_payment

log = structlog.get_logger()
NOTICE = timedelta(days=3)
OVER_LIMIT = "over_limit"
# While a payment is under way nothing is charged; of what is disputed in part, the rest is.
_CHARGED = (InvoiceStatus.OPEN, InvoiceStatus.OVERDUE, InvoiceStatus.FAILED, InvoiceStatus.DISPUTED)


@dataclass
class _Round:
    """One look at the invoices of a company."""

    session: TenantSession
    desk: Desk
    plan: AutoPay
    method: PaymentMethod
    now: datetime
    started: list[UUID]
    wakes: list[datetime]
    coming: dict[UUID, tuple[str, datetime]] = field(default_factory=dict)


def advance_auto_pay(desk: Desk, company_id: UUID, *, now: datetime) -> datetime | None:
    """Announce and charge what it is time for; gives when to come back, None until something changes.

    Safe to repeat, and at the same time.
    """
    with desk.sessions.begin(desk.tenant_id) as session:
        plan = session.scalar(
            select(AutoPay).where(AutoPay.customer_id == company_id, AutoPay.enabled).with_for_update()
        )
        method = session.get(PaymentMethod, plan.method_id) if plan and plan.method_id else None
        if plan is None or method is None or method.removed_at is not None:
            show_coming(session, company_id, {})
            return None
        round_ = _Round(session, desk, plan, method, now, [], [])
        zone = ZoneInfo(session.scalars(select(Tenant.timezone).where(Tenant.id == session.tenant_id)).one())
        for invoice in _invoices(session, company_id):
            _decide(round_, invoice, charge_time(invoice, zone))
        show_coming(session, company_id, round_.coming)
    for payment_id in round_.started:
        try:
            carry_out(desk, payment_id, now=now)
        except GatewayUnavailable:
            # The payment's own workflow asks again.
            log.warning("auto_pay_waits", payment=str(payment_id))
    return min(round_.wakes, default=None)


def charge_time(invoice: Invoice, zone: ZoneInfo) -> datetime:
    """When an invoice is charged: as its due day begins where the tenant is."""
    assert invoice.due_on is not None
    return datetime.combine(invoice.due_on, time(), zone)


def _invoices(session: TenantSession, company_id: UUID) -> list[Invoice]:
    query = (
        select(Invoice)
        .where(
            Invoice.customer_id == company_id,
            Invoice.status.in_(_CHARGED),
            Invoice.kind != InvoiceKind.CREDIT_NOTE,
            Invoice.due_on.is_not(None),
            # Instalments are paid one by one, whatever the whole comes to.
            Invoice.plan_due_at.is_(None),
            # Whoever chose a day for an invoice does not want it charged on another one.
            ~exists().where(
                ScheduledPayment.invoice_id == Invoice.id, ScheduledPayment.status == ScheduleStatus.PLANNED
            ),
        )
        .order_by(Invoice.id)
        .with_for_update()
    )
    return [one for one in session.scalars(query) if available(one) > 0 and not one.reserved]


def _decide(round_: _Round, invoice: Invoice, due: datetime) -> None:
    attempt = _attempt(round_.session, invoice, round_.now)
    if attempt.state is AutoPayState.DONE:
        # Paid once, and owed again (a refund): that is for people to talk about, not for us to charge.
        return
    if attempt.state is not AutoPayState.WAITING:
        return
    at = attempt.next_at or due
    if at > round_.now:
        _announce(round_, invoice, attempt, at)
        round_.wakes.append(at)
        if round_.plan.limit is None or available(invoice) <= round_.plan.limit:
            round_.coming[invoice.id] = (RETRY if attempt.attempts else CHARGE, at)
        return
    if round_.plan.limit is not None and available(invoice) > round_.plan.limit:
        attempt.state, attempt.code, attempt.updated_at = AutoPayState.NEEDS_CUSTOMER, OVER_LIMIT, round_.now
        shown = _shown(round_, invoice)
        telling.tell_over_limit(round_.session, shown, invoice.id, base_url=round_.desk.base_url, now=round_.now)
        return
    _charge(round_, invoice, attempt)


def _attempt(session: TenantSession, invoice: Invoice, now: datetime) -> AutoPayAttempt:
    row = {"tenant_id": session.tenant_id, "invoice_id": invoice.id, "state": AutoPayState.WAITING, "updated_at": now}
    session.execute(insert(AutoPayAttempt).values(row).on_conflict_do_nothing())
    query = select(AutoPayAttempt).where(AutoPayAttempt.invoice_id == invoice.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _announce(round_: _Round, invoice: Invoice, attempt: AutoPayAttempt, at: datetime) -> None:
    """Three days before, once; what is tried again was told with the failure."""
    if attempt.noticed_at is not None or attempt.attempts:
        return
    if at - NOTICE > round_.now:
        round_.wakes.append(at - NOTICE)
        return
    attempt.noticed_at = round_.now
    shown = _shown(round_, invoice)
    telling.tell_announced(round_.session, shown, at, base_url=round_.desk.base_url, now=round_.now)
    actor = system_actor(round_.session.tenant_id)
    audit(round_.session, "auto_pay.noticed", "auto_pay", invoice.customer_id, actor=actor, now=round_.now)


def _charge(round_: _Round, invoice: Invoice, attempt: AutoPayAttempt) -> None:
    session, now = round_.session, round_.now
    request = PayRequest({invoice.id: None}, method_id=round_.method.id, kind=PaymentKind.AUTO_PAY)
    try:
        payment = start_payment(session, request, actor=system_actor(session.tenant_id, "Auto-pay"), now=now)
    except DomainError as refused:
        log.warning("auto_pay_refused", invoice=str(invoice.id), code=refused.code)
        attempt.state, attempt.code = AutoPayState.STOPPED, refused.code[:60]
        return
    attempt.state, attempt.attempts, attempt.next_at = AutoPayState.CHARGING, attempt.attempts + 1, None
    attempt.payment_id, attempt.updated_at = payment.id, now
    round_.started.append(payment.id)


def _shown(round_: _Round, invoice: Invoice) -> Payment:
    """A payment as it will be, to say which; never stored."""
    method = round_.method
    return Payment(
        id=uuid4(),
        tenant_id=invoice.tenant_id,
        number=invoice.number or "",
        customer_id=invoice.customer_id,
        kind=PaymentKind.AUTO_PAY,
        currency=invoice.currency,
        amount=available(invoice),
        method={"kind": method.kind, "brand": method.brand, "last4": method.last4},
    )
