"""Who of a customer decides on a quote: its administrators, and up to the company's limit everybody (H6.3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Load, undefer_group

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, NotFound, invalid
from portal.events import audit
from portal.lib.money import EXPONENTS, LARGEST
from portal.models import Company, Person, Quote, QuoteStatus, User
from portal.models.session import TenantSession, prepare
from portal.services.quotes.clock import is_over

_COMPANY = prepare(select(Company).options(undefer_group("deciding")).where(Company.id == bindparam("company")))
# The rule is `queries.visible_to`'s for customers; one exchange brings all that is asked while the lock is held.
_DECISION = prepare(
    select(
        Quote,
        Company,
        select(Person.email)
        .join(User, User.person_id == Person.id)
        .where(User.id == bindparam("decider"))
        .scalar_subquery(),
    )
    .join(Company, Company.id == Quote.customer_id)
    .where(
        Quote.id == bindparam("quote"),
        Quote.customer_id == any_(bindparam("companies", type_=ARRAY(Uuid()))),
        Quote.status != QuoteStatus.DRAFT,
    )
    .options(Load(Company).undefer_group("deciding"))
    .with_for_update(of=Quote)
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True)
class Decision:
    """A version that somebody is about to decide on: locked, with its company's limit and the decider's address."""

    quote: Quote
    company: Company
    email: str


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
    return cast(Company, session.run(_COMPANY, {"company": quote.customer_id}).scalars().one())


def get_administered_company(session: TenantSession, company_id: UUID, *, actor: Actor) -> Company:
    """A company that the actor administers, with its limit; NotFound for every other."""
    query = select(Company).options(undefer_group("deciding")).where(Company.id == company_id)
    found = session.scalar(query) if company_id in actor.admin_company_ids else None
    if found is None:
        raise NotFound("company")
    return found


def lock_to_decide(session: TenantSession, quote_id: UUID, *, actor: Actor) -> Decision:
    """The version, locked until the transaction ends; NotFound unless it was sent to a company of the actor's."""
    values = {"quote": quote_id, "companies": list(actor.company_ids), "decider": actor.user_id}
    found = session.run(_DECISION, values).first()
    if found is None:
        raise NotFound("quote")
    quote, company, email = found
    return Decision(quote, company, email or "")


def require_deciding(session: TenantSession, quote: Quote, actor: Actor) -> Company:
    """The quote's company; raises Forbidden `quote_needs_administrator` for whoever may not bind it to so much."""
    require(actor, Permission.QUOTES_DECIDE)
    company = read_company(session, quote)
    require_binding(actor, company, quote)
    return company


def require_binding(actor: Actor, company: Company, quote: Quote) -> None:
    """Raise Forbidden `quote_needs_administrator` for whoever may not bind the company to the quote's total."""
    if not may_decide(actor, company, total=quote.total, currency=quote.currency):
        raise Forbidden("quote_needs_administrator")


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
