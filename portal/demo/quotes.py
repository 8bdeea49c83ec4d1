"""Quotes of the demo world, written by the services that write them in life, at the times they would have been."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from portal.authz import Actor, system_actor
from portal.demo.content import DemoTenant, demo_uuid
from portal.demo.quote_content import (
    KESTREL_QUOTES,
    KESTREL_TERMS,
    KESTREL_WISHES,
    NOVA_QUOTES,
    NOVA_TERMS,
    REMINDERS,
    DemoQuote,
    DemoWish,
)
from portal.events import publish, tell
from portal.events.billing import InvoiceChanged
from portal.events.quotes import QuoteClockChanged
from portal.integrations.storage import FileStorage
from portal.models import UNPAID, Invoice, OutboxEvent, Quote, QuoteStatus, User
from portal.models.session import TenantSession
from portal.services.accounts.identity import build_identity, select_identity
from portal.services.billing.settings import load_settings
from portal.services.quotes.accepting import Acceptance, Evidence, accept_quote
from portal.services.quotes.clock import advance_quote
from portal.services.quotes.drafting import QuoteDraft, draft_quote
from portal.services.quotes.invoicing import issue_accepted
from portal.services.quotes.requests import QuoteWish, request_quote
from portal.services.quotes.sending import send_quote
from portal.services.quotes.templates import keep_as_template
from portal.services.quotes.viewing import add_time, record_view


def seed_quotes(session: TenantSession, tenant: DemoTenant, *, storage: FileStorage, now: datetime) -> None:
    """Write a tenant's quotes and wishes; afterwards only the timers of open ones are still to be told."""
    nova = tenant.key != "demo"
    settings = load_settings(session)
    settings.quote_terms = settings.quote_terms or (NOVA_TERMS if nova else KESTREL_TERMS)
    settings.quote_reminders = settings.quote_reminders or REMINDERS
    author = _actor(session, tenant, "noor" if nova else "bill")
    for quote in NOVA_QUOTES if nova else KESTREL_QUOTES:
        _seed(session, tenant, quote, author, storage, now)
    for wish in () if nova else KESTREL_WISHES:
        _wish(session, tenant, wish, now)
    session.flush()
    # People heard of these when they happened, which was before this world began; what was accepted is sealed yet.
    session.execute(
        update(OutboxEvent)
        .where(OutboxEvent.record_type.in_(("quote", "quote_request")), OutboxEvent.kind != "quote.accepted")
        .values(processed_at=now)
        .execution_options(synchronize_session=False)
    )
    made = Invoice.quote_id.is_not(None)
    session.execute(delete(OutboxEvent).where(OutboxEvent.record_id.in_(select(Invoice.id).where(made))))
    for invoice in session.scalars(select(Invoice).where(made, Invoice.status.in_(UNPAID))).all():
        state = invoice.status.value
        changed = InvoiceChanged.about(invoice, from_status=state, to_status=state)
        tell(session, changed, actor=system_actor(session.tenant_id), now=now)
    for row in session.scalars(select(Quote).where(Quote.status == QuoteStatus.SENT)).all():
        publish(session, QuoteClockChanged.about(row), actor=system_actor(session.tenant_id), now=now)


def _seed(
    session: TenantSession,
    tenant: DemoTenant,
    content: DemoQuote,
    author: Actor,
    storage: FileStorage,
    now: datetime,
) -> None:
    sent_at = now - timedelta(days=content.sent_days_ago)
    wanted = QuoteDraft(
        id=demo_uuid(tenant.key, "quote", content.key),
        customer_id=demo_uuid(tenant.key, "company", content.company),
        currency=content.currency,
        locale=content.locale,
        title=content.title,
        introduction=content.introduction,
        valid_until=(sent_at + timedelta(days=content.valid_days)).date(),
        deposit_percent=content.deposit_percent,
        lines=content.lines,
    )
    quote = draft_quote(session, wanted, actor=author, now=sent_at - timedelta(hours=2))
    send_quote(session, quote.id, actor=author, now=sent_at)
    if content.key == "acme-network":
        keep_as_template(session, quote.id, name="Network refresh", actor=author, now=sent_at)
        _look_at(session, quote, _actor(session, tenant, "ana"), now - timedelta(hours=20))
    if content.state == "expired":
        advance_quote(session, quote.id, now=quote.expires_at)
    if content.state == "accepted":
        _accept(session, tenant, content, quote, storage, sent_at + timedelta(days=2))


def _look_at(session: TenantSession, quote: Quote, reader: Actor, at: datetime) -> None:
    record_view(session, quote, actor=reader, now=at)
    session.flush()
    for seconds in (60, 60, 45):
        add_time(session, quote.id, seconds=seconds, actor=reader, now=at)


def _accept(
    session: TenantSession,
    tenant: DemoTenant,
    content: DemoQuote,
    quote: Quote,
    storage: FileStorage,
    at: datetime,
) -> None:
    signer = _actor(session, tenant, content.signer)
    _look_at(session, quote, signer, at - timedelta(minutes=4))
    given = Acceptance(
        signer_name=signer.name,
        content_sha256=(quote.content_sha256 or b"").hex(),
        consent=True,
        purchase_order=content.purchase_order,
    )
    evidence = Evidence("192.0.2.44", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "pwd otp")
    accept_quote(session, quote.id, given, evidence=evidence, storage=storage, actor=signer, now=at)
    issue_accepted(session, quote.id, now=at + timedelta(seconds=2))


def _wish(session: TenantSession, tenant: DemoTenant, content: DemoWish, now: datetime) -> None:
    asked_at = now - timedelta(days=content.asked_days_ago)
    wish = QuoteWish(
        id=demo_uuid(tenant.key, "quote_request", content.key),
        subject=content.subject,
        requirements=content.requirements,
        budget=content.budget,
        currency=content.currency,
        wanted_by=(asked_at + timedelta(days=content.wanted_in_days)).date(),
    )
    request_quote(session, wish, actor=_actor(session, tenant, content.person), now=asked_at)


def _actor(session: TenantSession, tenant: DemoTenant, key: str) -> Actor:
    email = next(person.email for person in tenant.people if person.key == key)
    row = session.execute(select_identity().where(User.id == demo_uuid(tenant.key, "user", email))).one()
    return build_identity(row).actor
