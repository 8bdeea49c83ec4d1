"""What can be chosen while a quote is drafted: customers by a few letters, items of the catalogue, rates of tax."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select

from portal.authz import Actor, Permission, require
from portal.models import CatalogItem, Company, TaxRate
from portal.models.session import TenantSession

SHOWN = 8
MOST_ITEMS = 300


def find_customers(session: TenantSession, words: str, *, actor: Actor, limit: int = SHOWN) -> Sequence[Company]:
    """Companies whose name or number holds the words, by name."""
    require(actor, Permission.QUOTES_MANAGE)
    wanted = " ".join(words.split())[:100]
    if not wanted:
        return []
    matches = (Company.name.icontains(wanted, autoescape=True), Company.customer_number == wanted)
    return session.scalars(select(Company).where(or_(*matches)).order_by(Company.name).limit(limit)).all()


def name_of_customer(session: TenantSession, company_id: UUID) -> str:
    """The name of a company, empty where there is none of that id."""
    return session.scalar(select(Company.name).where(Company.id == company_id)) or ""


def list_items(session: TenantSession) -> Sequence[CatalogItem]:
    """What is sold, by its SKU."""
    query = select(CatalogItem).where(CatalogItem.active).order_by(CatalogItem.sku).limit(MOST_ITEMS)
    return session.scalars(query).all()


def list_rates(session: TenantSession) -> Sequence[TaxRate]:
    """Rates of tax in use, the standard one first."""
    return session.scalars(
        select(TaxRate).where(TaxRate.active).order_by(TaxRate.is_default.desc(), TaxRate.name)
    ).all()
