"""A metric's clock told step by step: when it started, stood still, ran again, was due, and how it ended.

Pure, and told from the same reading that sets the due times, so the two cannot differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from portal.lib.sla_clock import ClockInput, Metric, Policy, Segment, explain, read
from portal.lib.working_time import WorkingCalendar, working_time_between

MomentKind = Literal["started", "paused", "resumed", "closed", "opened", "holiday", "due", "breached", "kept", "late"]
_ORDER: Final = {"started": 0, "due": 2, "breached": 3, "kept": 4, "late": 4}
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Moment:
    """One step: what happened to the clock, when, and the working time that had passed until then.

    `reason` is the status that stopped the clock, `day` the holiday's date.
    """

    kind: MomentKind
    at: datetime
    worked: timedelta
    reason: str | None = None
    day: date | None = None


@dataclass(frozen=True)
class Story:
    """A metric from its start to its end or to now; `worked` is its working time up to there."""

    metric: Metric
    target: timedelta
    started_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    breached: bool
    worked: timedelta
    moments: tuple[Moment, ...]


def tell_story(
    policy: Policy, clock: ClockInput, metric: Metric, now: datetime, *, ended_at: datetime | None = None
) -> Story | None:
    """The story of a metric as of `now`; None where it does not run.

    A round has no end in `clock`: that of one which is over comes as `ended_at`, with the facts before it.
    """
    target = dict(policy.targets()).get(metric)
    end = ended_at or clock.ended_at(metric)
    if target is None or (end is not None and end < clock.started_at):
        return None
    segments = explain(policy, clock, ended_at or now, metric)
    started_at = _started_at(policy, clock, metric)
    if started_at is None:
        return None
    reading = read(policy, clock, end or now)
    due_at = reading.due_times[metric]
    breached = reading.breached[metric] if end is None else due_at is not None and due_at < end
    worked = segments[-1].total if segments else timedelta()
    moments = [Moment("started", started_at, timedelta()), *_stretches(policy.calendar, segments)]
    until = end or now
    if due_at is not None:
        reached = due_at if due_at <= until else until
        passed = working_time_between(policy.calendar, started_at, reached, excluding=clock.paused_spans(reached))
        moments.append(Moment("due", due_at, target if due_at > until else passed))
        if breached:
            moments.append(Moment("breached", due_at, passed))
    if end is not None:
        moments.append(Moment("late" if breached else "kept", end, worked))
    moments.sort(key=lambda one: (one.at, _ORDER.get(one.kind, 1)))
    return Story(metric, target, started_at, due_at, end, breached, worked, tuple(moments))


def _started_at(policy: Policy, clock: ClockInput, metric: Metric) -> datetime | None:
    if metric is Metric.NEXT_RESPONSE:
        return clock.asked_at
    if metric is Metric.UPDATE:
        return clock.told_at or (clock.started_at if policy.first_response is None else None)
    return clock.started_at


def _stretches(calendar: WorkingCalendar, segments: tuple[Segment, ...]) -> Iterator[Moment]:
    """Where the clock stopped and ran again; `explain` has joined what belongs together."""
    before: Segment | None = None
    for segment in segments:
        passed = segment.total - segment.worked
        if segment.kind == "paused":
            yield Moment("paused", segment.started_at, passed, segment.reason)
        elif segment.kind == "closed":
            yield Moment("closed", segment.started_at, passed)
            for day, at in _holidays(calendar, segment):
                yield Moment("holiday", max(at, segment.started_at), passed, day=day)
        elif before is not None:
            yield Moment("resumed" if before.kind == "paused" else "opened", segment.started_at, passed)
        before = segment


def _holidays(calendar: WorkingCalendar, segment: Segment) -> Iterator[tuple[date, datetime]]:
    """The holidays within a stretch on which there would have been working hours, with their local beginning."""
    zone = ZoneInfo(calendar.timezone)
    worked = {interval.weekday for interval in calendar.intervals}
    day, last = segment.started_at.astimezone(zone).date(), segment.ended_at.astimezone(zone)
    while datetime.combine(day, time(), zone) < last:
        if day in calendar.holidays and day.weekday() in worked:
            yield day, datetime.combine(day, time(), zone).astimezone(UTC)
        day += _DAY
