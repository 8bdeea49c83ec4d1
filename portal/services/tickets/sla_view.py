"""How a ticket's promise stands at the moment of reading: one answer for lists, pages, back office and API.

The stored columns are as of the last change. Between changes the ticket's own timer stores each turn
(near, breached) when it comes; what is computed here makes a late timer invisible. Pure: a row and `now`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from portal.lib.sla_clock import Metric, State
from portal.models import FINAL, Ticket

# Due times are working time. In a promise that spans no night, plain time tells the last quarter well
# enough; in a longer one only the stored reading, which knows the calendar, is believed.
_PLAIN_SPAN = timedelta(hours=8)
_NOTHING = timedelta()

Kept = Literal["kept", "missed"]


@dataclass(frozen=True)
class SlaView:
    """The promise at one instant; `fraction` and `remaining_seconds` are plain time, over 1 and below 0 when late.

    `metric` is the open metric that is due first; it and what belongs to it is None when none is open.
    `due_at` is None while a pause keeps the due time unknown. `first_response` and `resolution` say
    whether that metric was kept in time, None while it is open or was never promised. `metric_started_at`
    is when the pending metric began: rounds begin later than the cycle.
    """

    state: State
    paused_reason: str | None
    metric: Metric | None
    started_at: datetime
    due_at: datetime | None
    fraction: float | None
    remaining_seconds: float | None
    first_response_due_at: datetime | None
    first_response_at: datetime | None
    first_response: Kept | None
    resolution_due_at: datetime | None
    resolved_at: datetime | None
    resolution: Kept | None
    next_response_due_at: datetime | None = None
    update_due_at: datetime | None = None
    metric_started_at: datetime | None = None


def view_sla(ticket: Ticket, now: datetime) -> SlaView:
    """The ticket's promise at `now` (aware)."""
    answered_at = _answered_at(ticket)
    metric, due_at = _pending(ticket, answered_at)
    paused = _paused_reason(ticket) if metric else None
    started_at = _started_at(ticket, metric)
    elapsed, target = _spans(ticket, started_at, due_at, now)
    return SlaView(
        state=_state(ticket, metric, due_at, paused, elapsed, target, now),
        paused_reason=paused,
        metric=metric,
        started_at=ticket.clock_started_at,
        due_at=due_at,
        fraction=None if target is None else elapsed / target,
        remaining_seconds=None if due_at is None else (due_at - now).total_seconds(),
        first_response_due_at=ticket.first_response_due_at,
        first_response_at=ticket.first_response_at,
        first_response=_kept(answered_at, ticket.first_response_due_at),
        resolution_due_at=ticket.resolution_due_at,
        resolved_at=ticket.resolved_at,
        resolution=_kept(ticket.resolved_at, ticket.resolution_due_at),
        next_response_due_at=ticket.next_response_due_at,
        update_due_at=ticket.update_due_at,
        metric_started_at=started_at,
    )


def _answered_at(ticket: Ticket) -> datetime | None:
    """When the first answer counted as given: resolving answers too."""
    given = [at for at in (ticket.first_response_at, ticket.resolved_at) if at is not None]
    return min(given, default=None)


def _pending(ticket: Ticket, answered_at: datetime | None) -> tuple[Metric | None, datetime | None]:
    """The open metric that is due first; while a pause hides the due times, the one that comes first."""
    if ticket.sla_policy_id is None or ticket.status in FINAL or ticket.resolved_at is not None:
        return None, None
    running = [(Metric.RESOLUTION, ticket.resolution_due_at)]
    if answered_at is None:
        running.insert(0, (Metric.FIRST_RESPONSE, ticket.first_response_due_at))
    rounds = ((Metric.NEXT_RESPONSE, ticket.next_response_due_at), (Metric.UPDATE, ticket.update_due_at))
    known = [(due, metric) for metric, due in (*running, *rounds) if due is not None]
    if known:
        due_at, metric = min(known, key=lambda pair: pair[0])
        return metric, due_at
    return (running[0][0], None) if _paused_reason(ticket) else (None, None)


def _started_at(ticket: Ticket, metric: Metric | None) -> datetime:
    """When the clock of the metric began."""
    if metric is Metric.NEXT_RESPONSE and ticket.customer_waits_since is not None:
        return ticket.customer_waits_since
    if metric is Metric.UPDATE and ticket.team_spoke_at is not None:
        return ticket.team_spoke_at
    return ticket.clock_started_at


def _paused_reason(ticket: Ticket) -> str | None:
    """The reason of the open pause; pauses are stored in order and only the last can be open."""
    last = ticket.clock_pauses[-1] if ticket.clock_pauses else None
    return str(last[2]) if last is not None and last[1] is None else None


def _spans(
    ticket: Ticket, start: datetime, due_at: datetime | None, now: datetime
) -> tuple[timedelta, timedelta | None]:
    """Plain time from the clock's start to `now` and to the due time, both without pauses."""
    elapsed = max(now - start, _NOTHING) - _paused_between(ticket, start, now)
    if due_at is None or due_at <= start:
        return elapsed, None
    target = due_at - start - _paused_between(ticket, start, min(due_at, max(now, start)))
    return elapsed, target if target > _NOTHING else None


def _paused_between(ticket: Ticket, start: datetime, end: datetime) -> timedelta:
    total = _NOTHING
    for begins, ends, _ in ticket.clock_pauses:
        low = max(datetime.fromisoformat(begins), start)
        high = min(datetime.fromisoformat(ends) if ends else end, end)
        total += max(high - low, _NOTHING)
    return total


def _kept(done_at: datetime | None, due_at: datetime | None) -> Kept | None:
    if done_at is None or due_at is None:
        return None
    return "kept" if done_at <= due_at else "missed"


def _state(
    ticket: Ticket,
    metric: Metric | None,
    due_at: datetime | None,
    paused: str | None,
    elapsed: timedelta,
    target: timedelta | None,
    now: datetime,
) -> State:
    stored: State = ticket.sla_state  # type: ignore[assignment]
    if metric is None or stored == "breached":
        return stored
    if due_at is not None and due_at <= now:
        return "breached"
    if paused:
        return "paused"
    if stored == "near":
        return "near"
    plain = due_at is not None and target is not None and due_at - _started_at(ticket, metric) <= _PLAIN_SPAN
    return "near" if plain and target is not None and elapsed >= target * 3 / 4 else "within"
