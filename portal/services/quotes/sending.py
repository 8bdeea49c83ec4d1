"""Sending a quote, which freezes it, and the next version of one that was sent."""

from datetime import date, datetime
from uuid import UUID, uuid4

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, invalid
from portal.events import publish
from portal.events.quotes import QuoteDrafted, QuoteRequestAnswered, QuoteSent, QuoteSuperseded
from portal.models import Quote, QuoteStatus
from portal.models.session import TenantSession
from portal.services.billing.numbering import next_in_series
from portal.services.quotes.clock import write_steps
from portal.services.quotes.content import fingerprint
from portal.services.quotes.drafting import QuoteDraft, edit_quote
from portal.services.quotes.lines import draft_of, write_lines
from portal.services.quotes.queries import get_request, list_lines, lock_quote
from portal.services.quotes.settings import QuoteSettings, read_settings

# What may be replaced by another version; an acceptance is undone by a document of its own, never by this.
REPLACEABLE = frozenset({QuoteStatus.SENT, QuoteStatus.REVISION_REQUESTED, QuoteStatus.DECLINED, QuoteStatus.EXPIRED})


def send_quote(session: TenantSession, quote_id: UUID, *, actor: Actor, now: datetime) -> Quote:
    """Give the customer a draft: number, fingerprint, and the instant its validity ends.

    Raises Forbidden, Conflict `quote_frozen` for one that was sent, Invalid where its validity is over.
    """
    quote = lock_quote(session, quote_id, actor=actor)
    require(actor, Permission.QUOTES_MANAGE)
    if quote.status is not QuoteStatus.DRAFT:
        raise Conflict("quote_frozen", number=quote.number)
    settings = read_settings(session)
    quote.expires_at = settings.end_of(quote.valid_until)
    if quote.expires_at <= now:
        raise invalid("valid_until", "validity_over")
    if not quote.number:
        quote.number = next_in_series(session, "quote", settings.number_format, day=settings.today(now))
    quote.content_sha256 = fingerprint(quote, list_lines(session, quote.id))
    quote.status = QuoteStatus.SENT
    quote.sent_at = quote.updated_at = now
    write_steps(session, quote, settings, now=now)
    after = {"number": quote.number, "total": quote.total, "content_sha256": quote.content_sha256.hex()}
    publish(session, QuoteSent.about(quote), actor=actor, now=now, before={"status": "draft"}, after=after)
    _answer_request(session, quote, actor, now)
    return quote


def revise_quote(
    session: TenantSession, quote_id: UUID, wanted: QuoteDraft | None = None, *, actor: Actor, now: datetime
) -> Quote:
    """Begin the next version as a draft; the one before can be accepted no more.

    `wanted` changes the draft at once. Raises Forbidden, Invalid, and Conflict `quote_not_replaceable` for an
    accepted one, a draft, and one that was replaced already.
    """
    before = lock_quote(session, quote_id, actor=actor)
    require(actor, Permission.QUOTES_MANAGE)
    if before.status not in REPLACEABLE:
        raise Conflict("quote_not_replaceable", number=before.number, status=before.status.value)
    settings, was = read_settings(session), before.status.value
    draft = _next_version(session, before, settings, actor, now)
    before.status, before.updated_at = QuoteStatus.SUPERSEDED, now
    write_steps(session, before, settings, now=now)
    publish(
        session,
        QuoteSuperseded.about(before, next_id=draft.id),
        actor=actor,
        now=now,
        before={"status": was},
        after={"status": QuoteStatus.SUPERSEDED.value},
    )
    publish(session, QuoteDrafted.about(draft), actor=actor, now=now, after={"previous_id": str(before.id)})
    return edit_quote(session, draft.id, wanted, actor=actor, now=now) if wanted else draft


def _next_version(session: TenantSession, before: Quote, settings: QuoteSettings, actor: Actor, now: datetime) -> Quote:
    today = settings.today(now)
    lasts = before.valid_until if before.valid_until > today else today + (before.valid_until - _day_sent(before))
    valid_until = max(lasts, today)
    draft = Quote(
        id=uuid4(),
        tenant_id=session.tenant_id,
        number=before.number,
        version=before.version + 1,
        previous_id=before.id,
        customer_id=before.customer_id,
        request_id=before.request_id,
        title=before.title,
        introduction=before.introduction,
        terms=before.terms,
        status=QuoteStatus.DRAFT,
        currency=before.currency,
        locale=before.locale,
        tax_rounding=settings.tax_rounding,
        deposit_percent=before.deposit_percent,
        deposit=0,
        subtotal=0,
        discount_total=0,
        tax_total=0,
        total=0,
        taxes=[],
        reminded=[],
        edits=1,
        valid_until=valid_until,
        expires_at=settings.end_of(valid_until),
        created_by=actor.user_id,
        created_at=now,
        updated_at=now,
    )
    session.add(draft)
    session.flush()
    write_lines(session, draft, [draft_of(line) for line in list_lines(session, before.id)])
    return draft


def _day_sent(quote: Quote) -> date:
    return (quote.sent_at or quote.created_at).date()


def _answer_request(session: TenantSession, quote: Quote, actor: Actor, now: datetime) -> None:
    """The wish that the quote answers is answered by its first sending."""
    if quote.request_id is None:
        return
    request = get_request(session, quote.request_id, actor=actor, lock=True)
    if request.answered_at is not None:
        return
    request.quote_id, request.answered_at = quote.id, now
    publish(session, QuoteRequestAnswered.about(request, quote_id=quote.id), actor=actor, now=now)
