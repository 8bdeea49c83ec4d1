"""What can be done to many tickets at once, and what it does to one of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.errors import Conflict, FieldError, Invalid
from portal.events import Event
from portal.events.tickets import TicketAssigned, TicketUpdated
from portal.models import Ticket, TicketCategory, TicketPriority, TicketStatus
from portal.models.session import TenantSession
from portal.services.tenants.directory import load_ticket_policy
from portal.services.tenants.ticket_policy import TicketPolicy
from portal.services.tickets.desk import MAX_TAGS, TAG_LENGTH
from portal.services.tickets.lifecycle import move_to
from portal.services.tickets.queries import list_assignable
from portal.services.tickets.reopening import require_reopenable
from portal.services.tickets.timeline import Line
from portal.services.tickets.trash import REASON_LENGTH
from portal.services.tickets.validation import checked_text, one_text


class BulkKind(StrEnum):
    """The actions; `close` is the status of that name."""

    ASSIGN = "assign"
    STATUS = "status"
    PRIORITY = "priority"
    CATEGORY = "category"
    ADD_TAGS = "add_tags"
    REMOVE_TAGS = "remove_tags"
    CLOSE = "close"
    TRASH = "trash"
    RESTORE = "restore"


@dataclass(frozen=True)
class BulkAction:
    """An action with its value; `assignee_id` None gives tickets back to the queue.

    `assignee_name` and `policy` are found.
    """

    kind: BulkKind
    assignee_id: UUID | None = None
    status: TicketStatus | None = None
    priority: TicketPriority | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    reason: str = ""
    assignee_name: str | None = None
    policy: TicketPolicy = field(default_factory=TicketPolicy)

    def stored(self) -> dict[str, Any]:
        """The action as JSON."""
        values = {
            "kind": self.kind.value,
            "assignee_id": str(self.assignee_id) if self.assignee_id else None,
            "assignee_name": self.assignee_name,
            "status": self.status.value if self.status else None,
            "priority": self.priority.value if self.priority else None,
            "category": self.category,
            "tags": list(self.tags),
            "reason": self.reason,
        }
        return {name: value for name, value in values.items() if value}

    @property
    def field(self) -> str:
        """The field of a ticket that it changes."""
        return {BulkKind.ASSIGN: "assigned_to", BulkKind.CLOSE: "status"}.get(
            self.kind, "tags" if self.kind in (BulkKind.ADD_TAGS, BulkKind.REMOVE_TAGS) else self.kind.value
        )


@dataclass(frozen=True)
class Done:
    """What an action did to a ticket: its events and lines; the caller sets the clock and writes everything."""

    events: tuple[Event, ...]
    lines: tuple[Line, ...]


def check_action(session: TenantSession, action: BulkAction) -> BulkAction:
    """The action with what it needs to know; raises Invalid about the field that is wrong or missing."""
    values: dict[str, Any] = dict(vars(action))
    if action.kind is BulkKind.CLOSE:
        values["status"] = TicketStatus.CLOSED
    elif action.kind in (BulkKind.STATUS, BulkKind.PRIORITY) and values[action.field] is None:
        raise Invalid(FieldError(action.field, "bulk_value_missing"))
    elif action.kind is BulkKind.STATUS:
        values["policy"] = load_ticket_policy(session)
    elif action.kind is BulkKind.CATEGORY:
        known = select(TicketCategory.id).where(TicketCategory.key == action.category)
        if not action.category or session.scalar(known) is None:
            raise Invalid(FieldError("category", "unknown_category"))
    elif action.kind is BulkKind.ASSIGN and action.assignee_id is not None:
        values["assignee_name"] = dict(list_assignable(session)).get(action.assignee_id)
        if values["assignee_name"] is None:
            raise Invalid(FieldError("assignee_id", "unknown_assignee"))
    elif action.kind is BulkKind.TRASH:
        values["reason"] = " ".join(one_text("reason", action.reason, limit=REASON_LENGTH).split())
    elif action.field == "tags":
        values["tags"] = _checked_tags(action.tags)
    return BulkAction(**values)


def _checked_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    errors: list[FieldError] = []
    found = [checked_text("tags", tag, limit=TAG_LENGTH, errors=errors) for tag in tags[: MAX_TAGS + 1]]
    if not tags:
        errors.append(FieldError("tags", "bulk_value_missing"))
    if len(tags) > MAX_TAGS:
        errors.append(FieldError("tags", "too_many", (("limit", MAX_TAGS),)))
    if errors:
        raise Invalid(*errors)
    return tuple(sorted(set(found)))


def apply_action(ticket: Ticket, action: BulkAction, *, now: Any) -> Done | None:
    """Change a locked ticket; None where it is so already. Raises Conflict where the ticket cannot be changed so."""
    apply = _APPLY.get(action.field, _set_field)
    done = apply(ticket, action, now)
    if done is not None:
        ticket.updated_at = now
    return done


def _assign(ticket: Ticket, action: BulkAction, now: Any) -> Done | None:
    return assign_to(ticket, action.assignee_id, action.assignee_name)


def assign_to(ticket: Ticket, user_id: UUID | None, name: str | None) -> Done | None:
    """Give a locked ticket to somebody, or to nobody; None where it is so already."""
    if ticket.assigned_to == user_id:
        return None
    before, ticket.assigned_to = ticket.assigned_to, user_id
    params: dict[str, Any] = {"to": str(user_id) if user_id else None, "to_name": name}
    line = Line("assigned" if user_id else "unassigned", params)
    return Done((TicketAssigned.about(ticket, from_user=before, to_user=user_id),), (line,))


def _move(ticket: Ticket, action: BulkAction, now: Any) -> Done | None:
    if action.status is None or ticket.status is action.status:
        return None
    if ticket.status is TicketStatus.CLOSED:
        require_reopenable(ticket, action.policy, now=now)
    moved, line = move_to(ticket, action.status, now=now)
    return Done((moved,), (line,))


def _tag(ticket: Ticket, action: BulkAction, now: Any) -> Done | None:
    tags = set(ticket.tags)
    wanted = tags | set(action.tags) if action.kind is BulkKind.ADD_TAGS else tags - set(action.tags)
    if len(wanted) > max(MAX_TAGS, len(tags)):
        raise Conflict("too_many", limit=MAX_TAGS)
    return set_field(ticket, "tags", sorted(wanted)) if wanted != tags else None


def _set_field(ticket: Ticket, action: BulkAction, now: Any) -> Done | None:
    return set_field(ticket, action.field, getattr(action, action.field))


def set_field(ticket: Ticket, name: str, value: Any) -> Done | None:
    """Change a field of a locked ticket; None where it is so already."""
    before = getattr(ticket, name)
    if before == value:
        return None
    setattr(ticket, name, value)
    if name in ("category", "priority"):
        # Another kind of ticket is promised something else, also where it has stayed with an earlier version.
        ticket.sla_policy_version = None
    params = {} if name == "tags" else {"from": before, "to": value}
    line = Line(f"{name}_changed", params, staff_only=name == "tags")
    return Done((TicketUpdated.about(ticket, changed=(name,)),), (line,))


_APPLY: Mapping[str, Callable[[Ticket, BulkAction, Any], Done | None]] = {
    "assigned_to": _assign,
    "status": _move,
    "tags": _tag,
}
