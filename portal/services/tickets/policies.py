"""Which promise a ticket falls under, and its rules in the form the pure clock understands."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from portal.authz import Actor
from portal.errors import NotFound
from portal.lib.sla_clock import Level, Metric, Policy
from portal.lib.working_time import WeeklyInterval, WorkingCalendar
from portal.models import BusinessCalendar, SlaPolicy, Tenant, Ticket
from portal.models.session import TenantSession, prepare
from portal.services.tenants.ticket_policy import TicketPolicy, read_ticket_policy
from portal.services.tickets.queries import Sight, sight_of, values_of, visible_by


@dataclass(frozen=True)
class PolicyRow:
    """A policy together with its calendar, as read by one statement; for those who edit them."""

    policy: SlaPolicy
    calendar: BusinessCalendar


# Parallel to the fields of PolicyTerms.
_TERMS = (
    SlaPolicy.id,
    SlaPolicy.active,
    SlaPolicy.match_categories,
    SlaPolicy.match_priorities,
    SlaPolicy.match_companies,
    SlaPolicy.pause_statuses,
    SlaPolicy.first_response_seconds,
    SlaPolicy.resolution_seconds,
    SlaPolicy.warn_before_seconds,
    SlaPolicy.auto_close_seconds,
    SlaPolicy.levels,
    BusinessCalendar.timezone,
    BusinessCalendar.intervals,
    BusinessCalendar.holidays,
)


@dataclass(frozen=True)
class PolicyTerms:
    """What clocks need of a stored policy and its calendar; durations in seconds. Shared, so never changed."""

    id: UUID
    active: bool
    match_categories: list[str]
    match_priorities: list[str]
    match_companies: list[str]
    pause_statuses: list[str]
    first_response: int | None
    resolution: int | None
    warn_before: int | None
    auto_close_after: int | None
    levels: list[dict[str, object]]
    timezone: str
    intervals: list[Any]
    holidays: list[str]

    @cached_property
    def rules(self) -> Policy:
        """The policy for `portal.lib.sla_clock`."""
        return Policy(
            first_response=_seconds(self.first_response),
            resolution=_seconds(self.resolution),
            warn_before=_seconds(self.warn_before),
            calendar=working_calendar(self),
            levels=_levels(self.levels),
            auto_close_after=_seconds(self.auto_close_after),
        )

    def covers(self, *, category: str, priority: str, company_id: UUID) -> bool:
        """Whether a ticket falls under it; an empty list matches everything."""
        return (
            self.active
            and (not self.match_categories or category in self.match_categories)
            and (not self.match_priorities or priority in self.match_priorities)
            and (not self.match_companies or str(company_id) in self.match_companies)
        )


def terms_as_text() -> Select[Any]:
    """Every policy of the tenant in the order in which they are tried, as one text for `read_terms`."""
    every = aggregate_order_by(func.json_build_array(*_TERMS), SlaPolicy.position, SlaPolicy.name)
    return select(cast(func.json_agg(every), Text)).join_from(
        SlaPolicy, BusinessCalendar, BusinessCalendar.id == SlaPolicy.calendar_id
    )


@lru_cache(maxsize=256)
def read_terms(text: str | None) -> tuple[PolicyTerms, ...]:
    """The policies in what `terms_as_text` reads (None where there are none).

    What is kept is the reading of a text, never a policy: another text is read anew, so nothing is ever stale.
    """
    return tuple(PolicyTerms(UUID(row[0]), *row[1:]) for row in json.loads(text or "[]"))


_LOAD_TERMS = prepare(terms_as_text())


def load_terms(session: TenantSession) -> tuple[PolicyTerms, ...]:
    """Every policy of the tenant in the order in which they are tried."""
    return read_terms(session.read(_LOAD_TERMS).scalar())


def load_policies(session: TenantSession) -> list[PolicyRow]:
    """The same as rows that can be changed."""
    rows = session.execute(
        select(SlaPolicy, BusinessCalendar)
        .join(BusinessCalendar, BusinessCalendar.id == SlaPolicy.calendar_id)
        .order_by(SlaPolicy.position, SlaPolicy.name)
    )
    return [PolicyRow(policy, calendar) for policy, calendar in rows]


@cache
def _lock(sight: Sight) -> Select[Any]:
    return prepare(
        select(Ticket, terms_as_text().scalar_subquery())
        .where(Ticket.id == bindparam("ticket"), visible_by(sight))
        .with_for_update(of=Ticket)
        .execution_options(populate_existing=True)
    )


def lock_with_policies(
    session: TenantSession, ticket_id: UUID, *, actor: Actor
) -> tuple[Ticket, tuple[PolicyTerms, ...]]:
    """`lock_ticket` and `load_terms` by one statement, for whatever moves the clock afterwards."""
    row = session.run(_lock(sight_of(actor)), {"ticket": ticket_id, **values_of(actor)}).one_or_none()
    if row is None:
        raise NotFound("ticket")
    return row[0], read_terms(row[1])


@cache
def _lock_for_reopening(sight: Sight) -> Select[Any]:
    settings = select(Tenant.settings).where(Tenant.id == Ticket.tenant_id).correlate(Ticket).scalar_subquery()
    return prepare(
        select(Ticket, terms_as_text().scalar_subquery(), settings)
        .where(Ticket.id == bindparam("ticket"), visible_by(sight))
        .with_for_update(of=Ticket)
        .execution_options(populate_existing=True)
    )


def lock_for_reopening(
    session: TenantSession, ticket_id: UUID, *, actor: Actor
) -> tuple[Ticket, tuple[PolicyTerms, ...], TicketPolicy]:
    """`lock_with_policies`, and until when the tenant lets closed tickets be reopened."""
    row = session.run(_lock_for_reopening(sight_of(actor)), {"ticket": ticket_id, **values_of(actor)}).one_or_none()
    if row is None:
        raise NotFound("ticket")
    return row[0], read_terms(row[1]), read_ticket_policy(row[2] or {})


def find_policy(
    policies: Sequence[PolicyTerms], *, category: str, priority: str, company_id: UUID
) -> PolicyTerms | None:
    """The first active policy that covers the ticket."""
    fitting = (one for one in policies if one.covers(category=category, priority=priority, company_id=company_id))
    return next(fitting, None)


def policy_of(policies: Sequence[PolicyTerms], ticket: Ticket) -> PolicyTerms | None:
    """The policy that covers an existing ticket."""
    return find_policy(
        policies, category=ticket.category, priority=ticket.priority.value, company_id=ticket.customer_id
    )


def working_calendar(row: BusinessCalendar | PolicyTerms) -> WorkingCalendar:
    """The pure calendar of a stored one."""
    return WorkingCalendar(
        timezone=row.timezone,
        intervals=tuple(WeeklyInterval(day, start, end) for day, start, end in row.intervals),
        holidays=frozenset(date.fromisoformat(day) for day in row.holidays),
    )


def _seconds(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def _levels(rows: list[dict[str, object]]) -> tuple[Level, ...]:
    counts: dict[str, int] = {}
    levels = []
    for row in rows:
        metric = str(row["metric"])
        counts[metric] = counts.get(metric, 0) + 1
        levels.append(
            Level(
                metric=Metric(metric),
                position=counts[metric],
                after=timedelta(seconds=int(str(row["after_seconds"]))),
                notify_role=str(row["notify_role"]),
                assign_role=str(row["assign_role"]) if row.get("assign_role") else None,
            )
        )
    return tuple(levels)
