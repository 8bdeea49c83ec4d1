"""Which promise a ticket falls under, and its rules in the form the pure clock understands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor
from portal.errors import NotFound
from portal.lib.sla_clock import Level, Metric, Policy
from portal.lib.working_time import WeeklyInterval, WorkingCalendar
from portal.models import BusinessCalendar, SlaPolicy, Ticket
from portal.models.session import TenantSession
from portal.services.tickets.queries import visible_to


@dataclass(frozen=True)
class PolicyRow:
    """A policy together with its calendar, as read by one statement."""

    policy: SlaPolicy
    calendar: BusinessCalendar

    def rules(self) -> Policy:
        """The policy for `portal.lib.sla_clock`."""
        row = self.policy
        return Policy(
            first_response=_seconds(row.first_response_seconds),
            resolution=_seconds(row.resolution_seconds),
            warn_before=_seconds(row.warn_before_seconds),
            calendar=working_calendar(self.calendar),
            levels=_levels(row.levels),
            auto_close_after=_seconds(row.auto_close_seconds),
        )


def load_policies(session: TenantSession) -> list[PolicyRow]:
    """Every policy of the tenant in the order in which they are tried."""
    rows = session.execute(
        select(SlaPolicy, BusinessCalendar)
        .join(BusinessCalendar, BusinessCalendar.id == SlaPolicy.calendar_id)
        .order_by(SlaPolicy.position, SlaPolicy.name)
    )
    return [PolicyRow(policy, calendar) for policy, calendar in rows]


def lock_with_policies(session: TenantSession, ticket_id: UUID, *, actor: Actor) -> tuple[Ticket, list[PolicyRow]]:
    """`lock_ticket` and `load_policies` by one statement, for whatever moves the clock afterwards."""
    rows = session.execute(
        select(Ticket, SlaPolicy, BusinessCalendar)
        .outerjoin(SlaPolicy, SlaPolicy.tenant_id == Ticket.tenant_id)
        .outerjoin(BusinessCalendar, BusinessCalendar.id == SlaPolicy.calendar_id)
        .where(Ticket.id == ticket_id, visible_to(actor))
        .order_by(SlaPolicy.position, SlaPolicy.name)
        .with_for_update(of=Ticket)
        .execution_options(populate_existing=True)
    ).all()
    if not rows:
        raise NotFound("ticket")
    return rows[0][0], [PolicyRow(policy, calendar) for _, policy, calendar in rows if policy is not None]


def find_policy(policies: Sequence[PolicyRow], *, category: str, priority: str, company_id: UUID) -> PolicyRow | None:
    """The first active policy that covers the ticket; an empty list matches everything."""
    for row in policies:
        policy = row.policy
        if (
            policy.active
            and (not policy.match_categories or category in policy.match_categories)
            and (not policy.match_priorities or priority in policy.match_priorities)
            and (not policy.match_companies or str(company_id) in policy.match_companies)
        ):
            return row
    return None


def policy_of(policies: Sequence[PolicyRow], ticket: Ticket) -> PolicyRow | None:
    """The policy that covers an existing ticket."""
    return find_policy(
        policies, category=ticket.category, priority=ticket.priority.value, company_id=ticket.customer_id
    )


def working_calendar(row: BusinessCalendar) -> WorkingCalendar:
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
