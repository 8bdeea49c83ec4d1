"""Why was this ticket's promise kept or missed: its clock, replayed step by step."""

from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.tickets.promise import format_worked
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import format_day, gettext
from portal.lib.sla_story import Moment, Story
from portal.lib.wording.sla import moment_text
from portal.lib.wording.tickets import METRIC, event_text
from portal.services.tickets.clock_story import ClockStory, replay_clock

# Ordinary nights and weekends of a long story say nothing; pauses, holidays and ends always do.
MANY = 60
ORDINARY = frozenset({"closed", "opened"})


class ClockView(ServiceView):
    """A ticket's clock."""

    policy = Permission.DESK_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """A clock belongs to a ticket: back to the queue."""
        return http.see_other("desk.index")

    @route("/<uuid:ticket_id>")
    def ticket(self, ticket_id: UUID) -> ResponseReturnValue:
        """The page, or only the stories where a panel asks for them."""
        found = replay_clock(http.session(), ticket_id, actor=http.actor(), now=http.now())
        template = "_clock.html" if http.wants_fragment() else "clock.html"
        return self.render(f"admin/tickets/{template}", ticket=found.ticket, agrees=found.agrees, stories=_shown(found))


def _shown(found: ClockStory) -> list[dict[str, Any]]:
    escalations = [
        {
            "at": line.at,
            "text": event_text(line.kind, line.actor_name, line.params, gettext, staff=True),
            "metric": str(line.params.get("metric")),
        }
        for line in found.escalations
    ]
    return [_story(story, escalations) for story in found.stories]


def _story(story: Story, escalations: list[dict[str, Any]]) -> dict[str, Any]:
    short = len(story.moments) > MANY
    rows = [_row(moment) for moment in story.moments if not (short and moment.kind in ORDINARY)]
    rows += [
        {"at": line["at"], "text": line["text"], "worked": "", "tone": "warn"}
        for line in escalations
        if line["metric"] == story.metric and _within(story, line["at"])
    ]
    if story.ended_at is None:
        state = ("err", gettext("Missed")) if story.breached else ("neutral", gettext("Open"))
    else:
        state = ("err", gettext("Missed")) if story.breached else ("ok", gettext("Kept"))
    return {
        "title": gettext(METRIC[story.metric.value]),
        "target": format_worked(story.target),
        "worked": format_worked(story.worked),
        "due_at": story.due_at,
        "tone": state[0],
        "state": state[1],
        "short": short,
        "rows": sorted(rows, key=lambda row: row["at"]),
    }


def _within(story: Story, at: Any) -> bool:
    return bool(story.started_at <= at and (story.ended_at is None or at <= story.ended_at))


def _row(moment: Moment) -> dict[str, Any]:
    day = format_day(moment.day) if moment.day else ""
    return {
        "at": moment.at,
        "text": moment_text(moment.kind, gettext, reason=moment.reason, day=day),
        "worked": format_worked(moment.worked),
        "tone": "err" if moment.kind in ("breached", "late") else "",
    }
