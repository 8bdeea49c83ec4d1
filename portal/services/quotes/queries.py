"""Reads of quotes: ownership is part of every lookup, so a foreign quote is not found."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, select, true

from portal.authz import Actor
from portal.errors import NotFound
from portal.models import Quote, QuoteLine, QuoteRequest, QuoteStatus
from portal.models.session import TenantSession


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Staff see all of the tenant's quotes, customers those of their companies that were sent."""
    if actor.is_staff or actor.is_system:
        return true()
    if not actor.company_ids:
        return false()
    return and_(Quote.customer_id.in_(actor.company_ids), Quote.status != QuoteStatus.DRAFT)


def requests_visible_to(actor: Actor) -> ColumnElement[bool]:
    """Staff see all wishes, customers those of their companies."""
    if actor.is_staff or actor.is_system:
        return true()
    return QuoteRequest.customer_id.in_(actor.company_ids) if actor.company_ids else false()


def get_quote(session: TenantSession, quote_id: UUID, *, actor: Actor) -> Quote:
    """The version, or NotFound where it does not exist for this actor."""
    quote = session.scalar(select(Quote).where(Quote.id == quote_id, visible_to(actor)))
    if quote is None:
        raise NotFound("quote")
    return quote


def lock_quote(session: TenantSession, quote_id: UUID, *, actor: Actor) -> Quote:
    """The version, locked until the transaction ends; NotFound where it does not exist for this actor."""
    query = select(Quote).where(Quote.id == quote_id, visible_to(actor)).with_for_update()
    quote = session.scalar(query.execution_options(populate_existing=True))
    if quote is None:
        raise NotFound("quote")
    return quote


def list_lines(session: TenantSession, quote_id: UUID) -> list[QuoteLine]:
    """The lines of a version in their order."""
    query = select(QuoteLine).where(QuoteLine.quote_id == quote_id).order_by(QuoteLine.position)
    return list(session.scalars(query))


def list_versions(session: TenantSession, quote: Quote, *, actor: Actor) -> Sequence[Quote]:
    """Every version of the same quote that the actor may see, the newest first."""
    if not quote.number:
        return [quote]
    query = select(Quote).where(Quote.number == quote.number, visible_to(actor))
    return session.scalars(query.order_by(Quote.version.desc())).all()


def get_request(session: TenantSession, request_id: UUID, *, actor: Actor, lock: bool = False) -> QuoteRequest:
    """A wish for a quote, or NotFound where it does not exist for this actor."""
    query = select(QuoteRequest).where(QuoteRequest.id == request_id, requests_visible_to(actor))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise NotFound("quote_request")
    return found
