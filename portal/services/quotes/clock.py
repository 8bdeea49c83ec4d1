"""What happens to a quote by itself: it reminds, and at the second its validity ends it expires.

The times are written as next steps, so that customer and team see them; the workflow only knows when to look.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from portal.authz import system_actor
from portal.events import publish
from portal.events.quotes import QuoteExpired, QuoteReminded
from portal.lib.iso_durations import parse_iso_duration
from portal.models import NextStep, Quote, QuoteStatus
from portal.models.session import TenantSession
from portal.services.quotes.settings import QuoteSettings, read_settings

EXPIRES, REMINDER = "offer_expires", "reminder"


@dataclass(frozen=True)
class QuoteWake:
    """When to look again; `done` ends the run: nothing more happens to this version by itself."""

    at: datetime | None
    done: bool


def advance_quote(session: TenantSession, quote_id: UUID, *, now: datetime) -> QuoteWake:
    """Remind and expire what is due, and say when to come back; safe to repeat."""
    query = select(Quote).where(Quote.id == quote_id).with_for_update()
    quote = session.scalar(query.execution_options(populate_existing=True))
    if quote is None or quote.status is not QuoteStatus.SENT:
        return QuoteWake(None, done=True)
    settings = read_settings(session)
    if now >= quote.expires_at:
        _expire(session, quote, settings, now)
        return QuoteWake(None, done=True)
    _remind(session, quote, settings, now)
    return QuoteWake(write_steps(session, quote, settings, now=now), done=False)


def is_over(quote: Quote, now: datetime) -> bool:
    """Whether the validity of a sent quote has ended, also in the moment before its row says so."""
    return quote.status is QuoteStatus.SENT and now >= quote.expires_at


def status_at(quote: Quote, now: datetime) -> QuoteStatus:
    """The status as of now, to the second."""
    return QuoteStatus.EXPIRED if is_over(quote, now) else quote.status


def write_steps(session: TenantSession, quote: Quote, settings: QuoteSettings, *, now: datetime) -> datetime | None:
    """Write what comes next in place of what was there; returns the soonest, None where nothing comes."""
    session.execute(delete(NextStep).where(NextStep.record_id == quote.id, NextStep.record_type == "quote"))
    if quote.status is not QuoteStatus.SENT:
        return None
    coming = [(EXPIRES, quote.expires_at)]
    if reminders := [at for _, at in _reminders(quote, settings) if at > now]:
        coming.append((REMINDER, min(reminders)))
    session.add_all(
        NextStep(
            tenant_id=session.tenant_id,
            record_type="quote",
            record_id=quote.id,
            key=kind,
            kind=kind,
            at=at,
            # Who is reminded does not need to know of it beforehand; when the offer ends concerns both sides.
            staff_only=kind == REMINDER,
            params={},
        )
        for kind, at in coming
    )
    return min(at for _, at in coming)


def _reminders(quote: Quote, settings: QuoteSettings) -> list[tuple[str, datetime]]:
    """(duration, instant) of each reminder that comes after the sending and was not given."""
    found = []
    for text in settings.reminders:
        at = quote.expires_at - parse_iso_duration(text)
        if text not in quote.reminded and at < quote.expires_at and (quote.sent_at is None or at > quote.sent_at):
            found.append((text, at))
    return found


def _remind(session: TenantSession, quote: Quote, settings: QuoteSettings, now: datetime) -> None:
    due = sorted((at, text) for text, at in _reminders(quote, settings) if at <= now)
    if not due:
        return
    # After a standstill one reminder says it all.
    quote.reminded = [*quote.reminded, *(text for _, text in due)]
    actor = system_actor(session.tenant_id)
    publish(session, QuoteReminded.about(quote, before=due[-1][1]), actor=actor, now=now)


def _expire(session: TenantSession, quote: Quote, settings: QuoteSettings, now: datetime) -> None:
    quote.status = QuoteStatus.EXPIRED
    quote.updated_at = now
    write_steps(session, quote, settings, now=now)
    publish(
        session,
        QuoteExpired.about(quote),
        actor=system_actor(session.tenant_id),
        now=now,
        before={"status": QuoteStatus.SENT.value},
        after={"status": QuoteStatus.EXPIRED.value},
    )
