"""Drafts of quotes: written and changed by the team, unseen by the customer until they are sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid, invalid
from portal.events import publish
from portal.events.quotes import QuoteDiscarded, QuoteDrafted, QuoteEdited
from portal.lib.money import EXPONENTS
from portal.lib.text import clean_text, has_forbidden_characters
from portal.models import Company, Quote, QuoteLine, QuoteRequest, QuoteStatus
from portal.models.session import TenantSession
from portal.services.quotes.lines import LineDraft, store_totals, write_lines
from portal.services.quotes.queries import get_request, list_lines, lock_quote
from portal.services.quotes.settings import QuoteSettings, read_settings

TITLE_LENGTH = 160
TEXT_LENGTH = 20_000
LONGEST_VALIDITY = timedelta(days=3660)


@dataclass(frozen=True)
class QuoteDraft:
    """What a quote says, as far as it is given; None leaves a field as it is, or takes the tenant's usual value."""

    customer_id: UUID | None = None
    currency: str | None = None
    lines: Sequence[LineDraft] | None = None
    title: str | None = None
    introduction: str | None = None
    terms: str | None = None
    valid_until: date | None = None
    deposit_percent: Decimal | None = None
    locale: str | None = None
    request_id: UUID | None = None
    id: UUID | None = None


def draft_quote(session: TenantSession, wanted: QuoteDraft, *, actor: Actor, now: datetime) -> Quote:
    """Begin a quote for a customer. Raises Forbidden, Invalid per field, NotFound for a request that is not there."""
    require(actor, Permission.QUOTES_MANAGE)
    settings = read_settings(session)
    request = _request(session, wanted.request_id, actor)
    customer_id = wanted.customer_id or (request.customer_id if request else None)
    currency = wanted.currency or settings.currency
    _check_frame(session, customer_id, currency, wanted, settings, now)
    locale = wanted.locale or settings.locale
    valid_until = wanted.valid_until or settings.today(now) + timedelta(days=settings.valid_days)
    quote = Quote(
        id=wanted.id or uuid4(),
        tenant_id=session.tenant_id,
        customer_id=customer_id,
        request_id=request.id if request else None,
        number="",
        version=1,
        status=QuoteStatus.DRAFT,
        currency=currency,
        locale=locale,
        title=_text("title", wanted.title or (request.subject if request else ""), TITLE_LENGTH),
        introduction=_text("introduction", wanted.introduction or "", TEXT_LENGTH),
        terms=_text("terms", settings.terms_in(locale) if wanted.terms is None else wanted.terms, TEXT_LENGTH),
        tax_rounding=settings.tax_rounding,
        deposit_percent=wanted.deposit_percent or Decimal(0),
        valid_until=valid_until,
        expires_at=settings.end_of(valid_until),
        edits=1,
        reminded=[],
        taxes=[],
        created_by=actor.user_id,
        created_at=now,
        updated_at=now,
    )
    _zero(quote)
    session.add(quote)
    session.flush()
    write_lines(session, quote, wanted.lines or ())
    publish(session, QuoteDrafted.about(quote), actor=actor, now=now, after=_told(quote))
    return quote


def edit_quote(
    session: TenantSession, quote_id: UUID, wanted: QuoteDraft, *, seen: int | None = None, actor: Actor, now: datetime
) -> Quote:
    """Change a draft; `seen` is the number of savings the editor knew.

    Raises Forbidden, Conflict (`quote_frozen` once it was sent, `changed_meanwhile`) and Invalid per field.
    """
    quote = lock_quote(session, quote_id, actor=actor)
    require(actor, Permission.QUOTES_MANAGE)
    if quote.status is not QuoteStatus.DRAFT:
        raise Conflict("quote_frozen", number=quote.number)
    if seen is not None and seen != quote.edits:
        raise Conflict("changed_meanwhile")
    settings, before = read_settings(session), _told(quote)
    _check_frame(
        session, wanted.customer_id or quote.customer_id, wanted.currency or quote.currency, wanted, settings, now
    )
    apply_draft(session, quote, wanted, settings)
    quote.edits += 1
    quote.updated_at = now
    publish(session, QuoteEdited.about(quote), actor=actor, now=now, before=before, after=_told(quote))
    return quote


def discard_quote(session: TenantSession, quote_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Throw a draft away. Raises Conflict `quote_frozen` for one that was sent, or that replaces a sent one."""
    quote = lock_quote(session, quote_id, actor=actor)
    require(actor, Permission.QUOTES_MANAGE)
    if quote.status is not QuoteStatus.DRAFT or quote.previous_id is not None:
        raise Conflict("quote_frozen", number=quote.number)
    publish(session, QuoteDiscarded.about(quote), actor=actor, now=now, before=_told(quote))
    session.execute(delete(QuoteLine).where(QuoteLine.quote_id == quote.id))
    session.delete(quote)


def apply_draft(session: TenantSession, quote: Quote, wanted: QuoteDraft, settings: QuoteSettings) -> None:
    """Write what is given into a draft that was checked, and its sums."""
    if quote.version == 1:
        quote.customer_id = wanted.customer_id or quote.customer_id
    quote.currency = wanted.currency or quote.currency
    quote.locale = wanted.locale or quote.locale
    for name, limit in (("title", TITLE_LENGTH), ("introduction", TEXT_LENGTH), ("terms", TEXT_LENGTH)):
        given = getattr(wanted, name)
        if given is not None:
            setattr(quote, name, _text(name, given, limit))
    if wanted.valid_until is not None:
        quote.valid_until, quote.expires_at = wanted.valid_until, settings.end_of(wanted.valid_until)
    if wanted.deposit_percent is not None:
        quote.deposit_percent = wanted.deposit_percent
    if wanted.lines is not None:
        # Deposits of the old lines must not stand in the way of smaller sums.
        _zero(quote)
        session.flush()
        write_lines(session, quote, wanted.lines)
    else:
        store_totals(quote, list_lines(session, quote.id))


def _check_frame(
    session: TenantSession,
    customer_id: UUID | None,
    currency: str,
    wanted: QuoteDraft,
    settings: QuoteSettings,
    now: datetime,
) -> None:
    errors = []
    known = customer_id and session.scalar(select(Company.id).where(Company.id == customer_id))
    if not known:
        errors.append(FieldError("customer_id", "unknown_customer"))
    if currency not in EXPONENTS:
        errors.append(FieldError("currency", "currency_unknown"))
    if wanted.deposit_percent is not None and not 0 <= wanted.deposit_percent < 100:
        errors.append(FieldError("deposit_percent", "out_of_range", (("low", 0), ("high", 99))))
    if wanted.valid_until is not None and not _may_last(wanted.valid_until, settings.today(now)):
        errors.append(FieldError("valid_until", "date_invalid"))
    if errors:
        raise Invalid(*errors)


def _may_last(day: date, today: date) -> bool:
    return today - LONGEST_VALIDITY <= day <= today + LONGEST_VALIDITY


def _request(session: TenantSession, request_id: UUID | None, actor: Actor) -> QuoteRequest | None:
    if request_id is None:
        return None
    request = get_request(session, request_id, actor=actor)
    if request.answered_at is not None:
        raise Conflict("request_answered", number=request.number)
    return request


def _text(field: str, value: str, limit: int) -> str:
    if has_forbidden_characters(value):
        raise invalid(field, "characters_forbidden")
    text = clean_text(value)
    if len(text) > limit:
        raise invalid(field, "too_long", limit=limit)
    return text


def _zero(quote: Quote) -> None:
    quote.subtotal = quote.discount_total = quote.tax_total = quote.total = quote.deposit = 0


def _told(quote: Quote) -> dict[str, object]:
    """What the audit trail keeps of a draft; texts stay out."""
    return {
        "customer_id": str(quote.customer_id),
        "total": quote.total,
        "currency": quote.currency,
        "valid_until": quote.valid_until.isoformat(),
    }
