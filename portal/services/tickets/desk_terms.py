"""What the desk needs around its tickets by one statement: categories, team, promises with hours, the customer."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from portal.lib.working_time import WeeklyInterval, WorkingCalendar, working_time_between
from portal.models import (
    BusinessCalendar,
    Company,
    Membership,
    Person,
    Role,
    SlaPolicy,
    Ticket,
    TicketCategory,
    User,
    UserStatus,
)
from portal.models.session import TenantSession, prepare
from portal.services.tickets.counting import COUNT_CAP
from portal.services.tickets.listing import is_active
from portal.services.tickets.rows import CategoryName

ASSIGNABLE = (Role.AGENT, Role.MANAGER, Role.TENANT_ADMIN)


@dataclass(frozen=True)
class PromiseTerms:
    """A policy as far as a page shows it; targets in working seconds."""

    name: str
    first_response_seconds: int | None
    resolution_seconds: int | None
    calendar: WorkingCalendar
    next_response_seconds: int | None = None
    update_seconds: int | None = None

    def worked(self, ticket: Ticket, until: datetime, since: datetime | None = None) -> timedelta:
        """Working time of the ticket's cycle (or since a later instant) up to `until`, without its pauses."""
        pauses = [
            (datetime.fromisoformat(start), datetime.fromisoformat(end) if end else until)
            for start, end, _ in ticket.clock_pauses
            if datetime.fromisoformat(start) < until
        ]
        start = since or ticket.clock_started_at
        return working_time_between(self.calendar, start, max(until, start), excluding=pauses)


@dataclass(frozen=True)
class CustomerCard:
    """Who asks, for the panel beside a ticket; `open_tickets` counts to 1,001 at most."""

    company_id: UUID
    company_name: str
    customer_number: str
    city: str | None
    requester_name: str
    requester_title: str | None
    requester_email: str
    requester_phone: str | None
    open_tickets: int


@dataclass(frozen=True)
class DeskTerms:
    """Choices and promises of the tenant; `customer` only where a ticket was named."""

    categories: tuple[tuple[CategoryName, bool], ...]
    team: tuple[tuple[UUID, str], ...]
    promises: dict[UUID, PromiseTerms]
    customer: CustomerCard | None = None


def load_desk_terms(session: TenantSession, *, ticket_id: UUID | None = None) -> DeskTerms:
    """Everything around the desk's pages in one statement."""
    statement = _statement(with_customer=ticket_id is not None)
    row = session.run(statement, {"tenant": session.tenant_id, "ticket": ticket_id}).one()
    return DeskTerms(
        categories=tuple((CategoryName(key, names), active) for key, names, active in row[0] or ()),
        team=tuple((UUID(id_), name) for id_, name in row[1] or ()),
        promises={UUID(id_): _terms(*rest) for id_, *rest in row[2] or ()},
        customer=_card(row[3]) if ticket_id is not None and row[3] else None,
    )


@cache
def _statement(*, with_customer: bool) -> Select[Any]:
    columns = [_categories(), _team(), _promises()]
    return prepare(select(*columns, _customer()) if with_customer else select(*columns))


def _categories() -> Any:
    entry = func.jsonb_build_array(TicketCategory.key, TicketCategory.names, TicketCategory.active)
    ordered = aggregate_order_by(entry, TicketCategory.position, TicketCategory.key)
    return select(func.jsonb_agg(ordered)).where(TicketCategory.tenant_id == bindparam("tenant")).scalar_subquery()


def _team() -> Any:
    # As an array, so that the few of the team are found by their keys; with a join all customers were read, too.
    working = (
        select(Membership.user_id)
        .where(Membership.tenant_id == bindparam("tenant"), Membership.role.in_(ASSIGNABLE))
        .scalar_subquery()
    )
    name = (
        select(Person.name)
        .where(Person.tenant_id == User.tenant_id, Person.id == User.person_id)
        .correlate(User)
        .scalar_subquery()
    )
    return (
        select(func.jsonb_agg(aggregate_order_by(func.jsonb_build_array(User.id, name), name)))
        .where(
            User.tenant_id == bindparam("tenant"),
            User.id == any_(func.array(working, type_=ARRAY(Uuid))),
            User.status == UserStatus.ACTIVE,
        )
        .scalar_subquery()
    )


def _promises() -> Any:
    entry = func.jsonb_build_array(
        SlaPolicy.id,
        SlaPolicy.name,
        SlaPolicy.first_response_seconds,
        SlaPolicy.resolution_seconds,
        BusinessCalendar.timezone,
        BusinessCalendar.intervals,
        BusinessCalendar.holidays,
        SlaPolicy.next_response_seconds,
        SlaPolicy.update_seconds,
    )
    return (
        select(func.jsonb_agg(entry))
        .select_from(SlaPolicy)
        .join(
            BusinessCalendar,
            (BusinessCalendar.tenant_id == SlaPolicy.tenant_id) & (BusinessCalendar.id == SlaPolicy.calendar_id),
        )
        .where(SlaPolicy.tenant_id == bindparam("tenant"))
        .scalar_subquery()
    )


def _customer() -> Any:
    active = (
        select(Ticket.id)
        .where(
            Ticket.tenant_id == Company.tenant_id,
            Ticket.customer_id == Company.id,
            is_active(),
        )
        .correlate(Company)
        .limit(COUNT_CAP + 1)
    )
    count = select(func.count()).select_from(active.subquery()).scalar_subquery()
    entry = func.jsonb_build_array(
        Company.id,
        Company.name,
        Company.customer_number,
        Company.city,
        Person.name,
        Person.title,
        Person.email,
        Person.phone,
        count,
    )
    asked = (
        select(Ticket.customer_id, Ticket.requester_id)
        .where(Ticket.tenant_id == bindparam("tenant"), Ticket.id == bindparam("ticket"))
        .subquery("asked")
    )
    return (
        select(entry)
        .select_from(asked)
        .join(Company, Company.id == asked.c.customer_id)
        .join(User, User.id == asked.c.requester_id)
        .join(Person, Person.id == User.person_id)
        .where(Company.tenant_id == bindparam("tenant"))
        .scalar_subquery()
    )


def _terms(
    name: str,
    first: int | None,
    resolution: int | None,
    timezone: str,
    intervals: list[list[int]],
    holidays: list[str],
    next_response: int | None,
    update: int | None,
) -> PromiseTerms:
    calendar = _calendar(timezone, tuple((day, start, end) for day, start, end in intervals), tuple(holidays))
    return PromiseTerms(name, first, resolution, calendar, next_response, update)


@lru_cache(maxsize=256)
def _calendar(timezone: str, intervals: tuple[tuple[int, int, int], ...], holidays: tuple[str, ...]) -> WorkingCalendar:
    """The calendar of these hours; the same hours read again are the same calendar."""
    return WorkingCalendar(
        timezone=timezone,
        intervals=tuple(WeeklyInterval(day, start, end) for day, start, end in intervals),
        holidays=frozenset(date.fromisoformat(day) for day in holidays),
    )


def _card(row: list[Any]) -> CustomerCard:
    return CustomerCard(UUID(row[0]), *row[1:])
