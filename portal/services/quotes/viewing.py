"""That the customer looked at a quote, and for how long; the team sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, update

from portal.authz import Actor, Permission, require
from portal.events import publish
from portal.events.quotes import QuoteViewed
from portal.models import Person, Quote, QuoteStatus, QuoteView, User
from portal.models.session import TenantSession
from portal.services.quotes.queries import get_quote

# Who comes back sooner is still looking.
SAME_LOOK = timedelta(minutes=30)
# A page that lies open over lunch is not read all the while; beacons come every few seconds.
MOST_SECONDS = 4 * 3600
MOST_AT_ONCE = 60


@dataclass(frozen=True)
class ViewRow:
    """One look at a quote."""

    name: str
    at: datetime
    seconds: int


def record_view(session: TenantSession, quote: Quote, *, actor: Actor, now: datetime) -> UUID | None:
    """Note that somebody of the customer opened a sent quote; the first one ever is told to the team.

    Returns the look that time is added to; None where nothing is noted (staff, drafts, decided quotes).
    """
    if not actor.is_customer or quote.status is not QuoteStatus.SENT or actor.user_id is None:
        return None
    found = session.scalar(
        select(QuoteView.id)
        .where(QuoteView.quote_id == quote.id, QuoteView.user_id == actor.user_id, QuoteView.at > now - SAME_LOOK)
        .order_by(QuoteView.at.desc())
        .limit(1)
    )
    if found is not None:
        return found
    view = QuoteView(
        id=uuid4(), tenant_id=session.tenant_id, quote_id=quote.id, user_id=actor.user_id, at=now, seconds=0
    )
    session.add(view)
    first = session.scalar(
        update(Quote)
        .where(Quote.id == quote.id, Quote.viewed_at.is_(None))
        .values(viewed_at=now)
        .returning(Quote.id)
        .execution_options(synchronize_session=False)
    )
    if first is not None:
        publish(session, QuoteViewed.about(quote), actor=actor, now=now)
    return view.id


def add_time(session: TenantSession, quote_id: UUID, *, seconds: int, actor: Actor, now: datetime) -> None:
    """Add to the time of the actor's own newest look at a quote; at most a minute at a time."""
    require(actor, Permission.QUOTES_READ)
    quote = get_quote(session, quote_id, actor=actor)
    newest = (
        select(QuoteView.id)
        .where(QuoteView.quote_id == quote.id, QuoteView.user_id == actor.user_id)
        .order_by(QuoteView.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    session.execute(
        update(QuoteView)
        .where(QuoteView.id == newest, QuoteView.seconds < MOST_SECONDS)
        .values(seconds=QuoteView.seconds + max(0, min(seconds, MOST_AT_ONCE)))
        .execution_options(synchronize_session=False)
    )


def list_views(session: TenantSession, quote_id: UUID, *, actor: Actor, limit: int = 50) -> Sequence[ViewRow]:
    """Who looked when and for how long, the newest first; for staff."""
    require(actor, Permission.SALES_READ)
    query = (
        select(Person.name, QuoteView.at, QuoteView.seconds)
        .join(User, User.id == QuoteView.user_id)
        .join(Person, Person.id == User.person_id)
        .where(QuoteView.quote_id == quote_id)
        .order_by(QuoteView.at.desc())
        .limit(limit)
    )
    return [ViewRow(*row) for row in session.execute(query)]
