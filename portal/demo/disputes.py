"""What Acme of the demo world disputes and asks for: two wait for the team, a later due date was granted."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from portal.authz import Actor, ActorKind, system_actor
from portal.demo import addresses
from portal.demo.content import DemoTenant, demo_uuid
from portal.events import tell
from portal.events.billing import InvoiceChanged
from portal.models import Company, DisputeReason, Invoice, InvoiceLine, OutboxEvent, PlanInterval, Role
from portal.models.session import TenantSession
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.settings import load_settings
from portal.services.disputes.extending import ask_extension, grant_extension
from portal.services.disputes.opening import Objection, dispute_invoice
from portal.services.plans.asking import PlanWish, ask_plan

# After all other invoices, since numbers follow the days.
ISSUED = timedelta(hours=3)
LINES = (
    NewLine("Server room, half-yearly check", Decimal(1), 64_000),
    NewLine("Weekend surcharge", Decimal(2), 18_500),
)


def seed_disputes(session: TenantSession, tenant: DemoTenant, *, now: datetime) -> None:
    """Add them where the tenant has Acme; nobody is told of them now, only timers have to run."""
    company = session.get(Company, demo_uuid(tenant.key, "company", "acme"))
    if company is None:
        return
    customer = Actor(
        kind=ActorKind.CUSTOMER,
        tenant_id=session.tenant_id,
        name="Ana",
        user_id=demo_uuid(tenant.key, "user", addresses.ANA),
        roles=frozenset({Role.CUSTOMER_ADMIN}),
        company_ids=(company.id,),
        admin_company_ids=(company.id,),
    )
    _add_dispute(session, tenant, company, customer, now)
    _add_extension(session, tenant, customer, now)
    _add_plan(session, tenant, customer, now)


def _add_dispute(session: TenantSession, tenant: DemoTenant, company: Company, customer: Actor, now: datetime) -> None:
    system, issued = system_actor(session.tenant_id), now - ISSUED
    invoice = issue_from_lines(
        session,
        customer_id=company.id,
        currency=load_settings(session).currency,
        lines=list(LINES),
        due_on=(issued.astimezone(ZoneInfo(tenant.timezone)) + timedelta(days=30)).date(),
        invoice_id=demo_uuid(tenant.key, "invoice", "acme-disputed"),
        actor=system,
        now=issued,
    )
    session.flush()
    lines = select(InvoiceLine.id).where(InvoiceLine.invoice_id == invoice.id).order_by(InvoiceLine.position)
    surcharge = session.scalars(lines).all()[-1]
    objection = Objection(
        "The check was on a Thursday, so there is no weekend to pay for.", DisputeReason.WRONG_AMOUNT, {surcharge: None}
    )
    dispute = dispute_invoice(session, invoice.id, objection, actor=customer, now=now - timedelta(hours=1))
    _hush(session, invoice, dispute.id, system, now)


def _add_extension(session: TenantSession, tenant: DemoTenant, customer: Actor, now: datetime) -> None:
    invoice = session.get_one(Invoice, demo_uuid(tenant.key, "invoice", "acme-7"))
    assert invoice.due_on is not None
    system = system_actor(session.tenant_id)
    wish = ask_extension(
        session,
        invoice.id,
        wanted_on=invoice.due_on + timedelta(days=14),
        reason="Our new budget is released in the first week of the month.",
        actor=customer,
        now=now - timedelta(days=2),
    )
    grant_extension(session, wish.id, answer="Gladly, this once.", actor=system, now=now - timedelta(days=1))
    _hush(session, invoice, wish.id, system, now)


def _add_plan(session: TenantSession, tenant: DemoTenant, customer: Actor, now: datetime) -> None:
    invoice = session.get(Invoice, demo_uuid(tenant.key, "invoice", "acme-6"))
    if invoice is None:
        return
    first = now.astimezone(ZoneInfo(tenant.timezone)).date() + timedelta(days=10)
    wish = PlanWish(3, PlanInterval.MONTHLY, first, "Our customer pays us late; three months would help us.")
    plan = ask_plan(session, invoice.id, wish, actor=customer, now=now - timedelta(hours=2))
    _hush(session, invoice, plan.id, system_actor(session.tenant_id), now)


def _hush(session: TenantSession, invoice: Invoice, record_id: object, actor: Actor, now: datetime) -> None:
    session.execute(delete(OutboxEvent).where(OutboxEvent.record_id.in_([invoice.id, record_id])))
    state = invoice.status.value
    tell(session, InvoiceChanged.about(invoice, from_status=state, to_status=state), actor=actor, now=now)
