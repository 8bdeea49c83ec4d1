"""The plan of an invoice with what its readers chose: the pure plan, given what the database knows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.models import BillingSettings, Invoice, Membership, ReminderChoice
from portal.models.session import TenantSession
from portal.services.billing.plan import Step, is_chased, plan_steps


def plan_invoice(session: TenantSession, invoice: Invoice, settings: BillingSettings) -> list[Step]:
    """Every step of an invoice that is not done yet: the tenant's, and what its readers chose."""
    if invoice.due_at is None or not is_chased(invoice):
        return []
    return plan_steps(invoice, settings, own_days(session, invoice.customer_id))


def own_days(session: TenantSession, company_id: UUID) -> list[tuple[int, datetime]]:
    """Days that people of a company chose, each with since when somebody has."""
    since: dict[int, datetime] = {}
    query = select(ReminderChoice.days, ReminderChoice.updated_at).join(
        Membership, Membership.user_id == ReminderChoice.user_id
    )
    for days, at in session.execute(query.where(Membership.company_id == company_id)):
        for day in days:
            since[day] = min(at, since.get(day, at))
    return sorted(since.items())
