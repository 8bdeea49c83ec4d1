"""From lines to an invoice that is owed: drafted, then issued with a number, once."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, invalid
from portal.events import publish
from portal.events.billing import InvoiceIssued
from portal.lib.money import EXPONENTS
from portal.models import Address, BillingSettings, Company, Invoice, InvoiceKind, InvoiceStatus, LedgerKind, Tenant
from portal.models.session import TenantSession
from portal.services.billing.ledger import book
from portal.services.billing.lines import NewLine, add_lines
from portal.services.billing.numbering import next_in_series
from portal.services.billing.plan import OVERDUE, charges_late_fee
from portal.services.billing.planning import plan_invoice
from portal.services.billing.settings import load_settings
from portal.services.billing.status import settle_status
from portal.services.billing.steps import write_next_steps

LONGEST_TERM = timedelta(days=3660)
ORDER_LENGTH = 60
NOTES_LENGTH = 2000
# One at a time for each thing that an invoice is made from; the number is any, it only has to be ours.
_LOCK = text("SELECT pg_advisory_xact_lock(7260, hashtext(:key))")


def draft_invoice(
    session: TenantSession,
    *,
    customer_id: UUID,
    currency: str,
    lines: Sequence[NewLine],
    due_on: date | None = None,
    kind: InvoiceKind = InvoiceKind.INVOICE,
    source_key: str | None = None,
    quote_id: UUID | None = None,
    purchase_order: str = "",
    notes: str = "",
    invoice_id: UUID | None = None,
    actor: Actor,
    now: datetime,
) -> Invoice:
    """An invoice without a number, which nobody owes yet. Raises Forbidden and Invalid per field."""
    require(actor, Permission.BILLING_MANAGE)
    settings = load_settings(session)
    if currency not in EXPONENTS:
        raise invalid("currency", "currency_unknown")
    if session.scalar(select(Company.id).where(Company.id == customer_id)) is None:
        raise invalid("customer_id", "unknown_customer")
    if len(purchase_order) > ORDER_LENGTH:
        raise invalid("purchase_order", "too_long", limit=ORDER_LENGTH)
    if len(notes) > NOTES_LENGTH:
        raise invalid("notes", "too_long", limit=NOTES_LENGTH)
    invoice = Invoice(
        id=invoice_id or uuid4(),
        tenant_id=session.tenant_id,
        kind=kind,
        customer_id=customer_id,
        status=InvoiceStatus.DRAFT,
        currency=currency,
        due_on=due_on,
        paid=0,
        reserved=0,
        credited=0,
        disputed=0,
        quote_id=quote_id,
        source_key=source_key,
        purchase_order=purchase_order.strip(),
        notes=notes.strip(),
        created_by=actor.user_id,
        cycle=0,
        dunned={},
        created_at=now,
        updated_at=now,
    )
    add_lines(session, invoice, lines, settings)
    session.add(invoice)
    session.flush()
    return invoice


def issue_invoice(session: TenantSession, draft: Invoice, *, actor: Actor, now: datetime) -> Invoice:
    """Give a draft its number, days and parties as they are today; from now on it is owed and frozen.

    Books it, writes the next steps and publishes `invoice.issued`, which starts its timer and the mail.
    Raises Forbidden, Conflict (issued already) and Invalid (due before today).
    """
    require(actor, Permission.BILLING_MANAGE)
    if draft.status is not InvoiceStatus.DRAFT:
        raise Conflict("invoice_issued", number=draft.number or "")
    settings, tenant = load_settings(session), _tenant(session)
    zone = ZoneInfo(tenant.timezone)
    today = now.astimezone(zone).date()
    draft.issued_on = today
    draft.due_on = _due_day(draft.due_on, today, settings)
    draft.due_at = end_of_day(draft.due_on, zone)
    draft.seller = {**settings.seller, "email": tenant.support_email, **_late_fee(settings)}
    draft.notes = draft.notes or str(settings.invoice_notes.get(tenant.locale) or "")
    draft.buyer = _buyer(session, draft.customer_id)
    draft.locale = tenant.locale
    draft.number = next_in_series(session, "invoice", settings.invoice_number_format, day=today)
    draft.status = settle_status(draft, now)
    draft.paid_at = now if draft.status is InvoiceStatus.PAID else None
    draft.updated_at = now
    # What would have come before today is passed over, not caught up with.
    planned = plan_invoice(session, draft, settings)
    draft.dunned = {step.key: "" for step in planned if step.at <= now and step.key != OVERDUE}
    book(session, draft, LedgerKind.INVOICED, draft.total, key=f"invoiced:{draft.id}", now=now)
    write_next_steps(session, draft, now=now)
    fact = InvoiceIssued.about(draft, made_from=draft.source_key)
    after = {"number": draft.number, "total": draft.total, "currency": draft.currency}
    publish(session, fact, actor=actor, now=now, after=after)
    return draft


def issue_from_lines(
    session: TenantSession,
    *,
    customer_id: UUID,
    currency: str,
    lines: Sequence[NewLine],
    source_key: str | None = None,
    kind: InvoiceKind = InvoiceKind.INVOICE,
    quote_id: UUID | None = None,
    purchase_order: str = "",
    due_on: date | None = None,
    notes: str = "",
    invoice_id: UUID | None = None,
    actor: Actor,
    now: datetime,
) -> Invoice:
    """Draft and issue at once. `source_key` names what it is made from: asked again, also at the same moment,
    it gives the invoice that was made already. Raises as `draft_invoice` and `issue_invoice` do.
    """
    require(actor, Permission.BILLING_MANAGE)
    if source_key is not None:
        session.connection().execute(_LOCK, {"key": f"{session.tenant_id}:{source_key}"})
        made = session.scalar(select(Invoice).where(Invoice.source_key == source_key))
        if made is not None:
            return made
    draft = draft_invoice(
        session,
        customer_id=customer_id,
        currency=currency,
        lines=lines,
        due_on=due_on,
        kind=kind,
        source_key=source_key,
        quote_id=quote_id,
        purchase_order=purchase_order,
        notes=notes,
        invoice_id=invoice_id,
        actor=actor,
        now=now,
    )
    return issue_invoice(session, draft, actor=actor, now=now)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant after a day where the tenant is."""
    return datetime.combine(day + timedelta(days=1), time(), zone)


def tenant_today(session: TenantSession, now: datetime) -> date:
    """The day it is where the tenant is."""
    return now.astimezone(ZoneInfo(_tenant(session).timezone)).date()


def _late_fee(settings: BillingSettings) -> dict[str, Any]:
    """What an invoice says about paying late, as it was on the day of issue; nothing where nothing is charged."""
    if not charges_late_fee(settings):
        return {}
    percent = format(settings.late_fee_percent.normalize(), "f")
    return {"late_fee_percent": percent, "late_fee_after_days": settings.late_fee_after_days}


def _due_day(wanted: date | None, today: date, settings: BillingSettings) -> date:
    due = wanted or today + timedelta(days=settings.payment_terms_days)
    if due < today:
        raise invalid("due_on", "due_in_the_past")
    if due - today > LONGEST_TERM:
        raise invalid("due_on", "date_invalid")
    return due


def _tenant(session: TenantSession) -> Tenant:
    return session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one()


def _buyer(session: TenantSession, company_id: UUID) -> dict[str, Any]:
    name, legal_name, tax_number, number, city, country = session.execute(
        select(
            Company.name,
            Company.legal_name,
            Company.tax_number,
            Company.customer_number,
            Company.city,
            Company.country,
        ).where(Company.id == company_id)
    ).one()
    found: dict[str, Any] = {"name": legal_name or name, "tax_number": tax_number, "customer_number": number}
    address = session.scalar(
        select(Address)
        .where(Address.company_id == company_id)
        .order_by(Address.is_primary.desc(), Address.created_at, Address.id)
        .limit(1)
    )
    if address is None:
        return found | {"line1": "", "postal_code": "", "city": city or "", "country": _code(country)}
    return found | {
        "line1": address.street,
        "postal_code": address.postal_code,
        "city": address.city,
        "country": address.country,
    }


def _code(country: str | None) -> str:
    """Companies may hold a country's name; only codes go on invoices."""
    return country if country and len(country) == 2 and country.isupper() else ""
