"""Editing promises: the change is one transaction, and every open ticket under it moves its timer at once."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.events import audit
from portal.models import BusinessCalendar, SlaPolicy
from portal.models.session import TenantSession
from portal.services.tickets.policies import POLICY, load_policies
from portal.services.tickets.sla_checks import STAFF_ROLES, check_calendar, check_hours, check_policy
from portal.services.tickets.sla_forms import CalendarForm, PolicyForm
from portal.services.tickets.sla_moves import OpenTickets, policies_of_calendar, settle_open_tickets
from portal.services.tickets.sla_versions import (
    CALENDAR,
    calendar_form_of,
    get_version,
    keep_calendar,
    keep_first_calendar,
    keep_missing,
    keep_policy,
    policy_form_of,
)

__all__ = [
    "STAFF_ROLES",
    "CalendarForm",
    "PolicyForm",
    "move_policy",
    "restore_calendar",
    "restore_policy",
    "save_calendar",
    "save_policy",
]

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


def save_policy(
    session: TenantSession,
    policy_id: UUID | None,
    *,
    form: PolicyForm,
    actor: Actor,
    now: datetime,
    open_tickets: OpenTickets = "move",
) -> SlaPolicy:
    """Create (id None) or change a policy; open tickets follow at once or stay with what they were promised.

    Raises Forbidden, NotFound and Invalid per field.
    """
    require(actor, Permission.SLA_CONFIGURE)
    name = check_policy(session, policy_id, form)
    policy: SlaPolicy = _row(session, SlaPolicy, policy_id, "sla_policy")
    before = _visible(policy)
    keep_missing(session, load_policies(session), now=now)
    settled = settle_open_tickets(session, open_tickets, {policy_id} if policy_id else set(), covers=form)
    for field, value in vars(form).items():
        setattr(policy, field, list(value) if isinstance(value, tuple) else value)
    policy.name = name
    policy.version = (policy.version or 0) + 1
    policy.updated_at = now
    session.add(policy)
    session.flush()
    calendar = session.scalars(select(BusinessCalendar).where(BusinessCalendar.id == policy.calendar_id)).one()
    keep_policy(session, policy, calendar, actor=actor, now=now)
    after = {**_visible(policy), "version": policy.version, "open_tickets": open_tickets}
    if open_tickets == "stay":
        after["stayed"] = settled
    audit(session, "sla_policy.saved", "sla_policy", policy.id, actor=actor, now=now, before=before, after=after)
    if open_tickets == "move":
        tell_open_tickets(session, actor=actor, now=now)
    return policy


def restore_policy(
    session: TenantSession,
    policy_id: UUID,
    version: int,
    *,
    actor: Actor,
    now: datetime,
    open_tickets: OpenTickets = "move",
) -> SlaPolicy:
    """Save a policy as it was in an earlier version, which makes a new one; its place in the order stays.

    Raises Forbidden, NotFound, and Invalid where what it refers to is gone or its name is taken.
    """
    require(actor, Permission.SLA_CONFIGURE)
    form = policy_form_of(get_version(session, POLICY, policy_id, version).data)
    position = session.scalar(select(SlaPolicy.position).where(SlaPolicy.id == policy_id))
    form = replace(form, position=position or 0)
    return save_policy(session, policy_id, form=form, actor=actor, now=now, open_tickets=open_tickets)


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
    session: TenantSession,
    calendar_id: UUID | None,
    *,
    form: CalendarForm,
    actor: Actor,
    now: datetime,
    open_tickets: OpenTickets = "move",
) -> BusinessCalendar:
    """Create (id None) or change a calendar; policies that use it get a new version each.

    Raises Forbidden, NotFound and Invalid per field.
    """
    require(actor, Permission.SLA_CONFIGURE)
    name = check_calendar(session, calendar_id, form)
    calendar: BusinessCalendar = _row(session, BusinessCalendar, calendar_id, "calendar")
    using: set[UUID] = set()
    if calendar_id is not None:
        keep_first_calendar(session, calendar, now=now)
        keep_missing(session, load_policies(session), now=now)
        using = policies_of_calendar(session, calendar_id)
        settle_open_tickets(session, open_tickets, using, covers=None)
    calendar.name = name
    calendar.timezone = form.timezone
    calendar.intervals = [list(interval) for interval in sorted(form.intervals)]
    calendar.holidays = sorted(set(form.holidays))
    check_hours(calendar)
    session.add(calendar)
    session.flush()
    keep_calendar(session, calendar, actor=actor, now=now)
    for row in load_policies(session):
        if row.policy.id in using:
            row.policy.version += 1
            keep_policy(session, row.policy, calendar, actor=actor, now=now)
    after = {"name": calendar.name, "open_tickets": open_tickets}
    audit(session, "calendar.saved", "calendar", calendar.id, actor=actor, now=now, after=after)
    if open_tickets == "move":
        tell_open_tickets(session, actor=actor, now=now)
    return calendar


def restore_calendar(
    session: TenantSession,
    calendar_id: UUID,
    version: int,
    *,
    actor: Actor,
    now: datetime,
    open_tickets: OpenTickets = "move",
) -> BusinessCalendar:
    """Save working hours as they were in an earlier version. Raises Forbidden, NotFound and Invalid."""
    require(actor, Permission.SLA_CONFIGURE)
    form = calendar_form_of(get_version(session, CALENDAR, calendar_id, version).data)
    return save_calendar(session, calendar_id, form=form, actor=actor, now=now, open_tickets=open_tickets)


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
    row = session.scalar(select(model).where(model.id == row_id).with_for_update(key_share=True))
    if row is None:
        raise NotFound(record)
    return row


def _visible(policy: SlaPolicy) -> dict[str, Any]:
    names = ("name", "first_response_seconds", "resolution_seconds", "warn_before_seconds", "levels", "active")
    return json.loads(json.dumps({name: getattr(policy, name, None) for name in names}))  # type: ignore[no-any-return]
