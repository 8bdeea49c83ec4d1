"""Lists of quotes: one row per quote, which is its newest version that the reader may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from portal.authz import Actor
from portal.lib.paging import DEFAULT_LIMIT, Cursor, Page, decode_cursor, paginate
from portal.models import Company, NextStep, Quote, QuoteStatus
from portal.models.session import TenantSession, prepare
from portal.services.billing.queries import Sight, values_of
from portal.services.quotes.queries import sight_of, visible_by, visible_to

COUNT_CAP = 1000
_NEWEST_FIRST = (Quote.created_at.desc(), Quote.id.desc())


@dataclass(frozen=True)
class QuoteFilter:
    """Which quotes; `q` is looked for in number, title and company."""

    status: tuple[QuoteStatus, ...] = ()
    company: UUID | None = None
    q: str = ""
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True)
class QuoteRow:
    """A quote of a list, with its company and what happens next."""

    quote: Quote
    company_name: str
    step: NextStep | None = None


def list_quotes(session: TenantSession, wanted: QuoteFilter, *, actor: Actor, now: datetime) -> Page[QuoteRow]:
    """A page, the newest first. Raises Invalid about the cursor. Two statements."""
    cursor = decode_cursor(wanted.cursor)
    if cursor is None and wanted == QuoteFilter(limit=wanted.limit):
        found = session.run(_newest(sight_of(actor)), {**values_of(actor), "rows": wanted.limit + 1}).all()
        return _page(session, found, wanted.limit, None, actor)
    query = _select(actor).where(*_conditions(wanted, now))
    if cursor is not None:
        place = tuple_(Quote.created_at, Quote.id)
        edge = tuple_(cursor.moment(), cursor.id)
        query = query.where(place > edge if cursor.backwards else place < edge)
    backwards = cursor is not None and cursor.backwards
    order = (Quote.created_at, Quote.id) if backwards else _NEWEST_FIRST
    rows = session.execute(query.order_by(*order).limit(wanted.limit + 1)).all()
    return _page(session, rows, wanted.limit, cursor, actor)


def _page(
    session: TenantSession, rows: Sequence[Any], limit: int, cursor: Cursor | None, actor: Actor
) -> Page[QuoteRow]:
    page = paginate(rows, limit, cursor, lambda row: (row[0].created_at, row[0].id))
    steps = next_steps(session, [row[0].id for row in page.items], actor=actor)
    items = [QuoteRow(quote, name, steps.get(quote.id)) for quote, name in page.items]
    return Page(items, page.next_cursor, page.previous_cursor)


def next_steps(session: TenantSession, quote_ids: Sequence[UUID], *, actor: Actor) -> dict[UUID, NextStep]:
    """The soonest step of each quote that is meant for the actor."""
    if not quote_ids:
        return {}
    rows = session.run(_steps(actor.is_customer), {"ids": list(quote_ids)}).scalars()
    return {step.record_id: step for step in rows}


@cache
def _steps(for_customers: bool) -> Select[Any]:
    query = select(NextStep).where(NextStep.record_id == any_(bindparam("ids", type_=ARRAY(Uuid()))))
    if for_customers:
        query = query.where(NextStep.staff_only.is_(False))
    return prepare(query.order_by(NextStep.at.desc()))


def count_by_status(session: TenantSession, *, actor: Actor, now: datetime) -> dict[str, int]:
    """How many quotes are in each state, of at most a thousand."""
    rows = session.read(_counts(sight_of(actor)), {**values_of(actor), "now": now})
    return {str(getattr(status, "value", status)): count for status, count in rows}


@cache
def _counts(sight: Sight) -> Select[*tuple[Any, ...]]:
    # A quote whose validity is over counts as expired to the second.
    over = _is_expired(bindparam("now", type_=DateTime(timezone=True)))
    state = case((over, QuoteStatus.EXPIRED.value), else_=Quote.status)
    newest = is_newest(of_customers=sight != "all")
    inner = select(state.label("state")).where(visible_by(sight), newest).limit(COUNT_CAP).subquery()
    return prepare(select(inner.c.state, func.count()).group_by(inner.c.state))


def is_newest(*, of_customers: bool) -> ColumnElement[bool]:
    """No later version has taken its place; drafts do not count for customers, who see none."""
    later = aliased(Quote)
    following = select(later.id).where(later.tenant_id == Quote.tenant_id, later.previous_id == Quote.id)
    if of_customers:
        following = following.where(later.status != QuoteStatus.DRAFT)
    return ~following.correlate(Quote).exists()


def _select(actor: Actor) -> Select[*tuple[Any, ...]]:
    joined = select(Quote, Company.name).join(Company, Company.id == Quote.customer_id)
    return joined.where(visible_to(actor), is_newest(of_customers=actor.is_customer))


@cache
def _newest(sight: Sight) -> Select[*tuple[Any, ...]]:
    """The list that nothing narrows, built once: building it takes longer than running it."""
    joined = select(Quote, Company.name).join(Company, Company.id == Quote.customer_id)
    query = joined.where(visible_by(sight), is_newest(of_customers=sight != "all"))
    return prepare(query.order_by(*_NEWEST_FIRST).limit(bindparam("rows", type_=Integer())))


def _is_expired(now: Any) -> ColumnElement[bool]:
    over = and_(Quote.status == QuoteStatus.SENT, Quote.expires_at <= now)
    return or_(Quote.status == QuoteStatus.EXPIRED, over)


def _conditions(wanted: QuoteFilter, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status:
        conditions.append(or_(*(_in_state(status, now) for status in wanted.status)))
    if wanted.company:
        conditions.append(Quote.customer_id == wanted.company)
    if words := " ".join(wanted.q.split())[:200]:
        fields = (Quote.number, Quote.title, Company.name)
        conditions.append(or_(*(field.icontains(words, autoescape=True) for field in fields)))
    return conditions


def _in_state(status: QuoteStatus, now: datetime) -> ColumnElement[bool]:
    if status is QuoteStatus.EXPIRED:
        return _is_expired(now)
    if status is QuoteStatus.SENT:
        return and_(Quote.status == QuoteStatus.SENT, Quote.expires_at > now)
    return Quote.status == status
