"""Who of a customer decides on a quote: its administrators, and up to the company's limit everybody (H6.3)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import undefer_group

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, NotFound, invalid
from portal.events import audit
from portal.lib.money import EXPONENTS, LARGEST
from portal.models import Company, Quote, QuoteStatus
from portal.models.session import TenantSession
from portal.services.quotes.clock import is_over


def may_decide(actor: Actor, company: Company, *, total: int, currency: str) -> bool:
    """Whether the actor may bind the company to so much (minor units)."""
    if not actor.may(Permission.QUOTES_DECIDE) or company.id not in actor.company_ids:
        return False
    if company.id in actor.admin_company_ids:
        return True
    limit = company.decision_limit
    return limit is not None and company.decision_currency == currency and total <= limit


def read_company(session: TenantSession, quote: Quote) -> Company:
    """The quote's company with its limit."""
    query = select(Company).options(undefer_group("deciding")).where(Company.id == quote.customer_id)
    return session.scalars(query).one()


def get_administered_company(session: TenantSession, company_id: UUID, *, actor: Actor) -> Company:
    """A company that the actor administers, with its limit; NotFound for every other."""
    query = select(Company).options(undefer_group("deciding")).where(Company.id == company_id)
    found = session.scalar(query) if company_id in actor.admin_company_ids else None
    if found is None:
        raise NotFound("company")
    return found


def require_deciding(session: TenantSession, quote: Quote, actor: Actor) -> Company:
    """The quote's company; raises Forbidden `quote_needs_administrator` for whoever may not bind it to so much."""
    require(actor, Permission.QUOTES_DECIDE)
    company = read_company(session, quote)
    if not may_decide(actor, company, total=quote.total, currency=quote.currency):
        raise Forbidden("quote_needs_administrator")
    return company


def require_open(quote: Quote, now: datetime) -> None:
    """Raise Conflict with the reason unless the quote waits for the customer's decision."""
    if is_over(quote, now) or quote.status is QuoteStatus.EXPIRED:
        raise Conflict("quote_expired", number=quote.number)
    if quote.status is QuoteStatus.ACCEPTED:
        raise Conflict("quote_accepted", number=quote.number)
    if quote.status is not QuoteStatus.SENT:
        raise Conflict("quote_not_open", number=quote.number, status=quote.status.value)


def set_decision_limit(
    session: TenantSession,
    company_id: UUID,
    *,
    limit: int | None,
    currency: str,
    actor: Actor,
    now: datetime,
) -> Company:
    """Let everybody of the company decide up to so much, or (None) its administrators alone.

    For the company's administrators. Raises NotFound for a company that is not the actor's, Forbidden, Invalid.
    """
    if company_id not in actor.company_ids:
        raise NotFound("company")
    if company_id not in actor.admin_company_ids:
        raise Forbidden("not_allowed", permission=Permission.COMPANY_MANAGE.value)
    if limit is not None and not 0 < limit <= LARGEST:
        raise invalid("decision_limit", "amount_invalid")
    if limit is not None and currency not in EXPONENTS:
        raise invalid("decision_currency", "currency_unknown")
    company = session.scalar(select(Company).where(Company.id == company_id).with_for_update())
    if company is None:
        raise NotFound("company")
    before = {"decision_limit": company.decision_limit, "decision_currency": company.decision_currency}
    company.decision_limit = limit
    company.decision_currency = currency if limit is not None else None
    after = {"decision_limit": company.decision_limit, "decision_currency": company.decision_currency}
    if before != after:
        audit(
            session,
            "company.decision_limit_changed",
            "company",
            company_id,
            actor=actor,
            now=now,
            before=before,
            after=after,
        )
    return company
