"""What a customer owes, in figures: the dashboard's widgets read them after the page is there."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from portal.authz import Actor, Permission, require
from portal.models import UNPAID, Company, Invoice, InvoiceStatus, LedgerEntry
from portal.models.session import TenantSession
from portal.services.billing.queries import visible_to
from portal.services.billing.settings import load_settings


@dataclass(frozen=True)
class OpenSum:
    """What is owed in one currency, minor units; `overdue` of the `count` invoices are late."""

    currency: str
    count: int
    overdue: int
    outstanding: int


@dataclass(frozen=True)
class Account:
    """Where a company stands: what it owes less what it has to its credit, and how far it may go."""

    currency: str
    balance: int
    credit_limit: int | None

    @property
    def available(self) -> int | None:
        """What is left of the limit; below zero where it is passed, None without a limit."""
        return None if self.credit_limit is None else self.credit_limit - self.balance


def sum_open(session: TenantSession, *, actor: Actor, now: datetime) -> list[OpenSum]:
    """The actor's unpaid invoices by currency, the largest sum first (H1.5)."""
    late = (Invoice.status == InvoiceStatus.OVERDUE) | ((Invoice.due_at <= now) & Invoice.plan_due_at.is_(None))
    owed = func.sum(Invoice.total - Invoice.paid - Invoice.credited)
    rows = session.execute(
        select(Invoice.currency, func.count(), func.count().filter(late), owed)
        .where(visible_to(actor), Invoice.status.in_(UNPAID))
        .group_by(Invoice.currency)
        .order_by(owed.desc())
    )
    return [OpenSum(currency, count, overdue, int(amount)) for currency, count, overdue, amount in rows]


def read_accounts(session: TenantSession, *, actor: Actor, company_ids: tuple[UUID, ...]) -> list[Account]:
    """The balance of these companies together, by currency (DASH-01); Forbidden without the right to see invoices.

    The limit counts in the tenant's own currency. Companies that are not the actor's are left out.
    """
    require(actor, Permission.INVOICES_READ if actor.is_customer else Permission.BILLING_READ)
    own = tuple(one for one in company_ids if not actor.is_customer or one in actor.company_ids)
    currency = load_settings(session).currency
    limit = session.scalar(select(func.sum(Company.credit_limit)).where(Company.id.in_(own)))
    rows = session.execute(
        select(LedgerEntry.currency, func.sum(LedgerEntry.amount))
        .where(LedgerEntry.customer_id.in_(own))
        .group_by(LedgerEntry.currency)
        .order_by(LedgerEntry.currency)
    )
    sums = {found: int(amount) for found, amount in rows}
    sums.setdefault(currency, 0)
    first = Account(currency, sums.pop(currency), None if limit is None else int(limit))
    return [first, *(Account(other, amount, None) for other, amount in sums.items())]
