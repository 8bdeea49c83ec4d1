"""One demo ticket: its rows, and a clock that stands where the times say."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from portal.authz import Actor, ActorKind, system_actor
from portal.demo.content import STAFF_ROLES, SYSTEM, DemoMessage, DemoPerson, DemoTenant, DemoTicket, demo_uuid
from portal.demo.settings import ANSWERS
from portal.lib.text import excerpt, render_markdown
from portal.models import (
    FINAL,
    SenderType,
    Ticket,
    TicketMessage,
    TicketPriority,
    TicketStatus,
)
from portal.models.session import TenantSession
from portal.services.tickets.clock import ASSIGNMENT, refresh_clock
from portal.services.tickets.policies import PolicyTerms
from portal.services.tickets.timeline import add_line

_PAUSED = (TicketStatus.WAITING_CUSTOMER, TicketStatus.AWAITING_PAYMENT)


def seed_ticket(
    session: TenantSession,
    tenant: DemoTenant,
    demo: DemoTicket,
    *,
    users: dict[str, DemoPerson],
    policies: Sequence[PolicyTerms],
    now: datetime,
) -> Ticket:
    """Write the ticket, its conversation and its timeline, and set its clock as of `now`."""
    ticket = _build(session, tenant, demo, now)
    session.add(ticket)
    session.flush()
    _add_history(session, tenant, ticket, demo, users, now)
    _set_clock(session, ticket, policies, now)
    return ticket


def _ago(now: datetime, minutes: int | None) -> datetime | None:
    return None if minutes is None else now - timedelta(minutes=minutes)


def _build(session: TenantSession, tenant: DemoTenant, demo: DemoTicket, now: datetime) -> Ticket:
    created = now - timedelta(minutes=demo.created_minutes_ago)
    description = demo.messages[0].text
    public = [message for message in demo.messages if not message.internal and message.sender != SYSTEM]
    ended = [demo.closed_minutes_ago, demo.resolved_minutes_ago, public[-1].minutes_before_now]
    return Ticket(
        id=demo_uuid(tenant.key, "ticket", demo.key),
        tenant_id=session.tenant_id,
        customer_id=demo_uuid(tenant.key, "company", demo.company),
        requester_id=demo_uuid(tenant.key, "user", demo.requester),
        ticket_number=f"{tenant.number_prefix}-{demo.number:04d}",
        subject=demo.subject,
        description=description,
        description_html=render_markdown(description),
        category=demo.category,
        priority=TicketPriority(demo.priority),
        status=TicketStatus(demo.status),
        assigned_to=demo_uuid(tenant.key, "user", demo.assignee) if demo.assignee else None,
        first_response_at=_ago(now, demo.first_response_minutes_ago),
        resolved_at=_ago(now, demo.resolved_minutes_ago),
        closed_at=_ago(now, demo.closed_minutes_ago),
        clock_started_at=created,
        clock_cycle=1,
        clock_pauses=_pauses(demo, public, now),
        # Nobody is looked for any more: who has a ticket is part of the story.
        clock_fired=[ASSIGNMENT],
        escalation_level=0,
        satisfaction_rating=demo.rating,
        satisfaction_comment=demo.rating_comment,
        source="portal",
        tags=sorted(demo.tags),
        custom_fields=ANSWERS.get(demo.key, {}),
        last_message=excerpt(public[-1].text),
        created_at=created,
        updated_at=now - timedelta(minutes=min(minutes for minutes in ended if minutes is not None)),
    )


def _pauses(demo: DemoTicket, public: list[DemoMessage], now: datetime) -> list[list[str | None]]:
    if TicketStatus(demo.status) not in _PAUSED:
        return []
    # It has waited since the team's first answer; the intended state then holds at whatever hour it is seeded.
    since = demo.first_response_minutes_ago or public[-1].minutes_before_now
    return [[(now - timedelta(minutes=since)).isoformat(), None, demo.status]]


def _actor(session: TenantSession, tenant: DemoTenant, email: str, users: dict[str, DemoPerson]) -> Actor:
    if email == SYSTEM:
        return system_actor(session.tenant_id)
    person = users[email]
    return Actor(
        kind=ActorKind.STAFF if person.role in STAFF_ROLES else ActorKind.CUSTOMER,
        tenant_id=session.tenant_id,
        name=person.name,
        user_id=demo_uuid(tenant.key, "user", email),
    )


def _add_history(
    session: TenantSession,
    tenant: DemoTenant,
    ticket: Ticket,
    demo: DemoTicket,
    users: dict[str, DemoPerson],
    now: datetime,
) -> None:
    requester = _actor(session, tenant, demo.requester, users)
    add_line(session, ticket, "created", actor=requester, now=ticket.created_at)
    for number, message in enumerate(demo.messages[1:], start=1):
        if message.sender != SYSTEM:
            _add_message(session, tenant, ticket, demo, number, message, users, now)
    if demo.assignee:
        assignee = _actor(session, tenant, demo.assignee, users)
        at = ticket.first_response_at or ticket.created_at + timedelta(minutes=2)
        add_line(
            session, ticket, "assigned", actor=assignee, now=at, to=str(assignee.user_id), to_name=assignee.name
        )
    others = (m.sender for m in reversed(demo.messages) if m.sender in users and m.sender != demo.requester)
    last_staff = next(others, None)
    mover = _actor(session, tenant, demo.assignee or last_staff or SYSTEM, users)
    for target, at in _moves(ticket):
        actor = requester if target is TicketStatus.CANCELLED else mover
        change: dict[str, Any] = {"from": "open", "to": target.value}
        add_line(session, ticket, "status_changed", actor=actor, now=at, **change)
    if demo.rating is not None:
        at = (ticket.closed_at or ticket.resolved_at or ticket.updated_at) + timedelta(minutes=3)
        add_line(session, ticket, "rated", actor=requester, now=min(at, now), rating=demo.rating)


def _moves(ticket: Ticket) -> list[tuple[TicketStatus, datetime]]:
    if ticket.status is TicketStatus.OPEN:
        return []
    if ticket.status in FINAL or ticket.status is TicketStatus.RESOLVED:
        return [(ticket.status, ticket.closed_at or ticket.resolved_at or ticket.updated_at)]
    return [(ticket.status, ticket.first_response_at or ticket.updated_at)]


def _add_message(
    session: TenantSession,
    tenant: DemoTenant,
    ticket: Ticket,
    demo: DemoTicket,
    number: int,
    message: DemoMessage,
    users: dict[str, DemoPerson],
    now: datetime,
) -> None:
    author = _actor(session, tenant, message.sender, users)
    at = now - timedelta(minutes=message.minutes_before_now)
    sender = SenderType.CUSTOMER if author.is_customer else SenderType.AGENT
    message_id = demo_uuid(tenant.key, "message", demo.key, number)
    session.add(
        TicketMessage(
            id=message_id,
            tenant_id=session.tenant_id,
            ticket_id=ticket.id,
            sender_type=sender,
            sender_id=author.user_id,
            sender_name=author.name,
            message=message.text,
            message_html=render_markdown(message.text),
            attachments=[],
            is_internal=message.internal,
            created_at=at,
        )
    )
    kind = "note_added" if message.internal else "replied"
    add_line(
        session,
        ticket,
        kind,
        actor=author,
        now=at,
        staff_only=message.internal,
        message_id=str(message_id),
        sender=sender.value,
    )


def _set_clock(session: TenantSession, ticket: Ticket, policies: Sequence[PolicyTerms], now: datetime) -> None:
    """What was due before now has happened already: it stands in the timeline and is not done again."""
    reading = refresh_clock(session, ticket, now=now, policies=policies)
    if reading is None or not reading.due:
        return
    actor = system_actor(session.tenant_id)
    for step in reading.due:
        if step.level is not None and step.metric is not None:
            ticket.escalation_level = max(ticket.escalation_level, step.level.position)
            add_line(
                session,
                ticket,
                "escalated",
                actor=actor,
                now=step.at,
                metric=step.metric.value,
                level=step.level.position,
                role=step.level.notify_role,
            )
    ticket.clock_fired = [ASSIGNMENT, *(step.key for step in reading.due)]
    refresh_clock(session, ticket, now=now, policies=policies)
