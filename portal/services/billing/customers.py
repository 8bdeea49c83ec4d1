"""What billing needs to know of a company: its name in law, tax number and credit limit."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid, NotFound
from portal.events import audit
from portal.lib.money import LARGEST
from portal.models import Company
from portal.models.session import TenantSession


@dataclass(frozen=True)
class CustomerForm:
    """The details as they are edited; `credit_limit` in minor units of the tenant's currency, None for no limit."""

    legal_name: str
    tax_number: str
    credit_limit: int | None


def find_customer(session: TenantSession, words: str, *, actor: Actor) -> Company | None:
    """The company with this number or, where only one has it, this name."""
    require(actor, Permission.BILLING_READ)
    wanted = " ".join(words.split())
    if not wanted:
        return None
    numbered = session.scalar(select(Company).where(Company.customer_number == wanted))
    if numbered is not None:
        return numbered
    named = session.scalars(select(Company).where(func.lower(Company.name) == wanted.lower()).limit(2)).all()
    return named[0] if len(named) == 1 else None


def get_customer(session: TenantSession, company_id: UUID, *, actor: Actor) -> Company:
    """A company with its billing details, else NotFound."""
    require(actor, Permission.BILLING_READ)
    details = (undefer(Company.legal_name), undefer(Company.tax_number), undefer(Company.credit_limit))
    found = session.scalar(select(Company).where(Company.id == company_id).options(*details))
    if found is None:
        raise NotFound("company")
    return found


def save_customer(
    session: TenantSession, company_id: UUID, form: CustomerForm, *, actor: Actor, now: datetime
) -> Company:
    """Store the details; invoices that are issued keep theirs. Raises Forbidden, NotFound and Invalid per field."""
    require(actor, Permission.BILLING_MANAGE)
    errors = []
    for name, limit in (("legal_name", 160), ("tax_number", 40)):
        if len(getattr(form, name).strip()) > limit:
            errors.append(FieldError(name, "too_long", (("limit", limit),)))
    if form.credit_limit is not None and not 0 <= form.credit_limit <= LARGEST:
        errors.append(FieldError("credit_limit", "amount_invalid"))
    if errors:
        raise Invalid(*errors)
    company = get_customer(session, company_id, actor=actor)
    names = ("legal_name", "tax_number", "credit_limit")
    before = {name: getattr(company, name) for name in names}
    company.legal_name, company.tax_number = form.legal_name.strip(), form.tax_number.strip()
    company.credit_limit = form.credit_limit
    after = {name: getattr(company, name) for name in names}
    if after != before:
        audit(session, "company.billing_saved", "company", company.id, actor=actor, now=now, before=before, after=after)
    return company
