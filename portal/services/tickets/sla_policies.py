"""Editing promises: the change is one transaction, and every open ticket under it moves its timer at once."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.events import audit
from portal.models import BusinessCalendar, SlaPolicy, TicketStatus
from portal.models.session import TenantSession
from portal.services.tickets.sla_checks import STAFF_ROLES, check_calendar, check_hours, check_policy

__all__ = ["STAFF_ROLES", "CalendarForm", "PolicyForm", "move_policy", "save_calendar", "save_policy"]

# A policy or calendar can match any open ticket after the edit, also ones it did not cover before, so all of
# them are told. One statement, in the transaction of the edit; the relay turns each row into a signal.
_TELL_OPEN_TICKETS = text(
    """
    INSERT INTO outbox_events (id, tenant_id, kind, record_type, record_id, payload, actor_kind, actor_id,
                               correlation_id, depth, occurred_at)
    SELECT gen_random_uuid(), t.tenant_id, 'ticket.clock_changed', 'ticket', t.id,
           jsonb_build_object('cycle', t.clock_cycle, 'company_id', t.customer_id, 'requester_id', t.requester_id),
           :actor_kind, :actor_id, :correlation_id, :depth, :now
    FROM portal_tickets t
    WHERE t.tenant_id = :tenant_id AND t.status NOT IN ('closed', 'cancelled') AND t.trashed_at IS NULL
    """
)


@dataclass(frozen=True)
class PolicyForm:
    """A policy as staff edit it; durations in working seconds."""

    name: str
    calendar_id: UUID
    active: bool = True
    position: int = 0
    match_categories: tuple[str, ...] = ()
    match_priorities: tuple[str, ...] = ()
    match_companies: tuple[str, ...] = ()
    first_response_seconds: int | None = None
    resolution_seconds: int | None = None
    warn_before_seconds: int | None = None
    auto_close_seconds: int | None = None
    pause_statuses: tuple[str, ...] = (TicketStatus.WAITING_CUSTOMER.value, TicketStatus.AWAITING_PAYMENT.value)
    levels: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class CalendarForm:
    """A calendar as staff edit it: `intervals` are (weekday, start minute, end minute)."""

    name: str
    timezone: str
    intervals: tuple[tuple[int, int, int], ...]
    holidays: tuple[str, ...] = ()


def save_policy(
    session: TenantSession, policy_id: UUID | None, *, form: PolicyForm, actor: Actor, now: datetime
) -> SlaPolicy:
    """Create (id None) or change a policy. Raises Forbidden, NotFound and Invalid per field."""
    require(actor, Permission.SLA_CONFIGURE)
    name = check_policy(session, policy_id, form)
    policy: SlaPolicy = _row(session, SlaPolicy, policy_id, "sla_policy")
    before = _visible(policy)
    for field, value in vars(form).items():
        setattr(policy, field, list(value) if isinstance(value, tuple) else value)
    policy.name = name
    policy.version = (policy.version or 0) + 1
    policy.updated_at = now
    session.add(policy)
    session.flush()
    audit(
        session,
        "sla_policy.saved",
        "sla_policy",
        policy.id,
        actor=actor,
        now=now,
        before=before,
        after=_visible(policy),
    )
    tell_open_tickets(session, actor=actor, now=now)
    return policy


def move_policy(session: TenantSession, policy_id: UUID, *, up: bool, actor: Actor, now: datetime) -> None:
    """Have a policy tried one place sooner or later; at the ends nothing happens. Raises Forbidden and NotFound."""
    require(actor, Permission.SLA_CONFIGURE)
    order = select(SlaPolicy).order_by(SlaPolicy.position, SlaPolicy.name).with_for_update()
    rows = list(session.scalars(order))
    index = next((i for i, row in enumerate(rows) if row.id == policy_id), None)
    if index is None:
        raise NotFound("sla_policy")
    other = index - 1 if up else index + 1
    if not 0 <= other < len(rows):
        return
    rows[index], rows[other] = rows[other], rows[index]
    for position, row in enumerate(rows):
        row.position = position
    after = {"position": other}
    audit(session, "sla_policy.moved", "sla_policy", policy_id, actor=actor, now=now, after=after)
    tell_open_tickets(session, actor=actor, now=now)


def save_calendar(
    session: TenantSession, calendar_id: UUID | None, *, form: CalendarForm, actor: Actor, now: datetime
) -> BusinessCalendar:
    """Create (id None) or change a calendar. Raises Forbidden, NotFound and Invalid per field."""
    require(actor, Permission.SLA_CONFIGURE)
    name = check_calendar(session, calendar_id, form)
    calendar: BusinessCalendar = _row(session, BusinessCalendar, calendar_id, "calendar")
    calendar.name = name
    calendar.timezone = form.timezone
    calendar.intervals = [list(interval) for interval in sorted(form.intervals)]
    calendar.holidays = sorted(set(form.holidays))
    check_hours(calendar)
    session.add(calendar)
    session.flush()
    audit(session, "calendar.saved", "calendar", calendar.id, actor=actor, now=now, after={"name": calendar.name})
    tell_open_tickets(session, actor=actor, now=now)
    return calendar


def tell_open_tickets(session: TenantSession, *, actor: Actor, now: datetime) -> None:
    """Have the clock of every open ticket of the tenant read the rules again."""
    session.connection().execute(
        _TELL_OPEN_TICKETS,
        {
            "tenant_id": session.tenant_id,
            "actor_kind": actor.kind.value,
            "actor_id": actor.user_id,
            "correlation_id": actor.correlation_id or session.tenant_id,
            "depth": actor.depth,
            "now": now,
        },
    )


def _row(session: TenantSession, model: Any, row_id: UUID | None, record: str) -> Any:
    if row_id is None:
        return model(tenant_id=session.tenant_id)
    row = session.scalar(select(model).where(model.id == row_id).with_for_update())
    if row is None:
        raise NotFound(record)
    return row


def _visible(policy: SlaPolicy) -> dict[str, Any]:
    names = ("name", "first_response_seconds", "resolution_seconds", "warn_before_seconds", "levels", "active")
    return json.loads(json.dumps({name: getattr(policy, name, None) for name in names}))  # type: ignore[no-any-return]
