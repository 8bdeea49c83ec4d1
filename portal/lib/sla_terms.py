"""The words of a ticket's promise: policy and facts that go into the clock, readings that come out.

How they are meant, rule by rule, stands at the head of `portal.lib.sla_clock`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from portal.lib.working_time import WorkingCalendar

State = Literal["within", "near", "breached", "paused", "met"]
AUTO_CLOSE: Final = "auto_close"
_NOTHING: Final = timedelta()


class Metric(StrEnum):
    """What is promised: a first answer, a solution, an answer to each further question, a regular word."""

    FIRST_RESPONSE = "first_response"
    RESOLUTION = "resolution"
    NEXT_RESPONSE = "next_response"
    UPDATE = "update"


# These begin anew again and again within a cycle; their steps do so too.
ROUNDS: Final = (Metric.NEXT_RESPONSE, Metric.UPDATE)


class InvalidPolicy(ValueError):
    """A policy that cannot be; `code` says why and is also the message."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Pause:
    """A time without a running clock; `reason` is a code such as waiting_customer, on_hold."""

    started_at: datetime
    ended_at: datetime | None
    reason: str


@dataclass(frozen=True)
class Level:
    """One rung of the ladder: `after` (working time) the metric's due time, who is told, who is assigned."""

    metric: Metric
    position: int
    after: timedelta
    notify_role: str
    assign_role: str | None = None
    notify_user_id: UUID | None = None
    assign_user_id: UUID | None = None

    @property
    def key(self) -> str:
        """The key of its step, stable within a cycle."""
        return f"{self.metric}:level:{self.position}"


@dataclass(frozen=True)
class Policy:
    """Targets and warning in working time; `auto_close_after` in plain time after resolving.

    A warning time as long as a target or longer gives no warning for it. Raises InvalidPolicy:
    target_not_positive, duration_negative, level_position_invalid, level_repeated.
    """

    first_response: timedelta | None
    resolution: timedelta | None
    warn_before: timedelta | None
    calendar: WorkingCalendar
    levels: tuple[Level, ...] = ()
    auto_close_after: timedelta | None = None
    next_response: timedelta | None = None
    update: timedelta | None = None

    def __post_init__(self) -> None:
        if any(target <= _NOTHING for _, target in self.targets()):
            raise InvalidPolicy("target_not_positive")
        durations = [self.warn_before, self.auto_close_after, *(level.after for level in self.levels)]
        if any(duration is not None and duration < _NOTHING for duration in durations):
            raise InvalidPolicy("duration_negative")
        if any(level.position < 1 for level in self.levels):
            raise InvalidPolicy("level_position_invalid")
        if len({level.key for level in self.levels}) < len(self.levels):
            raise InvalidPolicy("level_repeated")

    def targets(self) -> list[tuple[Metric, timedelta]]:
        """The metrics that are promised, in order, with their targets."""
        pairs = (
            (Metric.FIRST_RESPONSE, self.first_response),
            (Metric.RESOLUTION, self.resolution),
            (Metric.NEXT_RESPONSE, self.next_response),
            (Metric.UPDATE, self.update),
        )
        return [(metric, target) for metric, target in pairs if target is not None]

    def warning_before(self, target: timedelta) -> timedelta | None:
        """How long before a due time staff are warned, None where there is no warning."""
        if self.warn_before is None or not _NOTHING < self.warn_before < target:
            return None
        return self.warn_before


@dataclass(frozen=True)
class ClockInput:
    """The facts of one cycle; `fired` holds the keys of the steps that have fired in it.

    `asked_at` is the oldest further question without an answer, `told_at` the team's last public word,
    `rounds_missed` how many of their rounds have ended late.
    """

    started_at: datetime
    first_responded_at: datetime | None = None
    resolved_at: datetime | None = None
    terminal: bool = False
    pauses: tuple[Pause, ...] = ()
    fired: frozenset[str] = frozenset()
    asked_at: datetime | None = None
    told_at: datetime | None = None
    rounds_missed: int = 0

    def ended_at(self, metric: Metric) -> datetime | None:
        """When the metric was fulfilled, None while it is open."""
        resolved = self.resolved_at if self.resolved_at is not None and self.resolved_at >= self.started_at else None
        if metric is not Metric.FIRST_RESPONSE or self.first_responded_at is None:
            return resolved
        return self.first_responded_at if resolved is None else min(self.first_responded_at, resolved)

    def pause_at(self, now: datetime) -> Pause | None:
        """The pause in force; of several the one that began last."""
        open_now = [p for p in self.pauses if p.started_at <= now and (p.ended_at is None or p.ended_at > now)]
        return max(open_now, key=lambda pause: pause.started_at, default=None)

    def paused_spans(self, until: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """The pauses that began before `until`, cut off there."""
        return tuple(
            (pause.started_at, min(pause.ended_at or until, until)) for pause in self.pauses if pause.started_at < until
        )


@dataclass(frozen=True)
class Segment:
    """A stretch of a cycle in which the clock ran, was paused, or stood still outside the hours.

    `worked` is the working time of the stretch, `total` that of the cycle up to its end.
    """

    kind: Literal["running", "paused", "closed"]
    started_at: datetime
    ended_at: datetime
    worked: timedelta
    total: timedelta
    reason: str | None = None


@dataclass(frozen=True)
class Step:
    """Something that happens by itself at `at`; `key` is stable within a cycle, SLA kinds begin with `sla_`."""

    key: str
    kind: str
    at: datetime
    metric: Metric | None = None
    level: Level | None = None


@dataclass(frozen=True)
class Reading:
    """How the promise stands at one instant.

    `steps` are all unfired steps in order of time, `due` those whose time has come, `next_step` the
    first of all. `elapsed`, `target` and `remaining` (negative when over) are working time of
    `metric`, the open one with the least time left; None when none is open. `next_wake_at` is when
    this reading changes by itself: `now` if steps are due, else the next step, a due time, the turn
    to near, or the known end of a pause.
    """

    first_response_due_at: datetime | None
    resolution_due_at: datetime | None
    state: State
    paused_reason: str | None
    steps: tuple[Step, ...]
    due: tuple[Step, ...]
    next_step: Step | None
    metric: Metric | None
    elapsed: timedelta | None
    target: timedelta | None
    remaining: timedelta | None
    first_response_breached: bool
    resolution_breached: bool
    next_wake_at: datetime | None
    next_response_due_at: datetime | None = None
    update_due_at: datetime | None = None
    next_response_breached: bool = False
    update_breached: bool = False

    @property
    def breached(self) -> dict[Metric, bool]:
        """Whether each metric was, or is, past its due time."""
        return {
            Metric.FIRST_RESPONSE: self.first_response_breached,
            Metric.RESOLUTION: self.resolution_breached,
            Metric.NEXT_RESPONSE: self.next_response_breached,
            Metric.UPDATE: self.update_breached,
        }

    @property
    def due_times(self) -> dict[Metric, datetime | None]:
        """When each metric is due, None where that is not known or not promised."""
        return {
            Metric.FIRST_RESPONSE: self.first_response_due_at,
            Metric.RESOLUTION: self.resolution_due_at,
            Metric.NEXT_RESPONSE: self.next_response_due_at,
            Metric.UPDATE: self.update_due_at,
        }
