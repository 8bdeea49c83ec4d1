"""The clocks of a ticket's promise: what is due when, what happens next, how the promise stands.

Pure: a policy, the facts of one cycle and `now` go in, a reading comes out. The rules:

- A **cycle** runs from creation or reopening. Facts older than it: an answer counts as given,
  without a due time (a caller who promises a new first answer leaves it out); a resolution as undone.
- A metric **ends** when answered or resolved; resolving answers too. It was kept if that happened at
  or before its due time. Still open **at** its due time it is breached: the ladder starts there.
- **Rounds**: a further question (after the first answer) starts the next response, whatever the team then
  says in public ends it. Each public word of the team starts an update, the next one ends it; where no
  first answer is promised the first update runs from the cycle's start. A solution ends both. Their steps
  and due times are those of the round that runs; how many ended late is a fact that comes in.
- **Pauses** (end excluded) stop every clock. While one is open no SLA step is known, not even one
  that fell due before it, and a due time not yet reached is None. A due time reached before the
  pause stands, and the state stays `breached`. Steps left over fire once the pause has ended.
  A pause that begins after `now` is not yet known.
- The **ladder** counts working time after the due time. A step stays due until it has fired, however
  late; a step whose metric has ended is dropped.
- **State** is that of the open metrics: breached, else paused, else near (last quarter of a target,
  or within its warning time), else within. With none open: breached if one was (a round, too), else met.
- A **terminal** ticket (closed, cancelled) has no steps. A metric that never ended there is void;
  it counts as breached only if a level of its ladder has fired.
- A calendar that yields no working time within ten years makes no promise: the due time is None.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Final, Literal

from portal.lib.sla_terms import (
    AUTO_CLOSE,
    ROUNDS,
    ClockInput,
    InvalidPolicy,
    Level,
    Metric,
    Pause,
    Policy,
    Reading,
    Segment,
    State,
    Step,
)
from portal.lib.working_time import NoWorkingTime, add_working_time, working_spans, working_time_between

__all__ = [
    "AUTO_CLOSE",
    "ROUNDS",
    "ClockInput",
    "InvalidPolicy",
    "Level",
    "Metric",
    "Pause",
    "Policy",
    "Reading",
    "Segment",
    "State",
    "Step",
    "explain",
    "read",
    "round_is_late",
]

_NOTHING: Final = timedelta()


@dataclass(frozen=True)
class _Clock:
    """One metric of one cycle, read at `now`."""

    metric: Metric
    target: timedelta
    open: bool
    breached: bool
    due_at: datetime | None
    near_at: datetime | None = None
    elapsed: timedelta = _NOTHING
    steps: tuple[Step, ...] = ()


def read(policy: Policy, clock: ClockInput, now: datetime) -> Reading:
    """Read the clocks of a ticket at `now` (aware; instants come out in UTC)."""
    found = {
        metric: _read_metric(policy, clock, metric, begins, target, now)
        for metric, target in policy.targets()
        if (begins := _begin(policy, clock, metric)) is not None
    }
    running = [one for one in found.values() if one.open]
    pause = clock.pause_at(now) if running else None
    steps = [step for one in running for step in one.steps]
    if closing := _auto_close(policy, clock):
        steps.append(closing)
    steps.sort(key=lambda step: step.at)
    due = tuple(step for step in steps if step.at <= now)
    shown = min(running, key=lambda one: one.target - one.elapsed, default=None)
    due_at = {metric: one.due_at for metric, one in found.items()}
    breached = {metric: one.breached for metric, one in found.items()}
    return Reading(
        first_response_due_at=due_at.get(Metric.FIRST_RESPONSE),
        resolution_due_at=due_at.get(Metric.RESOLUTION),
        next_response_due_at=due_at.get(Metric.NEXT_RESPONSE),
        update_due_at=due_at.get(Metric.UPDATE),
        state=_state(list(found.values()), clock, pause, now),
        paused_reason=pause.reason if pause else None,
        steps=tuple(steps),
        due=due,
        next_step=steps[0] if steps else None,
        metric=shown.metric if shown else None,
        elapsed=shown.elapsed if shown else None,
        target=shown.target if shown else None,
        remaining=shown.target - shown.elapsed if shown else None,
        first_response_breached=breached.get(Metric.FIRST_RESPONSE, False),
        resolution_breached=breached.get(Metric.RESOLUTION, False),
        next_response_breached=breached.get(Metric.NEXT_RESPONSE, False),
        update_breached=breached.get(Metric.UPDATE, False),
        next_wake_at=now if due else _next_change(running, steps, pause, now),
    )


def _begin(policy: Policy, clock: ClockInput, metric: Metric) -> datetime | None:
    """When the clock of a metric began, None while it does not run at all."""
    if metric not in ROUNDS:
        return clock.started_at
    if clock.ended_at(Metric.RESOLUTION) is not None:
        return None
    if metric is Metric.NEXT_RESPONSE:
        return clock.asked_at
    return clock.told_at or (clock.started_at if policy.first_response is None else None)


def round_is_late(policy: Policy, clock: ClockInput, metric: Metric, at: datetime) -> bool:
    """Whether a round that ends at `at` ends after its due time; `clock` as it was before."""
    begins, target = _begin(policy, clock, metric), dict(policy.targets()).get(metric)
    if begins is None or target is None:
        return False
    due_at = _reach(policy, clock, begins, at, False, target)
    return due_at is not None and due_at < at


def explain(
    policy: Policy, clock: ClockInput, now: datetime, metric: Metric = Metric.RESOLUTION
) -> tuple[Segment, ...]:
    """Replay a metric from its start to its end, or to `now`: every stretch and what it added.

    The stretches are in order and without gaps; a pause outside the hours shows as a pause. For a
    ticket closed without a resolution pass the time of closing as `now`.
    """
    start = _begin(policy, clock, metric)
    if start is None:
        return ()
    end = max(clock.ended_at(metric) or now, start)
    hours = list(working_spans(policy.calendar, start, end))
    edges = [edge for span in (*hours, *clock.paused_spans(end)) for edge in span]
    cuts = {edge.astimezone(UTC) for edge in edges if start < edge < end}
    segments: list[Segment] = []
    total = _NOTHING
    for begins, ends in pairwise(sorted({start.astimezone(UTC), *cuts, end.astimezone(UTC)})):
        pause = clock.pause_at(begins)
        while hours and hours[0][1] <= begins:
            del hours[0]
        kind: Literal["running", "paused", "closed"] = "closed"
        if pause is not None:
            kind = "paused"
        elif hours and hours[0][0] <= begins:
            kind = "running"
        worked = ends - begins if kind == "running" else _NOTHING
        total += worked
        _append(segments, Segment(kind, begins, ends, worked, total, pause.reason if pause else None))
    return tuple(segments)


def _append(segments: list[Segment], new: Segment) -> None:
    """Add a stretch, or lengthen the last one where it simply goes on."""
    last = segments[-1] if segments else None
    if last is not None and (last.kind, last.reason) == (new.kind, new.reason):
        segments[-1] = Segment(
            last.kind, last.started_at, new.ended_at, last.worked + new.worked, new.total, last.reason
        )
    else:
        segments.append(new)


def _read_metric(
    policy: Policy, clock: ClockInput, metric: Metric, begins: datetime, target: timedelta, now: datetime
) -> _Clock:
    ended_at = clock.ended_at(metric)
    if ended_at is not None and ended_at < clock.started_at:
        return _Clock(metric, target, False, False, None)
    if ended_at is not None:
        due_at = _reach(policy, clock, begins, ended_at, False, target)
        late = due_at is not None and due_at < ended_at
        return _Clock(metric, target, False, late, due_at)
    if clock.terminal:
        missed = any(key.startswith(f"{metric}:level:") for key in clock.fired)
        return _Clock(metric, target, False, missed, None)
    until = max(now, begins)
    paused = clock.pause_at(now) is not None
    reach = partial(_reach, policy, clock, begins, until, paused)
    due_at = reach(target)
    return _Clock(
        metric,
        target,
        open=True,
        breached=due_at is not None and due_at <= now,
        due_at=due_at,
        near_at=reach(_near_from(policy, target)),
        elapsed=working_time_between(policy.calendar, begins, until, excluding=clock.paused_spans(until)),
        steps=() if paused else tuple(_ladder(policy, metric, target, reach, clock.fired)),
    )


def _reach(
    policy: Policy, clock: ClockInput, begins: datetime, until: datetime, paused: bool, amount: timedelta
) -> datetime | None:
    """When `amount` of working time has passed, knowing the pauses begun before `until`; None if never.

    With a pause open at `until`, only what was reached before it is known.
    """
    try:
        at = add_working_time(policy.calendar, begins, amount, excluding=clock.paused_spans(until))
    except NoWorkingTime:
        return None
    return None if paused and at > until else at


def _near_from(policy: Policy, target: timedelta) -> timedelta:
    """Working time after which a clock is near its end: at three quarters, or at the warning."""
    warning = policy.warning_before(target)
    quarter = target * 3 // 4
    return quarter if warning is None else min(quarter, target - warning)


def _ladder(
    policy: Policy,
    metric: Metric,
    target: timedelta,
    reach: Callable[[timedelta], datetime | None],
    fired: frozenset[str],
) -> Iterator[Step]:
    """The unfired steps of one metric: its warning, then its levels."""
    key, warning = f"{metric}:warn", policy.warning_before(target)
    if warning is not None and key not in fired and (at := reach(target - warning)):
        yield Step(key, f"sla_{metric}_warning", at, metric)
    for level in sorted(policy.levels, key=lambda level: (level.after, level.position)):
        if level.metric is metric and level.key not in fired and (at := reach(target + level.after)):
            yield Step(level.key, f"sla_{metric}", at, metric, level)


def _auto_close(policy: Policy, clock: ClockInput) -> Step | None:
    resolved_at = clock.ended_at(Metric.RESOLUTION)
    if policy.auto_close_after is None or resolved_at is None or clock.terminal or AUTO_CLOSE in clock.fired:
        return None
    return Step(AUTO_CLOSE, AUTO_CLOSE, resolved_at.astimezone(UTC) + policy.auto_close_after)


def _state(clocks: Sequence[_Clock], clock: ClockInput, pause: Pause | None, now: datetime) -> State:
    running = [one for one in clocks if one.open]
    if any(one.breached for one in running or clocks):
        return "breached"
    if not running:
        if clock.rounds_missed:
            return "breached"
        unpromised = not clocks and not clock.terminal and clock.ended_at(Metric.RESOLUTION) is None
        return "within" if unpromised else "met"
    if pause is not None:
        return "paused"
    return "near" if any(one.near_at is not None and one.near_at <= now for one in running) else "within"


def _next_change(
    running: Sequence[_Clock], steps: Sequence[Step], pause: Pause | None, now: datetime
) -> datetime | None:
    """When the reading changes next without anybody doing anything."""
    instants = [step.at for step in steps]
    instants.extend(at for one in running for at in (one.near_at, one.due_at) if at is not None)
    if pause is not None and pause.ended_at is not None:
        instants.append(pause.ended_at.astimezone(UTC))
    return min((at for at in instants if at > now), default=None)
