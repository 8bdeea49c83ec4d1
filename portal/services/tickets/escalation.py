"""What the clock does by itself: warn, climb the ladder, close what stays solved.

`advance_clock` is the whole of it. The ticket's workflow calls it when its timer ends and whenever
something changed; it fires what is due exactly once and answers when to come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, system_actor
from portal.errors import NotFound
from portal.events import Event, publish
from portal.events.tickets import TicketAssigned, TicketEscalated, TicketSlaWarned
from portal.lib.sla_clock import Step
from portal.models import Membership, Person, Role, Ticket, TicketStatus, User, UserStatus
from portal.models.session import TenantSession
from portal.services.tickets.assignment import assign_by_rule
from portal.services.tickets.clock import refresh_clock
from portal.services.tickets.lifecycle import move_to
from portal.services.tickets.policies import lock_with_policies
from portal.services.tickets.timeline import add_line


@dataclass(frozen=True)
class Wake:
    """When the workflow must look again; `done` when this cycle of the clock is over."""

    at: datetime | None
    done: bool


def advance_clock(session: TenantSession, ticket_id: UUID, *, cycle: int, now: datetime) -> Wake:
    """Look for somebody once, fire every step that is due and unfired, store the new reading, say when the next comes.

    Safe to repeat at any time: fired steps are marked in the transaction that carries them out. A ticket
    that is gone, or whose clock has begun a later cycle, ends the caller's run.
    """
    actor = system_actor(session.tenant_id)
    try:
        ticket, policies = lock_with_policies(session, ticket_id, actor=actor)
    except NotFound:
        return Wake(None, done=True)
    if ticket.clock_cycle != cycle:
        return Wake(None, done=True)
    if given := assign_by_rule(session, ticket, actor=actor, now=now):
        publish(session, *given, actor=actor, now=now, after={"assigned_to": ticket.assigned_to})
    reading = refresh_clock(session, ticket, now=now, policies=policies)
    if reading is not None and reading.due:
        for step in reading.due:
            _fire(session, ticket, step, actor=actor, now=now)
        reading = refresh_clock(session, ticket, now=now, policies=policies)
    done = ticket.status in (TicketStatus.CLOSED, TicketStatus.CANCELLED)
    return Wake(None if reading is None else reading.next_wake_at, done)


def _fire(session: TenantSession, ticket: Ticket, step: Step, *, actor: Actor, now: datetime) -> None:
    ticket.clock_fired = [*ticket.clock_fired, step.key]
    events: list[Event]
    if step.kind == "auto_close":
        if ticket.status is not TicketStatus.RESOLVED:
            return
        moved, line = move_to(ticket, TicketStatus.CLOSED, now=now, reason="auto_close")
        add_line(session, ticket, line.kind, actor=actor, now=now, **line.params)
        events = [moved]
    elif step.level is None:
        metric = step.metric.value if step.metric else ""
        add_line(session, ticket, "sla_warned", actor=actor, now=now, staff_only=True, metric=metric)
        events = [TicketSlaWarned.about(ticket, step=step.key, metric=metric)]
    else:
        events = _escalate(session, ticket, step, actor=actor, now=now)
    publish(session, *events, actor=actor, now=now, after={"step": step.key})


def _escalate(session: TenantSession, ticket: Ticket, step: Step, *, actor: Actor, now: datetime) -> list[Event]:
    level, metric = step.level, step.metric
    if level is None or metric is None:
        raise ValueError(step.key)
    told = people_in_role(session, Role(level.notify_role))
    assignee = None
    if level.assign_role:
        chosen = people_in_role(session, Role(level.assign_role))
        # Somebody of the role who already has the ticket keeps it.
        assignee = next((p for p in chosen if p[0] == ticket.assigned_to), chosen[0] if chosen else None)
    ticket.escalation_level = max(ticket.escalation_level, level.position)
    ticket.updated_at = now
    add_line(
        session,
        ticket,
        "escalated",
        actor=actor,
        now=now,
        metric=metric.value,
        level=level.position,
        role=level.notify_role,
        to_name=assignee[1] if assignee else None,
    )
    events: list[Event] = [
        TicketEscalated.about(
            ticket,
            step=step.key,
            level=level.position,
            metric=metric.value,
            role=level.notify_role,
            notify_user_ids=tuple(user_id for user_id, _ in told),
        )
    ]
    if assignee and assignee[0] != ticket.assigned_to:
        events.append(TicketAssigned.about(ticket, from_user=ticket.assigned_to, to_user=assignee[0]))
        ticket.assigned_to = assignee[0]
        add_line(session, ticket, "assigned", actor=actor, now=now, to=str(assignee[0]), to_name=assignee[1])
    return events


def people_in_role(session: TenantSession, role: Role) -> Sequence[tuple[UUID, str]]:
    """Active staff in a role as (user id, name), the longest serving first."""
    rows = session.execute(
        select(User.id, Person.name)
        .join(Membership, Membership.user_id == User.id)
        .join(Person, Person.id == User.person_id)
        .where(Membership.role == role, User.status == UserStatus.ACTIVE)
        .order_by(User.created_at, Person.name)
    )
    return [(user_id, name) for user_id, name in rows]
