"""Why a promise was kept or missed: a ticket's clock replayed from its timeline, step by step.

The replay is the product's own rules run over the lines of the timeline, on a ticket that is never
stored. Where it comes to other times than the ticket has, the story says so (`agrees`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from uuid import UUID

from portal.authz import Actor, Permission, require
from portal.lib.sla_clock import AUTO_CLOSE, ROUNDS, Metric
from portal.lib.sla_story import Story, tell_story
from portal.models import MOVES, SenderType, Ticket, TicketEvent, TicketPriority, TicketStatus
from portal.models.session import TenantSession
from portal.services.tickets.clock import clock_input, set_clock
from portal.services.tickets.lifecycle import move_to
from portal.services.tickets.policies import PolicyTerms, get_with_policies, policy_of
from portal.services.tickets.queries import list_events


@dataclass(frozen=True)
class ClockStory:
    """The stories of the newest cycle in order of their beginning; rounds that are over stand before the running ones.

    `policy_id` is None where nothing is promised. `escalations` are the lines of warnings and levels.
    """

    ticket: Ticket
    policy_id: UUID | None
    stories: tuple[Story, ...]
    escalations: tuple[TicketEvent, ...]
    agrees: bool


def replay_clock(session: TenantSession, ticket_id: UUID, *, actor: Actor, now: datetime) -> ClockStory:
    """Replay a ticket's clock as of `now`, by two statements. For staff; raises Forbidden and NotFound."""
    require(actor, Permission.DESK_READ)
    ticket, policies = get_with_policies(session, ticket_id, actor=actor)
    events = list_events(session, ticket_id, actor=actor)
    replay = _Replay(ticket, events, policies)
    replay.run()
    # Whatever has happened without a line (an import, say) is in the ticket alone.
    agrees = replay.facts() == _facts(ticket)
    told, rounds = (replay.shadow, replay.rounds) if agrees else (ticket, [])
    policy = policy_of(policies, told)
    running = [] if policy is None else _tell(policy, told, now)
    stories = sorted([*rounds, *running], key=lambda one: one.started_at)
    fired = [e for e in events if e.kind in ("escalated", "sla_warned") and e.at >= ticket.clock_started_at]
    return ClockStory(ticket, policy.id if policy else None, tuple(stories), tuple(fired), agrees)


def _tell(policy: PolicyTerms, ticket: Ticket, now: datetime) -> list[Story]:
    clock = clock_input(ticket)
    # A ticket that was closed without a solution tells its story up to there.
    until = min(now, ticket.closed_at) if ticket.closed_at is not None else now
    found = (tell_story(policy.rules, clock, metric, until) for metric in Metric)
    return [story for story in found if story is not None]


def _facts(ticket: Ticket) -> tuple[object, ...]:
    """What the promise depends on and comes to, for comparing a replay with what is stored."""
    return (
        ticket.status,
        clock_input(ticket),
        ticket.first_response_due_at,
        ticket.resolution_due_at,
        ticket.next_response_due_at,
        ticket.update_due_at,
        ticket.sla_policy_id,
    )


class _Replay:
    """A ticket that lives through its timeline once more."""

    def __init__(self, ticket: Ticket, events: Sequence[TicketEvent], policies: Sequence[PolicyTerms]) -> None:
        self._ticket, self._events, self._policies = ticket, events, policies
        self.rounds: list[Story] = []
        self.shadow = Ticket(
            id=ticket.id,
            tenant_id=ticket.tenant_id,
            customer_id=ticket.customer_id,
            requester_id=ticket.requester_id,
            category=self._at_first("category_changed", ticket.category),
            priority=TicketPriority(self._at_first("priority_changed", ticket.priority.value)),
            status=TicketStatus.OPEN,
            clock_started_at=ticket.created_at,
            customer_waits_since=ticket.created_at,
            clock_cycle=1,
            clock_pauses=[],
            clock_fired=[],
            escalation_level=0,
            rounds_missed=0,
        )

    def _at_first(self, kind: str, now: str) -> str:
        """A field as it was before its first change."""
        return next((str(event.params["from"]) for event in self._events if event.kind == kind), now)

    def run(self) -> None:
        """Live through every instant; lines of one instant belong to one change."""
        self._touch(self.shadow.clock_started_at, None)
        for at, lines in groupby(self._events, key=lambda event: event.at):
            self._live(at, list(lines))

    def facts(self) -> tuple[object, ...]:
        """The facts the replay has come to."""
        return _facts(self.shadow)

    def _live(self, at: datetime, lines: list[TicketEvent]) -> None:
        shadow, spoke, moved = self.shadow, None, False
        for line in lines:
            if line.kind == "replied":
                spoke = SenderType(line.params["sender"])
            elif line.kind in ("category_changed", "priority_changed"):
                self._change(line)
                moved = True
            elif line.kind == "escalated":
                shadow.clock_fired = [*shadow.clock_fired, f"{line.params['metric']}:level:{line.params['level']}"]
            elif line.kind == "sla_warned":
                shadow.clock_fired = [*shadow.clock_fired, f"{line.params['metric']}:warn"]
            elif line.params.get("reason") == AUTO_CLOSE:
                shadow.clock_fired = [*shadow.clock_fired, AUTO_CLOSE]
        if spoke is SenderType.AGENT and shadow.first_response_at is None:
            shadow.first_response_at = at
        for line in self._in_order([line for line in lines if line.kind == "status_changed"]):
            target = TicketStatus(line.params["to"])
            if target in MOVES[shadow.status]:
                move_to(shadow, target, now=at)
                moved = True
                if line.actor_kind == "customer" and target is TicketStatus.OPEN:
                    spoke = SenderType.CUSTOMER
        if moved or spoke is not None:
            self._touch(at, spoke)

    def _change(self, line: TicketEvent) -> None:
        value = str(line.params["to"])
        if line.kind == "category_changed":
            self.shadow.category = value
        else:
            self.shadow.priority = TicketPriority(value)

    def _in_order(self, lines: list[TicketEvent]) -> list[TicketEvent]:
        """Moves of one instant, each from where the one before has led."""
        ordered: list[TicketEvent] = []
        status = self.shadow.status.value
        while found := next((line for line in lines if line.params["from"] == status and line not in ordered), None):
            ordered.append(found)
            status = str(found.params["to"])
        return ordered

    def _touch(self, at: datetime, spoke: SenderType | None) -> None:
        """What every service does after a change; rounds that end by it are told first."""
        shadow = self.shadow
        # Which version holds is not in the timeline; it is a fact of the ticket's newest cycle.
        shadow.sla_policy_id, shadow.sla_policy_version = self._ticket.sla_policy_id, self._ticket.sla_policy_version
        if shadow.clock_started_at == at:
            self.rounds = []
        policy, before = policy_of(self._policies, shadow), clock_input(shadow)
        ends = spoke is SenderType.AGENT or shadow.resolved_at == at
        if ends and policy is not None:
            running = replace(before, resolved_at=None, terminal=False)
            told = (tell_story(policy.rules, running, metric, at, ended_at=at) for metric in ROUNDS)
            self.rounds.extend(story for story in told if story is not None)
        set_clock(shadow, now=at, policies=self._policies, spoke=spoke)
