"""How the tenant bills, as stored; a tenant that has set nothing up yet has the usual."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.models import BillingSettings, Tenant
from portal.models.session import TenantSession

CURRENCY = "EUR"
# Three days before the due day's end at nine in the morning, and so on: people read mail in the morning.
REMINDERS = ("-P2DT15H", "P1DT9H", "P7DT9H")
RETRY_AFTER = ("P3D", "P5D", "P7D")


def load_settings(session: TenantSession, *, lock: bool = False) -> BillingSettings:
    """The tenant's settings; made with the usual values where there are none."""
    query = select(BillingSettings).where(BillingSettings.tenant_id == session.tenant_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        session.execute(insert(BillingSettings).values(_usual(session)).on_conflict_do_nothing())
        found = session.scalars(query).one()
    return found


def _usual(session: TenantSession) -> dict[str, object]:
    name = session.scalar(select(Tenant.name).where(Tenant.id == session.tenant_id))
    return {
        "tenant_id": session.tenant_id,
        "currency": CURRENCY,
        "seller": {"legal_name": name or ""},
        "quote_number_format": "Q-{year}-{counter}",
        "invoice_number_format": "INV-{year}-{counter}",
        "credit_note_number_format": "CN-{year}-{counter}",
        "contract_number_format": "C-{year}-{counter}",
        "dunning": {"retry_after": list(RETRY_AFTER), "reminders": list(REMINDERS)},
    }
