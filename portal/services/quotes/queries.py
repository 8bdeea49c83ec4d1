"""Reads of quotes: ownership is part of every lookup, so a foreign quote is not found."""

from collections.abc import Sequence
from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, select, true

from portal.authz import Actor
from portal.errors import NotFound
from portal.models import Quote, QuoteLine, QuoteRequest, QuoteStatus
from portal.models.session import TenantSession, prepare
from portal.services.billing.queries import Sight, owned_by, values_of

_LINES = prepare(select(QuoteLine).where(QuoteLine.quote_id == bindparam("quote")).order_by(QuoteLine.position))


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Staff see all of the tenant's quotes, customers those of their companies that were sent."""
    if actor.is_staff or actor.is_system:
        return true()
    if not actor.company_ids:
        return false()
    return and_(Quote.customer_id.in_(actor.company_ids), Quote.status != QuoteStatus.DRAFT)


def sight_of(actor: Actor) -> Sight:
    """Which rule of visibility holds, for prepared statements."""
    if actor.is_staff or actor.is_system:
        return "all"
    return "company" if len(actor.company_ids) == 1 else "companies"


def visible_by(sight: Sight) -> ColumnElement[bool]:
    """`visible_to` for prepared statements: whose they are comes by `values_of`."""
    if sight == "all":
        return true()
    return owned_by(Quote.customer_id, sight) & (Quote.status != QuoteStatus.DRAFT)


def requests_visible_to(actor: Actor) -> ColumnElement[bool]:
    """Staff see all wishes, customers those of their companies."""
    if actor.is_staff or actor.is_system:
        return true()
    return QuoteRequest.customer_id.in_(actor.company_ids) if actor.company_ids else false()


def get_quote(session: TenantSession, quote_id: UUID, *, actor: Actor) -> Quote:
    """The version, or NotFound where it does not exist for this actor."""
    quote = session.run(_one(sight_of(actor)), {**values_of(actor), "quote": quote_id}).scalar()
    if quote is None:
        raise NotFound("quote")
    return cast(Quote, quote)


@cache
def _one(sight: Sight) -> Select[Any]:
    return prepare(select(Quote).where(Quote.id == bindparam("quote"), visible_by(sight)))


@cache
def _versions(sight: Sight) -> Select[Any]:
    query = select(Quote).where(Quote.number == bindparam("number"), visible_by(sight))
    return prepare(query.order_by(Quote.version.desc()))


def lock_quote(session: TenantSession, quote_id: UUID, *, actor: Actor) -> Quote:
    """The version, locked until the transaction ends; NotFound where it does not exist for this actor."""
    query = select(Quote).where(Quote.id == quote_id, visible_to(actor)).with_for_update()
    quote = session.scalar(query.execution_options(populate_existing=True))
    if quote is None:
        raise NotFound("quote")
    return quote


def list_lines(session: TenantSession, quote_id: UUID) -> list[QuoteLine]:
    """The lines of a version in their order."""
    return list(session.run(_LINES, {"quote": quote_id}).scalars())


def list_versions(session: TenantSession, quote: Quote, *, actor: Actor) -> Sequence[Quote]:
    """Every version of the same quote that the actor may see, the newest first."""
    if not quote.number:
        return [quote]
    return session.run(_versions(sight_of(actor)), {**values_of(actor), "number": quote.number}).scalars().all()


def get_request(session: TenantSession, request_id: UUID, *, actor: Actor, lock: bool = False) -> QuoteRequest:
    """A wish for a quote, or NotFound where it does not exist for this actor."""
    query = select(QuoteRequest).where(QuoteRequest.id == request_id, requests_visible_to(actor))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise NotFound("quote_request")
    return found
