"""What else a customer answers to an open quote: no, or otherwise (H6.4, H6.5)."""

from datetime import datetime
from uuid import UUID

from portal.authz import Actor, Permission, require
from portal.errors import invalid
from portal.events import publish
from portal.events.quotes import QuoteDeclined, QuoteFact, QuoteRevisionRequested
from portal.lib.text import clean_text, has_forbidden_characters
from portal.models import Quote, QuoteStatus
from portal.models.session import TenantSession
from portal.services.quotes.clock import write_steps
from portal.services.quotes.queries import lock_quote
from portal.services.quotes.settings import read_settings
from portal.services.quotes.standing import require_deciding, require_open

NOTE_LENGTH = 2_000


def decline_quote(session: TenantSession, quote_id: UUID, *, reason: str, actor: Actor, now: datetime) -> Quote:
    """Decline an open quote with a reason, which the team reads. Raises as `accept_quote` does."""
    return _answer(session, quote_id, QuoteStatus.DECLINED, QuoteDeclined, "reason", reason, actor, now)


def request_revision(session: TenantSession, quote_id: UUID, *, comment: str, actor: Actor, now: datetime) -> Quote:
    """Ask for another version of an open quote, saying what shall change. Raises as `accept_quote` does."""
    status, fact = QuoteStatus.REVISION_REQUESTED, QuoteRevisionRequested
    return _answer(session, quote_id, status, fact, "comment", comment, actor, now)


def _answer(
    session: TenantSession,
    quote_id: UUID,
    status: QuoteStatus,
    fact: type[QuoteFact],
    field: str,
    text: str,
    actor: Actor,
    now: datetime,
) -> Quote:
    require(actor, Permission.QUOTES_DECIDE)
    quote = lock_quote(session, quote_id, actor=actor)
    require_deciding(session, quote, actor)
    note = _note(field, text)
    require_open(quote, now)
    quote.status = status
    quote.decision_note = note
    quote.decided_at = quote.updated_at = now
    quote.decided_by = actor.user_id
    write_steps(session, quote, read_settings(session), now=now)
    publish(
        session,
        fact.about(quote),
        actor=actor,
        now=now,
        before={"status": QuoteStatus.SENT.value},
        after={"status": status.value},
    )
    return quote


def _note(field: str, text: str) -> str:
    if has_forbidden_characters(text):
        raise invalid(field, "characters_forbidden")
    note = clean_text(text)
    if not note:
        raise invalid(field, "required")
    if len(note) > NOTE_LENGTH:
        raise invalid(field, "too_long", limit=NOTE_LENGTH)
    return note
