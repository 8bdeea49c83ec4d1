"""What of a tenant's billing settings quotes are made by; a tenant that has set nothing quotes in euros."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.models import BillingSettings, Tenant
from portal.models.session import TenantSession


@dataclass(frozen=True)
class QuoteSettings:
    """The rules for quotes; `reminders` are ISO 8601 durations before the end of validity."""

    timezone: str
    locale: str
    currency: str = "EUR"
    seller: dict[str, Any] = field(default_factory=dict)
    tax_rounding: str = "document"
    payment_terms_days: int = 30
    valid_days: int = 30
    number_format: str = "Q-{year}-{counter}"
    terms: dict[str, str] = field(default_factory=dict)
    reminders: tuple[str, ...] = ()

    def today(self, now: datetime) -> date:
        """The day it is where the tenant is."""
        return now.astimezone(ZoneInfo(self.timezone)).date()

    def end_of(self, day: date) -> datetime:
        """The instant a day ends where the tenant is, in UTC."""
        return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(self.timezone)).astimezone(UTC)

    def terms_in(self, locale: str) -> str:
        """The standard terms in a language, else in the tenant's own."""
        return self.terms.get(locale) or self.terms.get(self.locale) or ""


def read_settings(session: TenantSession) -> QuoteSettings:
    """The settings of the session's tenant, by one statement."""
    joined = select(Tenant.timezone, Tenant.locale, BillingSettings).outerjoin(
        BillingSettings, BillingSettings.tenant_id == Tenant.id
    )
    timezone, locale, stored = session.execute(joined.where(Tenant.id == session.tenant_id)).one()
    if stored is None:
        return QuoteSettings(timezone, locale)
    return QuoteSettings(
        timezone,
        locale,
        currency=stored.currency,
        seller=dict(stored.seller),
        tax_rounding=stored.tax_rounding,
        payment_terms_days=stored.payment_terms_days,
        valid_days=stored.quote_valid_days,
        number_format=stored.quote_number_format,
        terms=dict(stored.quote_terms),
        reminders=tuple(stored.quote_reminders),
    )
