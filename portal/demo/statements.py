"""Two statements of Acme's account; the worker makes them as soon as it runs."""

from datetime import datetime
from zoneinfo import ZoneInfo

from portal.authz import system_actor
from portal.demo.content import DemoTenant, demo_uuid
from portal.models import Company, StatementFormat, StatementKind
from portal.models.session import TenantSession
from portal.services.statements.requesting import StatementRequest, request_statement


def seed_statements(session: TenantSession, tenant: DemoTenant, *, now: datetime) -> None:
    """Ask for them where the tenant has Acme: this year's for its taxes, and the year until today as a table."""
    company = session.get(Company, demo_uuid(tenant.key, "company", "acme"))
    if company is None:
        return
    today = now.astimezone(ZoneInfo(tenant.timezone)).date()
    for wanted in (
        StatementRequest(StatementFormat.PDF, StatementKind.ANNUAL, year=today.year, company_id=company.id),
        StatementRequest(
            StatementFormat.XLSX, start=today.replace(month=1, day=1), end=today, company_id=company.id
        ),
    ):
        request_statement(
            session, wanted, locale=tenant.locale, actor=system_actor(session.tenant_id), now=now
        )
