"""What an undo needs of a ticket before it is changed, and how that is put back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.events.base import plain
from portal.events.tickets import TicketStatusChanged
from portal.models import FINAL, Ticket, TicketPriority, TicketStatus
from portal.services.tickets.bulk_actions import Done, assign_to, set_field
from portal.services.tickets.timeline import Line

_MOMENTS = (
    *("first_response_at", "resolved_at", "closed_at"),
    *("clock_started_at", "customer_waits_since", "team_spoke_at"),
)
# A status takes its clock along; a field that decides on the promise takes the pauses.
_KEPT = {
    "status": (
        *("custom_status", "clock_pauses", "clock_fired", "escalation_level", "rounds_missed", "sla_policy_version"),
        *_MOMENTS,
    ),
    "priority": ("clock_pauses", "sla_policy_version"),
    "category": ("clock_pauses", "sla_policy_version"),
}


def snapshot(ticket: Ticket, field: str) -> dict[str, Any]:
    """The field that is about to change, with what of the ticket's clock goes with it."""
    kept = {name: getattr(ticket, name) for name in (field, *_KEPT.get(field, ()))}
    if field == "assigned_to":
        return kept
    return {name: list(value) if isinstance(value, list) else value for name, value in kept.items()}


def has_changed_since(ticket: Ticket, result: dict[str, Any]) -> bool:
    """Whether anything happened to the ticket after the change that left this result."""
    same_time = ticket.updated_at == datetime.fromisoformat(result["updated_at"])
    return not same_time or plain(getattr(ticket, result["field"])) != result["after"]


def put_back(ticket: Ticket, result: dict[str, Any], *, names: Mapping[UUID, str], now: datetime) -> Done:
    """Give a locked ticket back what the change took; the caller sets the clock and writes everything.

    `names` are those of the team by login, for the line that says whose the ticket is again.
    """
    field, before = str(result["field"]), dict(result["before"])
    ticket.updated_at = now
    if field == "status":
        return _put_status_back(ticket, before)
    value: Any = before.pop(field)
    for name, kept in before.items():
        setattr(ticket, name, kept)
    if field == "assigned_to":
        owner = UUID(value) if value else None
        done = assign_to(ticket, owner, names.get(owner, "") if owner else None)
    else:
        done = set_field(ticket, field, TicketPriority(value) if field == "priority" else value)
    if done is None:
        raise ValueError(field)
    return done


def _put_status_back(ticket: Ticket, before: dict[str, Any]) -> Done:
    """The state before, with its clock: as if the change had not been, save for the time in between.

    The table of moves does not bind an undo. Where the change ended the clock's process, a new one takes over
    (a cycle of its own), with everything that was done and paused before.
    """
    came_from, back_to = ticket.status, TicketStatus(before.pop("status"))
    if came_from in FINAL:
        ticket.clock_cycle += 1
    fired = sorted({*before.pop("clock_fired"), *(ticket.clock_fired if came_from not in FINAL else ())})
    for name, value in before.items():
        setattr(ticket, name, datetime.fromisoformat(value) if name in _MOMENTS and value else value)
    ticket.clock_fired = fired
    ticket.status = back_to
    moved = TicketStatusChanged.about(ticket, from_status=came_from.value, to_status=back_to.value)
    return Done((moved,), (Line("status_changed", {"from": came_from.value, "to": back_to.value, "undone": True}),))
