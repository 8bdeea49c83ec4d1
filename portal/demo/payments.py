"""A payment on its way, one that failed, one that is planned, and a saved card, as Acme of the demo world has them."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from portal.authz import system_actor
from portal.demo.content import DemoTenant, demo_uuid
from portal.events import tell
from portal.events.billing import InvoiceChanged
from portal.events.scheduled import PaymentScheduled
from portal.models import (
    Company,
    Invoice,
    InvoiceStatus,
    OutboxEvent,
    Payment,
    PaymentAllocation,
    PaymentKind,
    PaymentMethod,
    ScheduledPayment,
    ScheduleStatus,
)
from portal.models import PaymentStatus as Status
from portal.models.session import TenantSession
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.numbering import next_in_series
from portal.services.billing.planned import write_step
from portal.services.billing.settings import load_settings
from portal.services.billing.status import settle_invoice
from portal.services.payments.methods import CONSENT_VERSION
from portal.services.payments.reserving import NUMBER_FORMAT

# The test token that the stand-in (and the provider's own test mode) takes for a Visa that pays.
CARD = "pm_card_visa"
# After all other invoices, since numbers follow the days.
ISSUED = timedelta(hours=6)


@dataclass(frozen=True)
class _Told:
    """An invoice of today and how its payment stands, which was made so many hours ago."""

    key: str
    text: str
    amount: int
    hours: int
    status: Status
    method: dict[str, str]
    failure: str | None = None


ACME = (
    _Told(
        "acme-processing",
        "Network survey, Lyon warehouse",
        98_000,
        5,
        Status.PROCESSING,
        {"kind": "sepa_debit", "brand": "", "last4": "3000"},
    ),
    _Told(
        "acme-failed",
        "Replacement laptops, set up",
        214_500,
        4,
        Status.FAILED,
        {"kind": "card", "brand": "visa", "last4": "9995"},
        "insufficient_funds",
    ),
)


def seed_payments(session: TenantSession, tenant: DemoTenant, *, now: datetime) -> None:
    """Add them where the tenant has Acme; the rest of what was paid comes with the invoices."""
    company = session.get(Company, demo_uuid(tenant.key, "company", "acme"))
    if company is None:
        return
    session.add(
        PaymentMethod(
            id=demo_uuid(tenant.key, "payment_method", "acme"),
            customer_id=company.id,
            gateway_id=CARD,
            kind="card",
            brand="visa",
            last4="4242",
            exp_month=8,
            exp_year=now.year + 2,
            fingerprint="demo",
            is_default=True,
            consent_version=CONSENT_VERSION,
            consent_at=now - timedelta(days=90),
            created_at=now - timedelta(days=90),
        )
    )
    for told in ACME:
        _add(session, tenant, company, told, now)
    _schedule(session, tenant, company, now)


def _schedule(session: TenantSession, tenant: DemoTenant, company: Company, now: datetime) -> None:
    """A payment planned for the week after next, of the invoice that is due last."""
    open_ones = select(Invoice).where(
        Invoice.customer_id == company.id, Invoice.status == InvoiceStatus.OPEN, Invoice.reserved == 0
    )
    invoice = session.scalars(open_ones.order_by(Invoice.due_on.desc(), Invoice.number).limit(1)).first()
    if invoice is None:
        return
    zone = ZoneInfo(tenant.timezone)
    day = (now.astimezone(zone) + timedelta(days=12)).date()
    planned = ScheduledPayment(
        id=demo_uuid(tenant.key, "scheduled_payment", "acme"),
        customer_id=company.id,
        invoice_id=invoice.id,
        method_id=demo_uuid(tenant.key, "payment_method", "acme"),
        currency=invoice.currency,
        day=day,
        charge_at=datetime.combine(day, time(), zone),
        status=ScheduleStatus.PLANNED,
        created_at=now - timedelta(days=1),
        updated_at=now - timedelta(days=1),
    )
    session.add(planned)
    session.flush()
    write_step(session, planned)
    tell(session, PaymentScheduled.about(planned), actor=system_actor(session.tenant_id), now=now)


def _add(session: TenantSession, tenant: DemoTenant, company: Company, told: _Told, now: datetime) -> None:
    actor, issued = system_actor(session.tenant_id), now - ISSUED
    line = NewLine(told.text, Decimal(1), told.amount)
    invoice = issue_from_lines(
        session,
        customer_id=company.id,
        currency=load_settings(session).currency,
        lines=[line],
        due_on=(issued.astimezone(ZoneInfo(tenant.timezone)) + timedelta(days=30)).date(),
        invoice_id=demo_uuid(tenant.key, "invoice", told.key),
        actor=actor,
        now=issued,
    )
    at = now - timedelta(hours=told.hours)
    payment = _payment(session, tenant, invoice, told, at)
    session.add(payment)
    session.flush()
    session.add(PaymentAllocation(payment_id=payment.id, invoice_id=invoice.id, amount=payment.amount))
    if told.status is Status.PROCESSING:
        invoice.reserved = payment.amount
    invoice.failure = told.failure
    settle_invoice(session, invoice, actor=actor, now=at)
    # Nobody is told of it now, only its timer has to run.
    session.execute(delete(OutboxEvent).where(OutboxEvent.record_id == invoice.id))
    state = invoice.status.value
    tell(session, InvoiceChanged.about(invoice, from_status=state, to_status=state), actor=actor, now=now)


def _payment(session: TenantSession, tenant: DemoTenant, invoice: Invoice, told: _Told, at: datetime) -> Payment:
    return Payment(
        id=demo_uuid(tenant.key, "payment", told.key),
        number=next_in_series(session, "payment", NUMBER_FORMAT, day=at.date()),
        customer_id=invoice.customer_id,
        kind=PaymentKind.HOSTED,
        status=told.status,
        currency=invoice.currency,
        amount=invoice.total,
        method=told.method,
        failure_code=told.failure,
        created_at=at,
        updated_at=at,
    )
