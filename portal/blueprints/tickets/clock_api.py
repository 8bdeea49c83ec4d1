"""A ticket's clock told step by step, for the team."""

from datetime import date
from typing import Literal
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import Shape, UtcDateTime
from portal.blueprints.localisation import format_day, gettext
from portal.blueprints.policies import permission
from portal.lib.sla_clock import Metric
from portal.lib.sla_story import Moment, MomentKind, Story
from portal.lib.wording.sla import moment_text
from portal.services.tickets.clock_story import ClockStory, replay_clock

bp = Blueprint("clock_api", __name__, url_prefix="/api/v1/staff/tickets")


class ClockMoment(Shape):
    """One step of a clock."""

    kind: MomentKind
    at: UtcDateTime
    worked_seconds: float = Field(description="Working time that had passed until then.")
    reason: str | None = Field(description="The status that stopped the clock.")
    day: date | None = Field(description="The holiday.")
    text: str = Field(description="In the reader's language.")

    @classmethod
    def of(cls, moment: Moment) -> "ClockMoment":
        """A step of a story."""
        day = format_day(moment.day) if moment.day else ""
        return cls(
            kind=moment.kind,
            at=moment.at,
            worked_seconds=moment.worked.total_seconds(),
            reason=moment.reason,
            day=moment.day,
            text=moment_text(moment.kind, gettext, reason=moment.reason, day=day),
        )


class MetricClock(Shape):
    """One promise from its start to its end, or to now."""

    metric: Metric
    state: Literal["open", "kept", "missed"]
    target_seconds: float
    worked_seconds: float
    started_at: UtcDateTime
    due_at: UtcDateTime | None
    ended_at: UtcDateTime | None
    steps: list[ClockMoment]

    @classmethod
    def of(cls, story: Story) -> "MetricClock":
        """A metric's story."""
        return cls(
            metric=story.metric,
            state="missed" if story.breached else ("open" if story.ended_at is None else "kept"),
            target_seconds=story.target.total_seconds(),
            worked_seconds=story.worked.total_seconds(),
            started_at=story.started_at,
            due_at=story.due_at,
            ended_at=story.ended_at,
            steps=[ClockMoment.of(moment) for moment in story.moments],
        )


class TicketClockStory(Shape):
    """The clock of a ticket's newest cycle."""

    ticket_id: UUID
    policy_id: UUID | None
    complete: bool = Field(description="Whether the timeline alone explains what is stored.")
    promises: list[MetricClock]

    @classmethod
    def of(cls, found: ClockStory) -> "TicketClockStory":
        """A replayed clock."""
        return cls(
            ticket_id=found.ticket.id,
            policy_id=found.policy_id,
            complete=found.agrees,
            promises=[MetricClock.of(story) for story in found.stories],
        )


@bp.get("/<uuid:ticket_id>/clock")
@permission(Permission.DESK_READ)
@operation("Explain a ticket's clock", answer=TicketClockStory)
def clock(ticket_id: UUID) -> TicketClockStory:
    """Why the promise was kept or missed: each start, pause, holiday and due time with the working time until then."""
    return TicketClockStory.of(replay_clock(http.session(), ticket_id, actor=http.actor(), now=http.now()))
