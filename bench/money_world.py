"""What the benchmark of money asks about: quotes that wait for a signature, and ids in an order that is always the same."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, text

from bench.serving import superuser
from portal.authz import system_actor
from portal.demo.content import demo_uuid
from portal.demo.scale_money import CUSTOMER as NUMBER
from portal.lib.clock import utcnow
from portal.models import Company
from portal.models.session import TenantSessions
from portal.services.quotes.drafting import QuoteDraft, draft_quote
from portal.services.quotes.lines import LineDraft
from portal.services.quotes.sending import send_quote
from runner.postgres import TemporaryServer

TENANT = demo_uuid("demo", "tenant")
_LINES = (
    LineDraft("Managed workplace", Decimal(12), 49_00, unit="month"),
    LineDraft("Setting up", Decimal(1), 450_00, discount=50_00),
    LineDraft("Training on site", Decimal(1), 380_00, optional=True, selected=False),
)


@dataclass(frozen=True)
class Offer:
    """A quote that waits, and the fingerprint that its signer sends back."""

    id: UUID
    content_sha256: str


def send_quotes(sessions: TenantSessions, count: int) -> list[Offer]:
    """So many quotes for the measured customer, each drafted and sent as the team does it."""
    actor, made = system_actor(TENANT), []
    with sessions.begin(TENANT) as session:
        company = session.scalars(select(Company.id).where(Company.customer_number == f"S{NUMBER:07d}")).one()
    for _ in range(count):
        with sessions.begin(TENANT) as session:
            now = utcnow()
            wanted = QuoteDraft(
                customer_id=company, title="Workplaces", lines=_LINES, valid_until=(now + timedelta(days=30)).date()
            )
            quote = send_quote(session, draft_quote(session, wanted, actor=actor, now=now).id, actor=actor, now=now)
            made.append(Offer(quote.id, (quote.content_sha256 or b"").hex()))
    return made


def ids_of(server: TemporaryServer, table: str, email: str, condition: str) -> list[str]:
    """Ids of a customer's records that meet a condition, the newest first."""
    query = (
        f"SELECT r.id FROM {table} r JOIN people p ON p.company_id = r.customer_id AND p.tenant_id = r.tenant_id"
        f" WHERE p.email = :email AND r.tenant_id = :tenant AND r.{condition} ORDER BY r.created_at DESC, r.id"
    )
    with superuser(server).connect() as connection:
        return [str(found) for found in connection.scalars(text(query), {"email": email, "tenant": TENANT})]


def accepted_quotes(server: TemporaryServer, count: int) -> list[UUID]:
    """Quotes that the benchmark signed, and that nobody has sealed."""
    query = "SELECT record_id FROM signatures WHERE record_type = 'quote' AND signer_name = 'Customer 5' ORDER BY id LIMIT :n"
    with superuser(server).connect() as connection:
        return list(connection.scalars(text(query), {"n": count}))
