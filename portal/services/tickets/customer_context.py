"""The customer beside a ticket: who they are, what they asked before, how satisfied they were."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from portal.authz import Actor, Permission, require
from portal.models import Company, Person, Ticket
from portal.models.session import TenantSession
from portal.services.tickets.queries import get_ticket

PEOPLE, TICKETS = 6, 5
# Over this time and at most so many tickets: a company with thousands is known by its newest ones.
WINDOW, LOOKED_AT = timedelta(days=365), 500


@dataclass(frozen=True)
class CustomerRecord:
    """Ratings (average of 1 to 5, None without any) and promises kept of those that came to an end."""

    ratings: int
    average: float | None
    kept: int
    promised: int


@dataclass(frozen=True)
class CustomerContext:
    """A ticket's company with its people, its other tickets and its record."""

    ticket: Ticket
    company: Company
    people: list[Person]
    tickets: list[Ticket]
    record: CustomerRecord


def read_customer_context(session: TenantSession, ticket_id: UUID, *, actor: Actor, now: datetime) -> CustomerContext:
    """Everything around the customer of a ticket, in five statements. Raises NotFound and Forbidden."""
    ticket = get_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.CUSTOMERS_READ)
    company = session.scalars(select(Company).where(Company.id == ticket.customer_id)).one()
    people = select(Person).where(Person.company_id == company.id).order_by(Person.name, Person.id).limit(PEOPLE)
    others = (
        select(Ticket)
        .where(Ticket.customer_id == company.id, Ticket.id != ticket.id, Ticket.trashed_at.is_(None))
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
        .limit(TICKETS)
    )
    return CustomerContext(
        ticket,
        company,
        list(session.scalars(people)),
        list(session.scalars(others)),
        _record(session, company.id, now),
    )


def _record(session: TenantSession, company_id: UUID, now: datetime) -> CustomerRecord:
    newest = (
        select(
            Ticket.satisfaction_rating,
            Ticket.resolved_at,
            Ticket.resolution_due_at,
            Ticket.first_response_at,
            Ticket.first_response_due_at,
        )
        .where(Ticket.customer_id == company_id, Ticket.updated_at >= now - WINDOW, Ticket.trashed_at.is_(None))
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    ended = and_(newest.c.resolved_at.is_not(None), newest.c.resolution_due_at.is_not(None))
    in_time = and_(
        newest.c.resolved_at <= newest.c.resolution_due_at,
        or_(
            newest.c.first_response_at.is_(None),
            newest.c.first_response_due_at.is_(None),
            newest.c.first_response_at <= newest.c.first_response_due_at,
        ),
    )
    rating = newest.c.satisfaction_rating
    row = session.execute(
        select(
            func.count(rating),
            func.avg(rating),
            func.count().filter(and_(ended, in_time)),
            func.count().filter(ended),
        )
    ).one()
    return CustomerRecord(row[0], float(row[1]) if row[1] is not None else None, row[2], row[3])
