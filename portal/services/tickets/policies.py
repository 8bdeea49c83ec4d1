"""Which promise a ticket falls under, and its rules in the form the pure clock understands."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, cached_property, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, any_, bindparam, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from portal.authz import Actor
from portal.errors import NotFound
from portal.lib.sla_clock import Policy
from portal.models import BusinessCalendar, ConfigVersion, SlaPolicy, Tenant, Ticket
from portal.models.session import TenantSession, prepare
from portal.services.tenants.ticket_policy import TicketPolicy, read_ticket_policy
from portal.services.tickets.calendars import working_calendar
from portal.services.tickets.ladder import levels_of
from portal.services.tickets.queries import Sight, sight_of, values_of, visible_by

# What versions of policies are filed under, and the version of those tickets that stay without a promise.
POLICY = "sla_policy"
NO_PROMISE = 0


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
    SlaPolicy.next_response_seconds,
    SlaPolicy.update_seconds,
    SlaPolicy.version,
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
    next_response: int | None = None
    update: int | None = None
    version: int = 1
    # Terms of an earlier version, for the one ticket that stays with them.
    kept: bool = False

    @cached_property
    def rules(self) -> Policy:
        """The policy for `portal.lib.sla_clock`."""
        return Policy(
            first_response=_seconds(self.first_response),
            resolution=_seconds(self.resolution),
            warn_before=_seconds(self.warn_before),
            calendar=working_calendar(self),
            levels=levels_of(self.levels),
            auto_close_after=_seconds(self.auto_close_after),
            next_response=_seconds(self.next_response),
            update=_seconds(self.update),
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
    return tuple(_terms(row) for row in json.loads(text or "[]"))


@lru_cache(maxsize=256)
def _read_kept(text: str) -> PolicyTerms:
    return replace(_terms(json.loads(text)), kept=True)


def _terms(row: list[Any]) -> PolicyTerms:
    return PolicyTerms(UUID(row[0]), *row[1:])


def terms_row(policy: SlaPolicy, calendar: BusinessCalendar) -> list[Any]:
    """The terms of rows as JSON values, in the order in which `terms_as_text` gives them."""
    values = [getattr(policy if column.class_ is SlaPolicy else calendar, column.key) for column in _TERMS]
    return [str(values[0]), *values[1:]]


def as_terms(policy: SlaPolicy, calendar: BusinessCalendar) -> PolicyTerms:
    """The terms of rows that are perhaps not stored yet."""
    return _terms(terms_row(policy, calendar))


_LOAD_TERMS = prepare(terms_as_text())


def load_terms(session: TenantSession) -> tuple[PolicyTerms, ...]:
    """Every policy of the tenant in the order in which they are tried."""
    return read_terms(session.read(_LOAD_TERMS).scalar())


def load_terms_of(session: TenantSession, tickets: Collection[Ticket]) -> dict[UUID, tuple[PolicyTerms, ...]]:
    """`load_terms` for each of the tickets by its id, with the version in front that it stays with, if any."""
    live = load_terms(session)
    terms = {ticket.id: live for ticket in tickets}
    staying = [ticket.id for ticket in tickets if ticket.sla_policy_version]
    if staying:
        among = Ticket.id == any_(literal(staying, ARRAY(Uuid())))
        rows = session.connection().execute(
            select(Ticket.id, _kept_as_text()).where(Ticket.tenant_id == session.tenant_id, among)
        )
        terms |= {ticket_id: (_read_kept(kept), *live) for ticket_id, kept in rows if kept}
    return terms


def load_policies(session: TenantSession) -> list[PolicyRow]:
    """The same as rows that can be changed."""
    rows = session.execute(
        select(SlaPolicy, BusinessCalendar)
        .join(BusinessCalendar, BusinessCalendar.id == SlaPolicy.calendar_id)
        .order_by(SlaPolicy.position, SlaPolicy.name)
    )
    return [PolicyRow(policy, calendar) for policy, calendar in rows]


def _kept_as_text() -> Any:
    """The terms that a ticket stays with."""
    return (
        select(cast(ConfigVersion.data["terms"], Text))
        .where(
            ConfigVersion.tenant_id == Ticket.tenant_id,
            ConfigVersion.record_type == POLICY,
            ConfigVersion.record_id == Ticket.sla_policy_id,
            ConfigVersion.version == Ticket.sla_policy_version,
        )
        .correlate(Ticket)
        .scalar_subquery()
    )


@cache
def _find(sight: Sight, *, lock: bool) -> Select[Any]:
    query = select(Ticket, terms_as_text().scalar_subquery(), _kept_as_text()).where(
        Ticket.id == bindparam("ticket"), visible_by(sight)
    )
    if lock:
        query = query.with_for_update(of=Ticket).execution_options(populate_existing=True)
    return prepare(query)


def lock_with_policies(
    session: TenantSession, ticket_id: UUID, *, actor: Actor
) -> tuple[Ticket, tuple[PolicyTerms, ...]]:
    """`lock_ticket` and `load_terms` by one statement, for whatever moves the clock afterwards."""
    return _with_policies(session, ticket_id, actor=actor, lock=True)


def get_with_policies(
    session: TenantSession, ticket_id: UUID, *, actor: Actor
) -> tuple[Ticket, tuple[PolicyTerms, ...]]:
    """The same to look at."""
    return _with_policies(session, ticket_id, actor=actor, lock=False)


def _with_policies(
    session: TenantSession, ticket_id: UUID, *, actor: Actor, lock: bool
) -> tuple[Ticket, tuple[PolicyTerms, ...]]:
    row = session.run(_find(sight_of(actor), lock=lock), {"ticket": ticket_id, **values_of(actor)}).one_or_none()
    if row is None:
        raise NotFound("ticket")
    ticket, live, kept = row
    policies = read_terms(live)
    return ticket, (_read_kept(kept), *policies) if kept else policies


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
    fitting = (
        one
        for one in policies
        if not one.kept and one.covers(category=category, priority=priority, company_id=company_id)
    )
    return next(fitting, None)


def policy_of(policies: Sequence[PolicyTerms], ticket: Ticket) -> PolicyTerms | None:
    """The policy that covers an existing ticket: the version it stays with while that covers it, else a live one."""
    facts: dict[str, Any] = {
        "category": ticket.category,
        "priority": ticket.priority.value,
        "company_id": ticket.customer_id,
    }
    if ticket.sla_policy_version == NO_PROMISE:
        return None
    if ticket.sla_policy_version is not None:
        kept = next((one for one in policies if one.kept and one.id == ticket.sla_policy_id), None)
        if kept is not None and kept.covers(**facts):
            return kept
    return find_policy(policies, **facts)


def _seconds(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)
