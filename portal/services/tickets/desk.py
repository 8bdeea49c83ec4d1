"""What staff do to a ticket besides answering: assign it, change status, priority, category, subject, tags."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid, invalid
from portal.events import Event, publish
from portal.events.tickets import TicketAssigned, TicketUpdated
from portal.models import Ticket, TicketCategory, TicketPriority, TicketStatus
from portal.models.session import TenantSession
from portal.services.tenants.directory import load_ticket_policy
from portal.services.tickets.clock import set_clock, steps_of
from portal.services.tickets.lifecycle import move_to
from portal.services.tickets.own_status import find_target
from portal.services.tickets.policies import lock_with_policies
from portal.services.tickets.queries import list_assignable, lock_ticket
from portal.services.tickets.reopening import require_reopenable
from portal.services.tickets.timeline import add_line
from portal.services.tickets.validation import SUBJECT_LENGTH, checked_text

MAX_TAGS = 20
TAG_LENGTH = 40


@dataclass(frozen=True)
class TicketChanges:
    """Fields to change; None leaves a field as it is."""

    status: TicketStatus | None = None
    priority: TicketPriority | None = None
    category: str | None = None
    subject: str | None = None
    tags: tuple[str, ...] | None = None
    custom_status: str | None = None


def assign_ticket(
    session: TenantSession, ticket_id: UUID, *, assignee_id: UUID | None, actor: Actor, now: datetime
) -> Ticket:
    """Give the ticket to a member of staff, or to nobody; assigning the same person again changes nothing.

    Raises NotFound and Invalid (`assignee_id`) for somebody who cannot be given tickets.
    """
    ticket = lock_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_UPDATE)
    if ticket.assigned_to == assignee_id:
        return ticket
    names = dict(list_assignable(session))
    if assignee_id is not None and assignee_id not in names:
        raise invalid("assignee_id", "unknown_assignee")
    before = ticket.assigned_to
    ticket.assigned_to = assignee_id
    ticket.updated_at = now
    add_line(
        session,
        ticket,
        "assigned" if assignee_id else "unassigned",
        actor=actor,
        now=now,
        to=str(assignee_id) if assignee_id else None,
        to_name=names.get(assignee_id) if assignee_id else None,
    )
    publish(
        session,
        TicketAssigned.about(ticket, from_user=before, to_user=assignee_id),
        actor=actor,
        now=now,
        before={"assigned_to": before},
        after={"assigned_to": assignee_id},
    )
    return ticket


def update_ticket(
    session: TenantSession, ticket_id: UUID, *, changes: TicketChanges, actor: Actor, now: datetime
) -> Ticket:
    """Apply the changes as one; the clock follows at once. Raises NotFound, Invalid and Conflict."""
    ticket, policies = lock_with_policies(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_UPDATE)
    values = _checked(session, changes)
    before: dict[str, Any] = {}
    for name, value in values.items():
        if getattr(ticket, name) != value:
            before[name] = getattr(ticket, name)
            setattr(ticket, name, value)
    events: list[Event] = []
    if before:
        ticket.updated_at = now
        if "category" in before or "priority" in before:
            # Another kind of ticket is promised something else, also where it has stayed with an earlier version.
            ticket.sla_policy_version = None
        for name in before:
            _field_line(session, ticket, name, before[name], actor=actor, now=now)
        events.append(TicketUpdated.about(ticket, changed=tuple(before)))
    target = find_target(session, ticket, status=changes.status, own=changes.custom_status)
    if target.differs(ticket):
        if ticket.status is TicketStatus.CLOSED:
            require_reopenable(ticket, load_ticket_policy(session), now=now)
        before |= {"status": ticket.status, "custom_status": ticket.custom_status}
        moved, line = move_to(ticket, target.status, now=now, own=target.own)
        add_line(session, ticket, line.kind, actor=actor, now=now, staff_only=not target.told, **line.params)
        events.append(moved if target.told else TicketUpdated.about(ticket, changed=("custom_status",)))
    if events:
        reading = set_clock(ticket, now=now, policies=policies)
        after = {name: getattr(ticket, name) for name in before}
        beside = (steps_of(ticket, reading),)
        publish(session, *events, actor=actor, now=now, before=before, after=after, beside=beside)
    return ticket


def _field_line(session: TenantSession, ticket: Ticket, name: str, before: Any, *, actor: Actor, now: datetime) -> None:
    if name == "tags":
        add_line(session, ticket, "tags_changed", actor=actor, now=now, staff_only=True)
        return
    params = {"from": before, "to": getattr(ticket, name)}
    add_line(session, ticket, f"{name}_changed", actor=actor, now=now, **params)


def _checked(session: TenantSession, changes: TicketChanges) -> dict[str, Any]:
    errors: list[FieldError] = []
    values: dict[str, Any] = {}
    if changes.subject is not None:
        values["subject"] = checked_text("subject", changes.subject, limit=SUBJECT_LENGTH, errors=errors)
    if changes.priority is not None:
        values["priority"] = changes.priority
    if changes.category is not None:
        values["category"] = changes.category
        if session.scalar(select(TicketCategory.id).where(TicketCategory.key == changes.category)) is None:
            errors.append(FieldError("category", "unknown_category"))
    if changes.tags is not None:
        tags = [checked_text("tags", tag, limit=TAG_LENGTH, errors=errors) for tag in changes.tags[: MAX_TAGS + 1]]
        if len(tags) > MAX_TAGS:
            errors.append(FieldError("tags", "too_many", (("limit", MAX_TAGS),)))
        values["tags"] = sorted(set(tags))
    if errors:
        raise Invalid(*errors)
    return values
