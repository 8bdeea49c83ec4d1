"""The demo world's invoices, as if they had been issued, reminded of and paid until now."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from portal.authz import Actor, system_actor
from portal.demo.billing_content import CUSTOMERS, INVOICES, ITEMS, SETTINGS, TAX_RATES, DemoInvoice
from portal.demo.content import DemoTenant, demo_uuid
from portal.events import tell
from portal.events.billing import InvoiceChanged
from portal.models import (
    UNPAID,
    BillingSettings,
    CatalogItem,
    Company,
    Invoice,
    LedgerEntry,
    LedgerKind,
    OutboxEvent,
    Payment,
    PaymentAllocation,
    PaymentKind,
    PaymentStatus,
    TaxRate,
)
from portal.models.session import TenantSession
from portal.services.billing.dunning import advance_invoice
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.numbering import next_in_series
from portal.services.billing.settings import REMINDERS, RETRY_AFTER
from portal.services.billing.status import settle_invoice
from portal.services.billing.voiding import void_invoice

HALF_DAY = timedelta(hours=12)


def seed_billing(session: TenantSession, tenant: DemoTenant, *, now: datetime) -> None:
    """Add settings, taxes, the catalogue and invoices; the timers of unpaid ones are set by their last event."""
    session.add(
        BillingSettings(
            tenant_id=session.tenant_id,
            dunning={"reminders": list(REMINDERS), "retry_after": list(RETRY_AFTER)},
            **SETTINGS[tenant.key],
        )
    )
    _add_taxes(session, tenant)
    _add_items(session, tenant)
    for key, (legal_name, tax_number, limit) in CUSTOMERS.items():
        company = session.get(Company, demo_uuid(tenant.key, "company", key))
        if company is not None:
            company.legal_name, company.tax_number, company.credit_limit = legal_name, tax_number, limit
    session.flush()
    actor = system_actor(session.tenant_id)
    for invoice in INVOICES[tenant.key]:
        _add_invoice(session, tenant, invoice, actor, now)
    session.flush()
    # It all happened long ago: nobody is told of it now, only timers have to run.
    session.execute(delete(OutboxEvent).where(OutboxEvent.record_type == "invoice"))
    for row in session.scalars(select(Invoice).where(Invoice.status.in_(UNPAID))).all():
        state = row.status.value
        tell(session, InvoiceChanged.about(row, from_status=state, to_status=state), actor=actor, now=now)


def _add_taxes(session: TenantSession, tenant: DemoTenant) -> None:
    for position, (name, rate, category) in enumerate(TAX_RATES[tenant.key]):
        session.add(
            TaxRate(
                id=demo_uuid(tenant.key, "tax_rate", name),
                tenant_id=session.tenant_id,
                name=name,
                rate=Decimal(rate),
                category=category,
                is_default=position == 0,
            )
        )
    session.flush()


def _add_items(session: TenantSession, tenant: DemoTenant) -> None:
    for item in ITEMS[tenant.key]:
        session.add(
            CatalogItem(
                id=_item_id(tenant, item.sku),
                tenant_id=session.tenant_id,
                sku=item.sku,
                names=item.names,
                service_type=item.service_type,
                unit=item.unit,
                currency=SETTINGS[tenant.key]["currency"],
                unit_price=item.price,
                discounts=[{"from": start, "percent": percent} for start, percent in item.tiers],
            )
        )
    session.flush()


def _item_id(tenant: DemoTenant, sku: str) -> UUID:
    return demo_uuid(tenant.key, "catalog_item", sku)


def _add_invoice(session: TenantSession, tenant: DemoTenant, told: DemoInvoice, actor: Actor, now: datetime) -> None:
    issued_at = now - timedelta(days=told.issued)
    today = issued_at.astimezone(ZoneInfo(tenant.timezone)).date()
    invoice = issue_from_lines(
        session,
        customer_id=demo_uuid(tenant.key, "company", told.company),
        currency=SETTINGS[tenant.key]["currency"],
        lines=_lines(tenant, told),
        due_on=today + timedelta(days=told.term),
        purchase_order=told.order,
        invoice_id=demo_uuid(tenant.key, "invoice", told.key),
        actor=actor,
        now=issued_at,
    )
    if told.state == "void":
        void_invoice(session, invoice.id, reason="Billed twice", actor=actor, now=issued_at + HALF_DAY)
    elif told.state == "paid":
        _pay(session, tenant, told, invoice, invoice.total, issued_at + timedelta(days=told.term - 6), actor)
    elif told.state == "part_paid":
        _pay(session, tenant, told, invoice, told.paid, issued_at + timedelta(days=told.term // 2), actor)
    # Each step came at its time.
    wake = advance_invoice(session, invoice.id, cycle=invoice.cycle, now=issued_at + HALF_DAY)
    while wake.at is not None and wake.at <= now:
        wake = advance_invoice(session, invoice.id, cycle=invoice.cycle, now=wake.at)


def _lines(tenant: DemoTenant, told: DemoInvoice) -> list[NewLine]:
    items = {item.sku: item for item in ITEMS[tenant.key]}
    return [
        NewLine(
            description=line.text or items[line.sku].names[tenant.locale],
            quantity=line.amount,
            unit_price=items[line.sku].price if line.price is None else line.price,
            discount=line.discount,
            unit="" if line.price is not None else items[line.sku].unit,
            service_type=items[line.sku].service_type,
            catalog_item_id=_item_id(tenant, line.sku),
        )
        for line in told.lines
    ]


def _pay(
    session: TenantSession,
    tenant: DemoTenant,
    told: DemoInvoice,
    invoice: Invoice,
    amount: int,
    at: datetime,
    actor: Actor,
) -> None:
    """A transfer that reached the bank account."""
    payment = Payment(
        id=demo_uuid(tenant.key, "payment", told.key),
        tenant_id=session.tenant_id,
        number=next_in_series(session, "payment", "P-{year}-{counter}", day=at.date()),
        customer_id=invoice.customer_id,
        kind=PaymentKind.TRANSFER,
        status=PaymentStatus.SUCCEEDED,
        currency=invoice.currency,
        amount=amount,
        method={"kind": "transfer"},
        succeeded_at=at,
        created_at=at,
        updated_at=at,
    )
    session.add(payment)
    session.flush()
    session.add(
        PaymentAllocation(
            tenant_id=session.tenant_id,
            payment_id=payment.id,
            invoice_id=invoice.id,
            amount=amount,
            booked=amount,
        )
    )
    session.add(
        LedgerEntry(
            tenant_id=session.tenant_id,
            customer_id=invoice.customer_id,
            invoice_id=invoice.id,
            payment_id=payment.id,
            kind=LedgerKind.PAID,
            amount=-amount,
            currency=invoice.currency,
            key=f"paid:{payment.id}:{invoice.id}",
            at=at,
        )
    )
    invoice.paid = amount
    settle_invoice(session, invoice, actor=actor, now=at)
